"""The live figure that says what it sees, in a browser: parts of the picture are covered."""

import pytest
import torch

from demo_examples import seer, stop_the_clock
from picture_examples import FIRST, by_torch, choose, press, said, seen, some_pictures, status

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def still(show, page):
    """Open the figure with a clock that stands still."""
    stop_the_clock(page)
    return show(seer())


def drag(page, *points: tuple[float, float]) -> None:
    """From pixel to pixel of the large picture, with few events on the way."""
    box = page.locator(".pad").bounding_box()
    first, *others = [
        (box["x"] + x * box["width"] / 40, box["y"] + y * box["height"] / 40) for x, y in points
    ]
    page.mouse.move(*first)
    page.mouse.down()
    for point in others:
        page.mouse.move(*point)
    page.mouse.up()


def test_what_is_covered_is_white_and_changes_the_caption(still):
    pixels = some_pictures()[0].pixels
    drag(still, (6, 20), (30, 20))
    expected = pixels.clone()
    expected[:, 18:23, 4:33] = 255
    assert (seen(still) == expected).float().mean() > 0.98  # but for a row at the edge
    for y in range(2, 40, 4):
        drag(still, (2, y), (38, y))
    words, _, _, whole = by_torch(seen(still), [0])
    assert words != tuple(FIRST)
    still.clock.run_for(20_000)
    assert said(still) == list(words)
    assert still.locator(".status").inner_text() == status(" ".join(words), whole)
    press(still, "Uncover")
    assert torch.equal(seen(still), pixels)
    still.clock.run_for(20_000)
    assert said(still) == FIRST


def test_it_is_written_anew_after_each_stroke_and_another_picture_is_not_covered(still):
    drag(still, (10, 10), (11, 10))
    assert said(still) == []
    still.clock.run_for(460)
    assert len(said(still)) == 1
    choose(still, 1)
    choose(still, 0)
    assert torch.equal(seen(still), some_pictures()[0].pixels)


def test_nothing_is_covered_by_a_pointer_that_is_not_down(still):
    drag(still, (10, 10), (11, 10))
    before = seen(still)
    box = still.locator(".pad").bounding_box()
    still.mouse.move(box["x"] + 100, box["y"] + 200)
    assert torch.equal(seen(still), before)


def test_while_one_covers_nothing_lies_over_the_picture(still):
    box = still.locator(".pad").bounding_box()
    press(still, "One word")
    assert still.locator(".look").is_visible()
    still.mouse.move(box["x"] + 50, box["y"] + 50)
    still.mouse.down()
    assert not still.locator(".look").is_visible()
    still.mouse.up()


def test_one_covers_with_the_keyboard(still):
    pixels = some_pictures()[0].pixels
    still.locator(".pad").focus()
    assert still.locator(".cursor").is_visible()
    for key in ["ArrowLeft"] * 9 + ["ArrowUp"] * 9 + ["ArrowRight", "ArrowDown", "ArrowDown"]:
        still.keyboard.press(key)
    assert torch.equal(seen(still), pixels) and said(still) == FIRST
    still.keyboard.press(" ")
    pixels = pixels.clone()
    pixels[:, 10:15, 5:10] = 255
    assert torch.equal(seen(still), pixels) and said(still) == []


def test_one_covers_with_a_finger(visitor, tmp_path):
    page = visitor(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    path = tmp_path / "page.html"
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    html = f'<!doctype html><html lang="en">{head}<body>{seer()._repr_html_()}'
    path.write_text(html, "utf-8")
    page.goto(path.as_uri())
    pad = page.locator(".pad")
    pad.scroll_into_view_if_needed()
    assert pad.evaluate("node => getComputedStyle(node).touchAction") == "none"
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    before, box = seen(page), pad.bounding_box()
    page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    covered = (seen(page) != before).any(dim=0)
    rows, columns = covered.any(dim=1).sum(), covered.any(dim=0).sum()
    assert (rows, columns) == (5, 5)
