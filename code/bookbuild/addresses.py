"""What depends on where the book is published: links to its repository, Binder, Colab and itself.

The address of the repository stands in one place, `bookbuild_repository` in _config.yml. Where
that is empty, the variables that GitHub sets in its workflows count. Without either, the pages
show none of these links.
"""

import os
from pathlib import Path
from urllib.parse import quote

from docutils import nodes
from sphinx.application import Sphinx

from bookbuild.languages import EDITIONS, ORIGINAL

CARD = "card.png"
CARD_WORDS = (
    "RNN入門, Recurrent Neural Networks, from the first step to Shakespeare",
    "RNN入門 ― 最初の一歩からシェイクスピアまで",
)


def repository(app: Sphinx) -> str:
    """The address of the repository, such as https://github.com/someone/book; or nothing."""
    if app.config.bookbuild_repository:
        return app.config.bookbuild_repository.rstrip("/")
    name = os.environ.get("GITHUB_REPOSITORY")
    return f"{os.environ.get('GITHUB_SERVER_URL', 'https://github.com')}/{name}" if name else ""


def site(app: Sphinx) -> str:
    """The address of the published site, with a slash at its end; or nothing.

    It is that of GitHub's Pages, unless html_baseurl says otherwise.
    """
    if app.config.html_baseurl:
        return app.config.html_baseurl.rstrip("/") + "/"
    if not repository(app):
        return ""
    owner, name = repository(app).split("/")[-2:]
    return f"https://{owner}.github.io/{name}/"


def page_address(app: Sphinx, language: str, page: str) -> str:
    folder = "" if language == ORIGINAL else f"{language}/"
    return f"{site(app)}{folder}{page}.html"


def _add_links(app: Sphinx, page: str, template: str, context: dict, doctree) -> None:
    # The address of a page that is missing says nothing about where the site begins.
    context["base"] = site(app) if page == "404" else ""
    context["description"] = description(doctree) if doctree else ""
    context["repository"] = repository(app)
    if not repository(app) or not doctree:
        return
    language, chapter = app.config.language, page.split("/")[-1]
    context["canonical"] = page_address(app, language, page)
    for edition in context["editions"]:
        edition["absolute"] = page_address(app, edition["language"], page)
    context["card"] = {
        "address": f"{site(app)}_static/{CARD}",
        "alt": CARD_WORDS,
        "width": 1200,
        "height": 630,
    }
    context["book_zip"] = f"{site(app)}rnnbook.zip"
    owner_and_name = "/".join(repository(app).split("/")[-2:])
    if context.get("notebook"):
        place = quote(f"lab/tree/{page}.md", safe="")
        colab = f"https://colab.research.google.com/github/{owner_and_name}/blob/notebooks"
        context["launch"] = {
            "binder": f"https://mybinder.org/v2/gh/{owner_and_name}/main?urlpath={place}",
            "colab": f"{colab}/{chapter}.ipynb",
        }
    issue = f"{repository(app)}/issues/new?page={quote(context['canonical'], safe='')}&template="
    context["report"] = {"wrong": f"{issue}wrong.yml", "lost": f"{issue}lost.yml"}


def description(doctree: nodes.document) -> str:
    """The first words of a page, without its figure."""
    for paragraph in doctree.findall(nodes.paragraph):
        words = " ".join(paragraph.astext().split())
        if len(words) > 40 and not _inside(paragraph, nodes.figure, nodes.note, nodes.block_quote):
            return words if len(words) <= 200 else words[:200].rsplit(" ", 1)[0] + " …"
    return ""


def _inside(node: nodes.Node, *kinds: type) -> bool:
    while node := node.parent:
        if isinstance(node, kinds):
            return True
    return False


def _write_map(app: Sphinx, error: Exception | None) -> None:
    """robots.txt and sitemap.xml, which names the pages of both editions."""
    if error or app.builder.format != "html" or app.config.language != ORIGINAL:
        return
    robots = "User-agent: *\nAllow: /\n"
    if site(app):
        robots += f"Sitemap: {site(app)}sitemap.xml\n"
        Path(app.outdir, "sitemap.xml").write_text(sitemap(app), "utf-8")
    Path(app.outdir, "robots.txt").write_text(robots, "utf-8")


def sitemap(app: Sphinx) -> str:
    entries = []
    for page in sorted(app.env.found_docs):
        links = "".join(
            f'<xhtml:link rel="alternate" hreflang="{language}" '
            f'href="{page_address(app, language, page)}"/>'
            for language in EDITIONS
        )
        entries += [
            f"<url><loc>{page_address(app, language, page)}</loc>{links}</url>"
            for language in EDITIONS
        ]
    return "\n".join(
        [
            '<?xml version="1.0" encoding="utf-8"?>',
            '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
            ' xmlns:xhtml="http://www.w3.org/1999/xhtml">',
            *entries,
            "</urlset>",
        ]
    )


def setup(app: Sphinx) -> None:
    app.add_config_value("bookbuild_repository", "", "html")
    # After the pages' own notebooks and editions are known.
    app.connect("html-page-context", _add_links, priority=600)
    app.connect("build-finished", _write_map)
