"""The contents of the book in pictures: `chapter-contents`, a card for each chapter, by parts.

A card has the chapter's vignette (`book/figures/vignettes`), its number and title, what it is about
and the minutes that its short way takes. The vignette stands at the chapter's opening, too.
"""

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.locale import _

from bookbuild import about, gathering

VIGNETTES = "book/figures/vignettes"


def vignette(app: Sphinx, page: str) -> str:
    """The small drawing of a chapter as SVG; of a page that is none, nothing."""
    path = app.srcdir / VIGNETTES / f"{page.rpartition('/')[2]}.svg"
    if not path.exists():
        return ""
    svg, shown = path.read_text("utf-8").strip(), '<svg class="vignette" aria-hidden="true" '
    return svg.replace("<svg ", shown, 1)


def _parts(app: Sphinx, page: str) -> list[nodes.Node]:
    """For each part that has chapters its caption and a list of their cards."""
    found = []
    for tree in app.env.get_doctree(app.config.root_doc).findall(addnodes.toctree):
        cards = [
            nodes.list_item("", nodes.paragraph("", "", _card(app, page, name)))
            for _title, name in tree["entries"]
            if about.line(app, name)
        ]
        if cards:
            found += [
                nodes.paragraph("", tree["caption"], classes=["part"]),
                nodes.bullet_list("", *cards, classes=["cards"]),
            ]
    return found


def _card(app: Sphinx, page: str, chapter: str) -> nodes.reference:
    number = ".".join(map(str, app.env.toc_secnumbers.get(chapter, {}).get("", ())))
    minutes = _("{} min").format(app.env.metadata[chapter]["minutes"])
    pieces = {
        "number": number,
        "title": app.env.titles[chapter].astext(),
        "about": about.line(app, chapter),
        "minutes": minutes,
    }
    return nodes.reference(
        "",
        "",
        nodes.raw("", vignette(app, chapter), format="html"),
        *[nodes.inline("", words, classes=[name]) for name, words in pieces.items()],
        internal=True,
        refuri=app.builder.get_relative_uri(page, chapter),
    )


def _add_vignette(app: Sphinx, page: str, template: str, context: dict, doctree) -> None:
    context["vignette"] = vignette(app, page)


def setup(app: Sphinx) -> None:
    gathering.add_directive(app, "chapter-contents", _parts)
    app.connect("html-page-context", _add_vignette)
