"""What the pages need besides what Sphinx writes: sizes of pictures, and folds that open.

A picture with its size leaves the text where it is while it loads; all but the first are loaded
when the reader comes near. A box of the class `dropdown`, as a solution, is a `<details>` element,
so it opens without a script.
"""

from html import escape

from docutils import nodes
from myst_nb.sphinx_ import HideCodeCellNode
from sphinx.application import Sphinx
from sphinx.locale import _
from sphinx.writers.html5 import HTML5Translator
from sphinx_exercise.nodes import is_extension_node, solution_node

from bookbuild.deeper import is_folded
from bookbuild.figures import size


class Translator(HTML5Translator):
    """Writes a page as Sphinx does, but for the following."""

    pictures = 0  # that the page has had so far

    def starttag(self, node, tagname: str, suffix: str = "\n", empty=False, **attributes) -> str:
        """A tag, with the attributes that were found for it below; none ends as in XML.

        A cell says which of the chapter it is, for the notebook that is made of the page.
        """
        found = {"data-cell": node["cell_index"]} if "cell_index" in node else node.get("found", {})
        return super().starttag(node, tagname, suffix, **attributes, **found)

    def add_permalink_ref(self, node: nodes.Element, title: str) -> None:
        """A link to a heading, a figure and so on; `title` exists in English alone."""
        super().add_permalink_ref(node, _("Link to this place"))

    def visit_image(self, node: nodes.image) -> None:
        if node["uri"] in self.builder.images:
            width, height = size(self.builder.srcdir / node["uri"])
            node["found"] = {"width": width, "height": height, "decoding": "async"}
            node["loading"] = "lazy" if self.pictures else "link"
            self.pictures += 1
        super().visit_image(node)

    def visit_entry(self, node: nodes.entry) -> None:
        """A cell of a stacked table names its column; one that heads nothing is no heading."""
        if isinstance(node.parent.parent, nodes.thead) and not node.astext():
            node.parent.column += 1
            self.body.append("<td></td>\n")
            raise nodes.SkipNode
        if label := _column(node):
            node["found"] = {"data-label": label}
        super().visit_entry(node)

    def visit_citation(self, node: nodes.citation) -> None:
        """In English in both editions, and without the roles of docutils, which are out of use."""
        if not isinstance(node.previous_sibling(), nodes.citation):
            self.body.append('<div class="citation-list">\n')
        self.body.append(self.starttag(node, "div", CLASS="citation language-en"))

    def visit_admonition(self, node: nodes.admonition, name: str = "") -> None:
        if not is_fold(node):
            return super().visit_admonition(node, name)
        _open_details(self, node)

    def depart_admonition(self, node: nodes.admonition | None = None) -> None:
        if not node or not is_fold(node):
            return super().depart_admonition(node)
        _close_details(self, node)

    def visit_title(self, node: nodes.title) -> None:
        """The title of a fold is its summary; a link in it would not open the fold."""
        if not is_fold(node.parent):
            return super().visit_title(node)
        self.body.append(self.starttag(node, "summary", "", CLASS="admonition-title"))
        self.body.append(f"{self.encode(node.astext())}</summary>\n")
        raise nodes.SkipNode

    def visit_section(self, node: nodes.section) -> None:
        """The content of an exercise or a solution is no section of its own: it has no heading."""
        if not is_extension_node(node.parent):
            super().visit_section(node)

    def depart_section(self, node: nodes.section) -> None:
        if is_folded(node):
            self.body.append("</details>\n")
        if not is_extension_node(node.parent):
            super().depart_section(node)


def _column(cell: nodes.entry) -> str:
    """The heading of a cell's column in a table whose cells a phone shows one below the other.

    A row's first cell speaks for itself.
    """
    row, group = cell.parent, cell.parent.parent.parent
    column, head = row.index(cell), group.next_node(nodes.thead)
    if not column or not head or row.parent is head or "stacked" not in group.parent["classes"]:
        return ""
    return head[0][column].astext()


def is_fold(node: nodes.Element) -> bool:
    return "dropdown" in node["classes"]


def _open_details(translator, node: nodes.Element) -> None:
    translator.body.append(translator.starttag(node, "details", CLASS="admonition"))


def _open_fold(translator, node: HideCodeCellNode) -> None:
    """A folded cell, as myst-nb has it, but named by the words that one sees, and valid HTML."""
    translator.body.append(translator.starttag(node, "details", CLASS="admonition hide"))
    prompts = {"collapsed": node["prompt_show"], "expanded": node["prompt_hide"]}
    spans = [f'<span class="{state}">{escape(words)}</span>' for state, words in prompts.items()]
    translator.body.append(f"<summary>{''.join(spans)}</summary>\n")


def _close_details(translator, node: nodes.Element) -> None:
    translator.body.append("</details>\n")


def setup(app: Sphinx) -> None:
    app.set_translator("html", Translator)
    app.add_node(solution_node, override=True, html=(_open_details, _close_details))
    app.add_node(HideCodeCellNode, override=True, html=(_open_fold, _close_details))
