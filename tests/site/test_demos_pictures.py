"""The live figure that says what it sees, in a browser: words, languages, and where it looks."""

import base64
from itertools import product

import pytest
import torch
from playwright.sync_api import expect

from built import ROOT
from demo_examples import seer, stop_the_clock
from picture_examples import (
    FIRST,
    by_torch,
    choose,
    compare,
    press,
    said,
    seen,
    shades,
    some_pictures,
    status,
)
from rnnbook.data.picture_captions import LANGUAGES
from rnnbook.demos.pictures import encode

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def still(show, page):
    """Open the figure with a clock that stands still."""
    stop_the_clock(page)
    return show(seer())


def test_a_picture_is_kept_pixel_by_pixel():
    picture = some_pictures()[0]
    pixels = base64.b64decode(encode(picture)["pixels"])
    assert torch.equal(
        torch.tensor([*pixels]).view(40, 40, 3).permute(2, 0, 1), picture.pixels.long()
    )


def test_it_opens_with_the_first_picture_and_its_whole_caption(still):
    assert said(still) == FIRST
    assert torch.equal(seen(still), some_pictures()[0].pixels)
    right = still.locator(".right")
    assert right.is_visible() and "man farmer sees red" in right.inner_text()
    assert "男農家赤" in right.inner_text()
    assert still.locator(".gallery [aria-pressed=true]").count() == 1


def test_one_chooses_a_picture_and_it_writes_a_word_at_a_time(still):
    choose(still, 1)
    assert torch.equal(seen(still), some_pictures()[1].pixels)
    assert said(still) == [] and not still.locator(".right").is_visible()
    still.clock.run_for(460)
    assert said(still) == ["woman"] and not still.locator(".right").is_visible()
    press(still, "Pause")
    still.clock.run_for(5000)
    assert said(still) == ["woman"]
    press(still, "One word")
    assert said(still) == ["woman", "cook"]
    press(still, "Write")
    still.clock.run_for(5000)
    assert said(still) == ["woman", "cook"] and still.locator(".right").is_visible()
    assert "女料理" in still.locator(".right").inner_text()
    press(still, "One word")
    assert said(still) == ["woman"]  # anew


def test_pictures_have_names_in_both_languages(still):
    for k, picture in enumerate(some_pictures()):
        key = still.locator(".gallery button").nth(k)
        for code, language in LANGUAGES.items():
            (caption,) = getattr(picture, language.name)
            assert key.locator(f"[lang={code}]").text_content() == caption


def test_in_the_other_language_it_says_all_anew(still):
    press(still, "日本語")
    assert said(still) == []
    still.clock.run_for(5000)
    assert "".join(said(still)) == "男農家赤"
    assert still.locator(".caption .labelled").all_inner_texts() == ["日本語"]


@pytest.mark.parametrize("running", [True, False])
def test_in_the_middle_it_goes_on_in_the_other_language(running, still):
    pixels = some_pictures()[0].pixels
    words, _, _, whole = by_torch(pixels, [0, 1])
    assert words != by_torch(pixels, [0])[0] and words != by_torch(pixels, [1])[0]
    choose(still, 0)
    still.clock.run_for(460)
    if not running:
        press(still, "Pause")
    press(still, "日本語")
    assert said(still) == FIRST[:1]
    if not running:
        still.clock.run_for(5000)
        assert said(still) == FIRST[:1]
        press(still, "Write")
    still.clock.run_for(20_000)
    assert said(still) == list(words)
    assert still.locator(".caption .labelled").all_inner_texts() == ["English", "日本語"]
    sentence = f"{words[0]} {''.join(words[1:])}"
    assert still.locator(".status").inner_text() == status(sentence, whole)


def test_a_word_shows_where_the_network_looked(still):
    """Pointed at, chosen, or reached with an arrow key; and one head alone."""
    words, shares, looks, whole = by_torch(some_pictures()[0].pixels, [0])
    keys = still.locator(".caption button")
    assert not still.locator(".look").is_visible()  # the whole caption has been said
    assert still.locator(".status").inner_text() == status(" ".join(words), whole)
    choose(still, 0)
    still.clock.run_for(460)
    compare(shades(still), looks[0].mean(dim=0))  # the latest word
    still.clock.run_for(20_000)
    keys.nth(1).hover()
    compare(shades(still), looks[1].mean(dim=0))
    assert still.locator(".status").inner_text() == status(words[1], shares[1])
    keys.nth(2).click()
    compare(shades(still), looks[2].mean(dim=0))
    assert still.locator(".caption [aria-pressed=true]").all_inner_texts() == [words[2]]
    still.mouse.move(0, 0)
    still.keyboard.press("ArrowLeft")
    expect(keys.nth(1)).to_be_focused()
    compare(shades(still), looks[1].mean(dim=0))
    for head in range(4):
        still.get_by_label("Head").select_option(str(head))
        compare(shades(still), looks[1][head])
    row, column = divmod(looks[1][3].argmax().item(), 10)
    assert still.locator(".look").get_attribute("aria-label") == (
        f"It looks most at row {row + 1}, column {column + 1} of ten."
    )


def test_in_a_japanese_page_it_begins_in_japanese(show, page):
    stop_the_clock(page)
    page = show(seer(), language="ja")
    assert "".join(said(page)) == "男農家赤"


def test_where_motion_is_unwelcome_it_writes_at_once(show, page):
    page.emulate_media(reduced_motion="reduce")
    stop_the_clock(page)
    page = show(seer())
    choose(page, 1)
    assert said(page) == ["woman", "cook"]


def test_a_long_caption_is_not_too_wide(still):
    for k in range(40):
        if k % 8 == 0:
            press(still, ["日本語", "English"][k // 8 % 2])
        press(still, "One word")
    for width, theme in product((390, 1000), ("light", "dark")):
        still.set_viewport_size({"width": width, "height": 900})
        still.evaluate("theme => { document.documentElement.dataset.theme = theme; }", theme)
        assert still.evaluate("document.documentElement.scrollWidth") <= width
        assert still.locator(".sheet.picture").bounding_box()["width"] == 240
        folder = ROOT / "_build" / "screenshots"  # to be looked at
        still.screenshot(path=folder / f"pictures-{width}-{theme}.png", full_page=True)
