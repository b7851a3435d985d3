"""What a first reader may leave out: a section of a chapter that begins with `deeper`.

    ## Does it learn further back?

    ```{deeper} 6
    Up to 100 steps it does, with each of three seeds.
    ```

On a page the heading and this result stand in the open, and the rest of the section behind "Deeper,
6 min", folded. In a notebook, where a fold cannot hold cells, all of it is open.
"""

from bs4 import BeautifulSoup
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.locale import _
from sphinx.util.docutils import SphinxDirective


class Result(nodes.General, nodes.Element):
    """What stands in the open of a section that is folded; with the minutes of the rest."""


class Deeper(SphinxDirective):
    """The result of the section that it begins; the minutes that the rest of it takes."""

    required_arguments = 1
    has_content = True

    def run(self) -> list[nodes.Node]:
        if not self.arguments[0].isdecimal():
            raise self.error(f"minutes are wanted, not {self.arguments[0]!r}")
        self.assert_has_content()
        return [Result("", *self.parse_content_to_nodes(), minutes=int(self.arguments[0]))]


def is_folded(section: nodes.section) -> bool:
    return any(isinstance(part, Result) for part in section)


def _open_result(translator, node: Result) -> None:
    translator.body.append('<div class="deeper">\n')


def _close_result(translator, node: Result) -> None:
    """Open the fold, which ends with the section: `pages.Translator` closes it there."""
    words = _("Deeper, {} min").format(node["minutes"])
    translator.body.append(f'</div>\n<details class="deeper">\n<summary>{words}</summary>\n')


def unfold(body: BeautifulSoup) -> None:
    """Open the folded sections of a page for good, as a notebook has them."""
    for fold in body.select("details.deeper"):
        fold.summary.wrap(body.new_tag("p")).summary.name = "em"
        fold.unwrap()


def _check(app: Sphinx, doctree: nodes.document) -> None:
    for result in doctree.findall(Result):
        section = result.parent
        before = section.children[: section.index(result)]
        if not isinstance(section, nodes.section) or len(before) != 1:
            raise ExtensionError(f"{app.env.docname}: `deeper` does not begin a section")


def setup(app: Sphinx) -> None:
    app.add_directive("deeper", Deeper)
    app.add_node(Result, html=(_open_result, _close_result))
    app.connect("doctree-read", _check)
