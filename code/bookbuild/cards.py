"""Cards: what one looks up a year later, at the end of a chapter, and all of them on one page."""

from collections.abc import Iterator

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from bookbuild import gathering


class Card(nodes.General, nodes.Element):
    """What `chapter-card` in a chapter holds: any text, formulas, code that is not run."""


class CardDirective(SphinxDirective):
    has_content = True

    def run(self) -> list[nodes.Node]:
        self.assert_has_content()
        return [Card("", *self.parse_content_to_nodes())]


def _all(app: Sphinx, page: str) -> list[nodes.section]:
    return [part for name in gathering.executions(app.env) for part in _cards(app, page, name)]


def _cards(app: Sphinx, page: str, chapter: str) -> Iterator[nodes.section]:
    """The cards of a chapter, under its title, which leads there."""
    address, title = app.builder.get_relative_uri(page, chapter), app.env.titles[chapter]
    for card in app.env.get_doctree(chapter).findall(Card):
        copy = card.deepcopy()
        for part in copy.findall(nodes.Element):
            part["ids"], part["names"] = [], []  # places in the chapter
        for reference in copy.findall(addnodes.pending_xref):
            reference["refdoc"] = page  # from which it now leads
        link = nodes.reference("", title.astext(), internal=True, refuri=address)
        ids = [f"card-{chapter.rpartition('/')[2]}"]
        yield nodes.section("", nodes.title("", "", link), copy, ids=ids, classes=["of-card"])


def _open(translator, node: Card) -> None:
    translator.body.append('<div class="card">\n')


def _close(translator, node: Card) -> None:
    translator.body.append("</div>\n")


def setup(app: Sphinx) -> None:
    app.add_directive("chapter-card", CardDirective)
    app.add_node(Card, html=(_open, _close))
    gathering.add_directive(app, "chapter-cards", _all)
