"""The text of the book's own pages, in two languages."""

import re

from bookbuild.catalogues import pairs, plain
from conftest import ROOT
from rnnbook.data import pages
from rnnbook.data.pages import digest, load_pages


def test_the_pages_are_there_in_both_languages():
    found = load_pages()
    assert len(found) > 900 and all(len(pair) == 2 for pair in found)
    assert not any(re.search("[ぁ-んァ-ヶ]", english) for english, _ in found)
    japanese = "".join(text for _, text in found)
    assert len(re.findall("[ぁ-んァ-ヶ一-龠]", japanese)) > 0.7 * len(japanese)


def test_formulas_code_and_quoted_numbers_are_left_out():
    text = "A **state** $h_t$ is `h` in [](lstm.md): {glue:text}`loss:.2f` nats, [so](x.md)."
    assert plain(text) == "A state is in : nats, so."
    assert not any(re.search(r"[$`{}]", text) for pair in load_pages() for text in pair)


def test_a_copy_can_be_made_of_the_catalogues_of_today():
    today = list(pairs(ROOT / "book/locale/ja/LC_MESSAGES/book"))
    assert len(today) > 900
    assert not any("\t" in text or "\n" in text for pair in today for text in pair)


def test_the_digest_is_that_of_the_copy(monkeypatch, tmp_path):
    before = digest()
    assert digest() == before
    monkeypatch.setattr(pages, "COPY", tmp_path / "pages.tsv")
    (tmp_path / "pages.tsv").write_text("one\t一\n", "utf-8")
    assert load_pages() == [("one", "一")] and digest() != before
