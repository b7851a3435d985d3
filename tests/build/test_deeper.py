"""What a first reader may leave out: folded on a page behind its result, open in a notebook."""

import nbformat
import pytest
from bs4 import BeautifulSoup

from test_build import Book

PLACE = "## A place\n\nNothing is wrong."
RESULT = "The result is {glue:text}`alpha-answer:.0f`, as [elsewhere](beta.md)."
CELL = '```{code-cell} python\nprint("a cell")\n```'
INSIDE = f"Nothing is wrong.\n\n{CELL}\n\n### Still deeper\n\nAll is well.\n\n## Behind it\n\nOn."


def begun(arguments: str, content: str = RESULT) -> str:
    return f"## A place\n\n```{{deeper}} {arguments}\n{content}\n```"


@pytest.fixture(scope="module")
def folded(tmp_path_factory):
    book = Book(tmp_path_factory.mktemp("miniature"))
    book.edit("alpha.md", PLACE, f"{begun('6')}\n\n{INSIDE}")
    book.build()
    return book


def test_a_page_shows_its_title_and_its_result_and_folds_the_rest(folded):
    page = BeautifulSoup(folded.page("alpha"), "html.parser")
    section = page.select_one("section#a-place")
    fold = section.find("details", recursive=False)
    assert fold.summary.get_text() == "Deeper, 6 min"
    assert [part.get_text().strip() for part in fold.select(".cell_output, h3")] == [
        "a cell",
        "Still deeper#",
    ]
    assert "Nothing is wrong" in fold.get_text() and "On." not in fold.get_text()
    fold.extract()
    assert section.get_text(" ", strip=True) == "A place # The result is 42 , as elsewhere ."
    assert section.select_one("a[href='beta.html']")


def test_a_notebook_has_it_open(folded):
    (path,) = folded.folder.glob("_build/html/_notebooks/alpha.ipynb")
    cells = [cell.source for cell in nbformat.read(path, as_version=4).cells]
    at = cells.index('print("a cell")')
    assert cells[at - 1].split("\n\n")[-4:] == [
        "## A place",
        "The result is 42, as elsewhere.",
        "*Deeper, 6 min*",
        "Nothing is wrong.",
    ]
    assert cells[at + 1].startswith("### Still deeper")
    assert not any("details class" in cell or "deeper>" in cell for cell in cells)


@pytest.mark.parametrize(
    "source, complaint",
    [
        (begun("six"), "minutes are wanted, not 'six'"),
        (begun("6", ""), "Content block expected"),
        (begun("6").replace("e\n\n", "e\n\nNothing.\n\n"), "alpha: `deeper` does not begin"),
        (f"> {begun('6')}".replace("\n", "\n> "), "alpha: `deeper` does not begin"),
    ],
)
def test_what_folds_nothing_is_an_error(source, complaint, tmp_path):
    book = Book(tmp_path)
    book.edit("alpha.md", PLACE, f"{source}\n\n{INSIDE}")
    code, output, _ = book.try_to_build()
    assert code != 0 and complaint in output.replace("\n", " ")
