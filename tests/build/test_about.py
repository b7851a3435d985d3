"""What a chapter is about: shown under its title, and found by its terms."""

import re

import pytest
from bs4 import BeautifulSoup

from test_build import Book

ABOUT = """
```{about} alphabet soup, 文字のスープ
:minutes: 40

Letters, in a soup
```
"""


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    book = Book(tmp_path_factory.mktemp("miniature"))
    text = (book.folder / "alpha.md").read_text("utf-8")
    title = re.search(r"(?m)^# .+\n", text)
    book.write("alpha.md", text[: title.end()] + ABOUT + text[title.end() :])
    book.build()
    return book


def test_the_line_stands_under_the_title(book):
    (line,) = BeautifulSoup(book.page("alpha"), "html.parser").select("p.about")
    assert line.get_text() == "Letters, in a soup"
    assert line.find_previous_sibling().name == "h1"


def test_its_terms_are_main_entries_of_the_index(book):
    index = (book.folder / "_build/html/searchindex.js").read_text("utf-8")
    pages = re.search(r'"?docnames"?:\s*\[(.*?)\]', index)[1].replace('"', "").split(", ")
    for term in ("alphabet soup", "文字のスープ"):
        escaped = term if term.isascii() else term.encode("unicode_escape").decode()
        (entry,) = re.findall(
            rf'"(?:{term}|{re.escape(escaped)})":\s*\[\[(\d+), "", true\]\]', index
        )
        assert pages[int(entry)] == "alpha"


def test_it_says_how_long_the_page_takes(book):
    book.edit("alpha.md", ":minutes: 40\n", "")
    code, output, _executed = book.try_to_build()
    assert code != 0 and "how many minutes" in output
