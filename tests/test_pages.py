"""The text of the book's own pages, in two languages."""

import re

from rnnbook.data.pages import digest, load_pages, plain


def test_the_pages_are_there_in_both_languages():
    pairs = load_pages()
    assert len(pairs) > 900
    assert not any(re.search("[ぁ-んァ-ヶ]", english) for english, _ in pairs)
    japanese = "".join(text for _, text in pairs)
    assert len(re.findall("[ぁ-んァ-ヶ一-龠]", japanese)) > 0.7 * len(japanese)


def test_formulas_code_and_quoted_numbers_are_left_out():
    text = "A **state** $h_t$ is `h` in [](lstm.md): {glue:text}`loss:.2f` nats, [so](x.md)."
    assert plain(text) == "A state is in : nats, so."
    assert not any(re.search(r"[$`{}]", text) for pair in load_pages() for text in pair)


def test_the_digest_is_that_of_the_text(monkeypatch):
    from rnnbook.data import pages

    before = digest()
    assert digest() == before
    monkeypatch.setattr(pages, "load_pages", lambda: [("one", "一")])
    assert digest() != before
