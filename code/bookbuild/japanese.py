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


def keep_numbers(parent: nodes.Element) -> None:
    """Keep numbers and counters together in all text below a node, but for code and formulas."""
    last = ""  # character of what stands before, such as of a number that is quoted
    for position, child in enumerate(parent.children):
        if isinstance(child, nodes.Text):
            parent[position] = nodes.Text(keep_together(last + child)[len(last) :])
        elif not isinstance(child, AS_WRITTEN):
            keep_numbers(child)
        last = child.astext()[-1:]


class KeepNumbers(SphinxPostTransform):
    default_priority = 700  # before marks are kept with the formulas before them
    formats = ("html",)

    def run(self) -> None:
        if self.config.language == "ja":
            keep_numbers(self.document)


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
