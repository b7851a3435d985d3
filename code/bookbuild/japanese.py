"""What the Japanese edition needs of its lines, and style sheets cannot do.

No line ends between a number and its counter, as in 13 個 or 第 3 章. Words are emphasised with
dots beside them, Latin ones with italics; a paragraph that is emphasised as a whole, as the
question of a chapter, has neither.
"""

import re

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

LETTER = "[々ぁ-んァ-ヶ一-龠]"
PARTED = re.compile(rf"(?<=\d) (?={LETTER}|%)|(?<=第) (?=\d)")
AS_WRITTEN = nodes.literal | nodes.literal_block | nodes.math | nodes.math_block | nodes.raw


def keep_together(words: str) -> str:
    """A text in which no line ends between a number and its counter."""
    return PARTED.sub("\N{NO-BREAK SPACE}", words)


def is_text(node: nodes.Node) -> bool:
    """Whether a node is text, and neither code nor a formula."""
    if not isinstance(node, nodes.Text):
        return False
    while node := node.parent:
        if isinstance(node, AS_WRITTEN):
            return False
    return True


class KeepNumbers(SphinxPostTransform):
    default_priority = 700  # before marks are kept with the formulas before them
    formats = ("html",)

    def run(self) -> None:
        if self.config.language != "ja":
            return
        for text in list(self.document.findall(is_text)):
            before = text.parent.children[: text.parent.index(text)]
            last = before[-1].astext()[-1:] if before else ""  # such as of a number that is quoted
            text.parent.replace(text, nodes.Text(keep_together(last + text)[len(last) :]))


class MarkEmphasis(SphinxPostTransform):
    default_priority = 700
    formats = ("html",)

    def run(self) -> None:
        if self.config.language != "ja":
            return
        for emphasis in self.document.findall(nodes.emphasis):
            if not re.search(LETTER, emphasis.astext()):
                emphasis["classes"].append("latin")
            elif len(emphasis.parent) == 1:
                emphasis["classes"].append("whole")


def setup(app: Sphinx) -> None:
    app.add_post_transform(KeepNumbers)
    app.add_post_transform(MarkEmphasis)
