"""Writes the text of a page as plain Markdown, for notebooks opened where MyST is unknown.

It begins with what Sphinx has made of a page in the end, in whichever language: there a reference
has its number, a citation its authors, and a pasted value its digits.

Why not sphinx-markdown-builder, which does this for whole projects: of the kinds of nodes in our
chapters it lacks or mistakes a third (captions, exercises, solutions, numbered formulas), it
writes files of its own instead of cells, and its machinery is five times what stands here.
"""

from html import escape
from textwrap import indent

from docutils import nodes
from sphinx.util import logging

logger = logging.getLogger(__name__)

SIGNS = str.maketrans({sign: f"\\{sign}" for sign in "\\`*_[]<&$|~"})


class Plain:
    """Writes a node, with the method that is named after its class, or after one above that."""

    def __call__(self, node: nodes.Node) -> str:
        names = (f"write_{kind.__name__}" for kind in type(node).__mro__)
        return next(getattr(self, name) for name in names if hasattr(self, name))(node)

    def number(self, node: nodes.Element) -> str:
        """What stands before a caption, as "Fig. 4.8", or the number of a formula or section."""
        return ""

    def picture(self, node: nodes.image) -> str:
        """The address of a picture; "" if the output of a cell shows it."""
        return node["uri"]

    def address(self, node: nodes.reference) -> str:
        """The address that a link leads to; "" where it is not known."""
        return node["refuri"]

    def write_Node(self, node: nodes.Node) -> str:
        logger.warning("notebooks cannot show %s", type(node).__name__, location=node)
        return ""

    def _nothing(self, node: nodes.Node) -> str:
        return ""

    def _line(self, node: nodes.Element) -> str:
        return "".join(map(self, node))

    def _blocks(self, node: list[nodes.Node]) -> str:
        return "\n\n".join(filter(None, map(self, node)))

    write_comment = write_index = write_target = _nothing
    write_demo = _nothing  # it is seen below its cell
    write_paragraph = write_inline = write_term = _line
    write_container = write_definition = write_legend = write_list_item = _blocks
    write_figure = write_table = write_entry = write_section = _blocks
    write_exercise_node = write_exercise_enumerable_node = _blocks

    # ------------------------------------------------------------ within a paragraph

    def write_Text(self, node: nodes.Text) -> str:
        return node.translate(SIGNS)

    def write_emphasis(self, node: nodes.emphasis) -> str:
        return f"*{self._line(node)}*"

    def write_strong(self, node: nodes.strong) -> str:
        return f"**{self._line(node)}**"

    def write_literal(self, node: nodes.literal) -> str:
        text = node.astext()
        return _fenced(f" {text} " if "`" in text else text, "`")

    def write_math(self, node: nodes.math) -> str:
        return f"${node.astext()}$"

    def write_reference(self, node: nodes.reference) -> str:
        words, address = self._line(node), self.address(node)
        return f"[{words}]({address})" if words and address else words

    def write_image(self, node: nodes.image) -> str:
        address = self.picture(node)
        return f"![{node['alt'].translate(SIGNS)}]({address})" if address else ""

    # ------------------------------------------------------------ blocks

    def write_title(self, node: nodes.title) -> str:
        """A heading, or what stands above a box or a table."""
        level, above = 0, node.parent
        while isinstance(above, nodes.section):
            level, above = level + 1, above.parent
        if not level:
            return self.write_caption(node)
        number = self.number(node.parent)
        return f"{'#' * level} " + (f"{number}. " if number else "") + self._line(node)

    def write_caption(self, node: nodes.Element) -> str:
        number = self.number(node.parent)
        return (f"**{number}** " if number else "") + self._line(node)

    def write_math_block(self, node: nodes.math_block) -> str:
        number = self.number(node)
        tag = rf" \tag{{{number}}}" if number else ""
        return f"$$\n{node.astext().strip()}{tag}\n$$"

    def write_literal_block(self, node: nodes.literal_block) -> str:
        return _fenced(f"{node.get('language', '')}\n{node.astext().rstrip()}\n", "```")

    def write_raw(self, node: nodes.raw) -> str:
        """HTML, unless a cell has put it out: then it is seen there."""
        return "" if "output" in node["classes"] else node.astext()

    def write_block_quote(self, node: nodes.Element) -> str:
        return indent(self._blocks(node), "> ", lambda line: True)

    def write_Admonition(self, node: nodes.Element) -> str:
        if "dropdown" not in node["classes"]:
            return self.write_block_quote(node)
        summary, content = escape(node[0].astext()), self._blocks(node[1:])
        return f"<details><summary>{summary}</summary>\n\n{content}\n\n</details>"

    # ------------------------------------------------------------ lists and tables

    def write_bullet_list(self, node: nodes.Element) -> str:
        return "\n".join(f"- {_hanging(self(item), 2)}" for item in node)

    write_definition_list = write_bullet_list

    def write_definition_list_item(self, node: nodes.Element) -> str:
        return ": ".join(map(self, node))

    def write_enumerated_list(self, node: nodes.enumerated_list) -> str:
        items = enumerate(map(self, node), node.get("start", 1))
        return "\n".join(f"{number}. {_hanging(item, 3)}" for number, item in items)

    def write_tgroup(self, node: nodes.tgroup) -> str:
        """The rows of a table; Markdown wants headings, if only empty ones."""
        rows = [[" ".join(self(cell).split()) for cell in row] for row in node.findall(nodes.row)]
        if not any(node.findall(nodes.thead)):
            rows.insert(0, [""] * len(rows[0]))
        rows.insert(1, ["---"] * len(rows[0]))
        return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _fenced(text: str, fence: str) -> str:
    """Code between fences that are longer than any within it."""
    while fence in text:
        fence += "`"
    return f"{fence}{text}{fence}"


def _hanging(text: str, width: int) -> str:
    return indent(text, " " * width).lstrip()
