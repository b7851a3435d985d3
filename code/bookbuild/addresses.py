"""What depends on where the book is published: links to its repository, Binder, Colab and itself.

The address of the repository stands in one place, `bookbuild_repository` in _config.yml. Where
that is empty, the variables that GitHub sets in its workflows count. Without either, the pages
show none of these links. A release `data` of the repository is the book's own mirror of its data.
"""

import os

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.nodes import traverse_parent

from bookbuild.editions import EDITIONS, ORIGINAL, place


def repository(app: Sphinx) -> str:
    """The address of the repository, such as https://github.com/someone/book; or nothing."""
    if app.config.bookbuild_repository:
        return app.config.bookbuild_repository.rstrip("/")
    name = os.environ.get("GITHUB_REPOSITORY")
    return f"{os.environ.get('GITHUB_SERVER_URL', 'https://github.com')}/{name}" if name else ""


def site(app: Sphinx) -> str:
    """The address of the site, from html_baseurl or of GitHub's Pages, ending in /; or nothing."""
    if app.config.html_baseurl:
        return app.config.html_baseurl.rstrip("/") + "/"
    if not repository(app):
        return ""
    owner, name = repository(app).split("/")[-2:]
    own = f"{owner}.github.io"
    return f"https://{own}/" if name.lower() == own.lower() else f"https://{own}/{name}/"


def description(doctree: nodes.document) -> str:
    """The first words of a page, outside of figures, notes and quotations."""
    boxes = nodes.figure | nodes.note | nodes.block_quote
    for paragraph in doctree.findall(nodes.paragraph):
        words = " ".join(paragraph.astext().split())
        if len(words) > 40 and not any(traverse_parent(paragraph, boxes)):
            return words if len(words) <= 200 else words[:200].rsplit(" ", 1)[0] + " …"
    return ""


def _add_addresses(app: Sphinx, page: str, template: str, context: dict, doctree) -> None:
    context["repository"], context["site"] = repository(app), site(app)
    context["description"] = description(doctree) if doctree else ""


def _name_mirror(app: Sphinx) -> None:
    """Tell the chapters, and whatever else is started from here, where to ask for data first."""
    if repository(app):
        os.environ.setdefault("RNNBOOK_MIRROR", f"{repository(app)}/releases/download/data")


def _write_map(app: Sphinx, error: Exception | None) -> None:
    """sitemap.xml, which names the pages of both editions, and robots.txt, which names it."""
    if error or app.builder.format != "html" or app.config.language != ORIGINAL or not site(app):
        return
    pages = [
        {language: site(app) + place(language, page) for language in EDITIONS}
        for page in sorted(app.env.found_docs)
    ]
    sitemap = app.builder.templates.render("sitemap.xml", {"pages": pages})
    (app.outdir / "sitemap.xml").write_text(sitemap, "utf-8")
    robots = f"User-agent: *\nAllow: /\nSitemap: {site(app)}sitemap.xml\n"
    (app.outdir / "robots.txt").write_text(robots, "utf-8")


def setup(app: Sphinx) -> None:
    app.add_config_value("bookbuild_repository", "", "html")
    app.connect("builder-inited", _name_mirror)
    app.connect("html-page-context", _add_addresses)
    app.connect("build-finished", _write_map)
