"""The front page: a picture, the contents as cards, and no sidebar."""

import re

import pytest
from bs4 import BeautifulSoup

from built import ROOT

CHAPTERS = [
    path.stem
    for path in sorted((ROOT / "book").glob("*.md"))
    if "```{about}" in path.read_text("utf-8")
]


def soup(path):
    return BeautifulSoup(path.read_text("utf-8"), "html.parser")


@pytest.mark.parametrize("edition", ["", "ja/"])
def test_each_chapter_has_a_card(edition, html):
    cards = soup(html / f"{edition}book/index.html").select(".cards li > p > a")
    assert [int(card.select_one(".number").text) for card in cards] == list(range(1, 21))
    assert {card["href"].removesuffix(".html") for card in cards} == set(CHAPTERS)
    for card in cards:
        page = soup(html / f"{edition}book/{card['href']}")
        number, title = card.select_one(".number").text, card.select_one(".title").text
        assert page.h1.get_text().removesuffix("#") == f"{number}. {title}"
        assert card.select_one(".about").text == page.select_one("p.about").text
        assert str(card.svg) == str(page.select_one("main > svg"))


def test_the_minutes_of_a_card_are_those_that_the_chapter_names(html):
    for card in soup(html / "book/index.html").select(".cards a"):
        source = (ROOT / "book" / card["href"].replace(".html", ".md")).read_text("utf-8")
        (minutes,) = re.findall(r"\*\*You need\*\*.*?(\d+) minutes", source)
        assert card.select_one(".minutes").text == f"{minutes} min"


def test_drawings_have_no_colours_of_their_own():
    for path in (ROOT / "book/figures/vignettes").glob("*.svg"):
        assert path.stem in CHAPTERS
        assert path.stat().st_size < 1000
        assert not re.search(r"fill=|stroke=|style|#|font", path.read_text("utf-8")), path


@pytest.mark.parametrize("edition", ["", "ja/"])
def test_the_cover_stands_without_a_sidebar_and_the_menu_opens_it(edition, page, html):
    page.set_viewport_size({"width": 1280, "height": 800})
    page.goto((html / f"{edition}book/index.html").as_uri())
    assert page.locator(".strokes g").count() == 12
    sheet, title = page.locator(".strokes").bounding_box(), page.locator("h1").bounding_box()
    assert sheet["x"] > title["x"] + title["width"] and sheet["y"] < 400
    assert not page.locator("#contents").is_visible()
    page.locator(".menu").click()
    assert page.locator("#contents").is_visible()
    assert page.problems == []


def test_who_asks_for_less_motion_sees_all_strokes_at_once(page, html):
    page.emulate_media(reduced_motion="reduce")
    page.goto((html / "book/index.html").as_uri())
    assert page.evaluate("document.getAnimations().length") == 0


def test_the_contents_show_where_one_is(page, html):
    page.set_viewport_size({"width": 1280, "height": 600})
    page.goto((html / "book/recall.html").as_uri())
    place, menu = (
        page.locator(what).bounding_box() for what in ("#contents .current > a", "#contents")
    )
    assert menu["y"] < place["y"] < menu["y"] + menu["height"]


def test_titles_have_the_served_font_in_english_alone(page, html):
    (font,) = (html / "_static").glob("titles-*.woff2")
    assert font.stat().st_size < 60_000
    page.goto((html / "book/lstm.html").as_uri())
    assert (
        page.evaluate("document.fonts.load('600 20px Titles').then((found) => found.length)") == 1
    )
    assert font.name not in (html / "ja/book/lstm.html").read_text("utf-8")
