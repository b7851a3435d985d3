"""The pages of the Japanese edition: complete, the same as the English ones, in one language."""

import re
from collections import Counter
from html import unescape
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from built import ROOT

LOCALE = ROOT / "book" / "locale" / "ja"
PAGES = sorted(path.stem for path in (LOCALE / "LC_MESSAGES" / "book").glob("*.po"))
PENDING = (LOCALE / "pending.txt").read_text("utf-8").split()  # a new version is being translated
COMPLETE = [name for name in PAGES if name not in PENDING]

QUOTED = re.compile(
    r"(?s)<(script|style|pre|code|svg|blockquote|cite|template|mjx-container)\b.*?</\1>"
    r'|<(\w+)[^>]* (?:lang="en"|class="pasted-text").*?</\2>'
    r'|<dt class="sig.*?</dt>|<div class="(?:citation|rnn-demo|output|cell_output)\b.*?</div>'
)


@pytest.mark.parametrize("name", [name for name in COMPLETE if name != "references"])
def test_no_english_sentence_is_left(name, html):
    page = (html / f"ja/book/{name}.html").read_text("utf-8")
    body = page[page.index('<div class="body">') : page.index("</main>")]
    text = re.sub(r"<[^>]+>", " ", QUOTED.sub(" ", body))
    left = re.findall(r"(?:\b[A-Za-z’'-]+[ ,;:]+){6,}[A-Za-z’'-]+", text)
    assert left == []


@pytest.mark.parametrize("name", PENDING)
def test_a_page_that_is_being_translated_says_so_and_marks_what_is_english(name, html):
    page = BeautifulSoup((html / f"ja/book/{name}.html").read_text("utf-8"), "html.parser")
    assert "新しい版" in page.select_one("main .admonition.note").get_text()
    assert all(part["lang"] == "en" for part in page.select("main .untranslated"))
    assert page.select("main .untranslated"), "nothing is missing: take it from pending.txt"


@pytest.mark.parametrize("name", COMPLETE)
def test_a_page_that_is_complete_does_not_say_that_it_is_being_translated(name, html):
    page = (html / f"ja/book/{name}.html").read_text("utf-8")
    assert "新しい版" not in page and not re.search(r'class="[^"]*\buntranslated\b', page)


@pytest.mark.parametrize("name", COMPLETE)
def test_alternative_texts_are_japanese(name, html):
    page = (html / f"ja/book/{name}.html").read_text("utf-8")
    texts = re.findall(r'<img[^>]* alt="([^"]*)"', page)
    assert [text for text in texts if not re.search("[ぁ-んァ-ヶ一-龠]", text)] == []


@pytest.mark.parametrize("name", PAGES)
def test_what_a_pointer_or_a_screen_reader_is_told_is_japanese(name, html):
    page = (html / f"ja/book/{name}.html").read_text("utf-8")
    told = {unescape(words) for words in re.findall(r' (?:title|aria-label)="([^"]+)"', page)}
    assert {words for words in told if re.match("[A-Z][a-z]+ [a-z]", words)} == set()


@pytest.mark.parametrize("name", PAGES)
def test_both_editions_have_the_same_figures_formulas_code_and_numbers(name, html):
    def contents(page: Path) -> dict:
        text = page.read_text("utf-8")
        if name == "claims":  # sentences begin elsewhere, so other formulas stand in them
            text = re.sub(r"<math.*?</math>", "", text)
        return {
            "pictures": re.findall(r'<img[^>]*src="[^"]*/([^"/]+)"', text),
            "formulas": Counter(re.findall(r"<math.*?</math>", text)),
            "numbers": Counter(re.findall(r'class="pasted-text">([^<]+)<', text)),
            "code": len(re.findall(r'class="cell_input', text)),
            "headings": len(re.findall(r"<h[1-6]", text)),
            "live figures": re.findall(r'data-demo="(\w+)"', text),
        }

    assert contents(html / f"ja/book/{name}.html") == contents(html / f"book/{name}.html")


@pytest.mark.parametrize(("languages", "offered"), [("ja-JP", True), ("en-GB", False)])
def test_the_front_page_offers_the_other_edition(languages, offered, visitor, html):
    """To a reader whose browser prefers Japanese; nobody is sent there."""
    page = visitor(locale=languages)
    page.goto((html / "book/index.html").as_uri())
    assert page.locator(".offer").is_visible() == offered
    assert page.url.endswith("/book/index.html") and "/ja/" not in page.url
    if offered:
        page.locator(".offer a").click()
        page.wait_for_url("**/ja/book/index.html")
