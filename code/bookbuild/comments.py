"""The comments in code cells, in the language of the edition.

An edition that is not in English has, in its pages and its notebooks, those comments that the
catalogue `comments.po` has in its language. The code is the same, byte for byte.
"""

import io
from tokenize import COMMENT, generate_tokens

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

from bookbuild.catalogues import translations

MARK = "# "


def comments(code: str) -> list[tuple[int, int, str]]:
    """Line and column, from 0, and words of each comment."""
    tokens = generate_tokens(io.StringIO(code).readline)
    found = [one for one in tokens if one.type == COMMENT and one.string.startswith(MARK)]
    return [(one.start[0] - 1, one.start[1], one.string.removeprefix(MARK)) for one in found]


def translated(code: str, words: dict[str, str]) -> str:
    """The same code, with `words` for those of its comments that they translate."""
    lines = code.split("\n")
    for line, column, english in comments(code):
        lines[line] = lines[line][:column] + MARK + words.get(english, english)
    return "\n".join(lines)


class TranslateComments(SphinxPostTransform):
    """Writes the comments of a page's cells."""

    default_priority = 5  # before the code is coloured

    def run(self) -> None:
        words = translations(self.app, "comments")
        for block in self.document.findall(nodes.literal_block) if words else ():
            if "cell_input" in block.parent["classes"]:
                block.rawsource = translated(block.astext(), words)
                block.children = [nodes.Text(block.rawsource)]


def setup(app: Sphinx) -> None:
    app.add_post_transform(TranslateComments)
