"""The comments of code cells: in another language, beside the same code."""

import re

import jupytext
import nbformat
import pytest
from bs4 import BeautifulSoup

from bookbuild.catalogues import messages
from bookbuild.comments import comments, translated
from built import ROOT

COMMENTS = ROOT / "book/locale/ja/LC_MESSAGES/comments.po"
SOURCES = {
    path.stem: text
    for path in sorted((ROOT / "book").glob("*.md"))
    if "jupytext:" in (text := path.read_text("utf-8"))
}
CODE = """\
h = W @ x  # the state
# two words
print("# the state", h)  #: a note
"""


def test_words_for_comments_and_the_same_code():
    words = {"the state": "状態", "two words": "二語", "a note": "注"}
    expected = CODE.replace("x  # the state", "x  # 状態").replace("# two words", "# 二語")
    assert translated(CODE, words) == expected
    assert translated(CODE, {}) == CODE


def shown(chapter: str) -> list[str]:
    cells = jupytext.reads(SOURCES[chapter], "md:myst").cells
    return [
        cell.source
        for cell in cells
        if cell.cell_type == "code" and "remove-cell" not in cell.metadata.get("tags", ())
    ]


def test_every_comment_in_words_is_in_the_catalogue_and_no_other():
    used = {words for chapter in SOURCES for code in shown(chapter) for *_, words in comments(code)}
    known = {one.id for one in messages(COMMENTS)}
    assert {words for words in used if re.search("[a-z]{3}", words)} - known == set()
    assert known - used == set()


def plain(code: str) -> str:
    """Code without its comments."""
    lines = code.strip().split("\n")
    for line, column, _ in comments("\n".join(lines)):
        lines[line] = lines[line][:column]
    return "\n".join(lines)


@pytest.mark.parametrize("chapter", SOURCES)
def test_both_editions_have_the_same_code(chapter, html):
    def cells(page):
        inputs = re.findall(r'(?s)<div class="cell_input.*?</pre>', page.read_text("utf-8"))
        soup = BeautifulSoup("".join(inputs), "html.parser")
        return [block.get_text() for block in soup.select(".cell_input pre")]

    def notebook(page):
        found = nbformat.read(page, as_version=4).cells
        return [cell.source for cell in found[1:] if cell.cell_type == "code"]

    new = {one.id for one in messages(COMMENTS) if one.string != one.id}
    for read, path in (
        (cells, f"book/{chapter}.html"),
        (notebook, f"_notebooks/{chapter}.ipynb"),
    ):
        english, japanese = (read(html / folder / path) for folder in (".", "ja"))
        assert [*map(plain, english)] == [*map(plain, japanese)]
        changed = [one != other for one, other in zip(english, japanese, strict=True)]
        assert changed == [any(words in new for *_, words in comments(one)) for one in english]
