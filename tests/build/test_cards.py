"""Cards at the end of chapters, and the page with all of them."""

import pytest
from bs4 import BeautifulSoup

from test_build import Book

CARD = """
## Card

(a-formula)=
````{chapter-card}
The answer is {glue:text}`alpha-answer:.0f`, as in [](beta.md); $x_t$ has the shape $(B, D)$.

$$
h = x
$$

```python
h, _ = layer(x)
```
````
"""


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    book = Book(tmp_path_factory.mktemp("miniature"))
    book.edit("_toc.yml", "{file: claims}", "{file: claims}, {file: deck/cards}")
    book.write("deck/cards.md", "# All cards\n\n```{chapter-cards}\n```\n")
    book.edit("alpha.md", "```{checked}", f"{CARD}\n```{{checked}}")
    book.build()
    return book


def cards(book, page):
    return BeautifulSoup(book.page(page), "html.parser").select(".card")


def test_a_card_stands_in_its_chapter_and_on_the_page_of_all(book):
    for page, beta in (("alpha", "beta.html"), ("deck/cards", "../beta.html")):
        (card,) = cards(book, page)
        assert "The answer is 42, as in Beta" in card.get_text()
        assert card.select_one("a")["href"] == beta
        assert len(card.select("div.math")) == 1 and "layer" in card.pre.get_text()
    assert not card.select("[id]")


def test_the_page_of_all_leads_to_the_chapter(book):
    section = cards(book, "deck/cards")[0].find_parent("section")
    assert section["id"] == "card-alpha"
    assert section.h2.a["href"] == "../alpha.html" and section.h2.a.get_text() == "Alpha"


def test_a_change_of_a_card_changes_the_page_of_all(book):
    book.edit("alpha.md", "h = x", "h = x + 1")
    book.edit("alpha.md", "as in [](beta.md)", "which is new")
    assert book.build() == set()
    (card,) = cards(book, "deck/cards")
    assert "which is new" in card.get_text()
