"""The live figure of the pen, in a browser."""

import math
import re
from itertools import pairwise

import pytest
import torch

from demo_examples import PART, pen_writer, small_pen, stop_the_clock
from rnnbook.data.kanji_strokes import known_before, movements, thinned
from rnnbook.demos.weights import quantised
from rnnbook.models.kanji import Pen

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def still(show, page):
    """Open the figure of a pen, with a clock that stands still: it has not begun to write."""

    def open_page(model=None, **settings):
        stop_the_clock(page)
        return show(pen_writer(model, **settings))

    return open_page


def strokes(page, among=".square polyline") -> list[list[tuple[float, ...]]]:
    lines = page.locator(among).evaluate_all("nodes => nodes.map(n => n.getAttribute('points'))")
    return [[tuple(map(float, p.split(","))) for p in line.split(" ")] for line in lines]


def expected(model, begin) -> list[tuple[float, ...]]:
    """Weight, centre, both radii and the angle of each Gaussian after some strokes."""
    rows = movements(begin)[None, :-1]
    with torch.no_grad():
        mixture, _, _ = model(known_before(rows))
    weight, mean, log_spread, slant = (part[0, -1].double() for part in mixture)
    place = rows[0, :, :2].sum(dim=0)
    found = []
    for m in range(len(weight)):
        a, c = (2 * log_spread[m]).exp()
        b = slant[m] * (a * c).sqrt()
        (small, large), axes = torch.linalg.eigh(torch.tensor([[a, b], [b, c]]))
        x, y = (54.5 + 15 * (place + mean[m])).tolist()
        along = axes[:, 1]
        angle = math.degrees(math.atan2(along[1], along[0])) % 180
        radii = (15 * large.sqrt()).item(), (15 * small.sqrt()).item()
        found.append((weight[m].exp().item(), x, y, *radii, angle))
    return found


def ellipses(page) -> list[tuple[float, ...]]:
    found = []
    for one in page.locator(".square ellipse").all():
        cx, cy, rx, ry = (float(one.get_attribute(name)) for name in ("cx", "cy", "rx", "ry"))
        angle = float(re.search(r"rotate\((\S+)", one.get_attribute("transform"))[1]) % 180
        weight = float(one.get_attribute("style").split(":")[1])
        found.append((weight, cx, cy, rx, ry, angle))
    return found


def test_it_expects_what_torch_expects(still):
    """Before the first movement, and after the strokes of a part: all Gaussians."""
    model = small_pen()
    page = still(model)
    page.get_by_role("button", name="Pause").click()
    for begin in ([], PART):
        if begin:
            page.get_by_role("button", name="Begin with 十").click()
            page.get_by_role("button", name="Pause").click()
            assert strokes(page) == [list(stroke) for stroke in PART]
        for here, there in zip(ellipses(page), expected(model, begin), strict=True):
            assert here == pytest.approx(there, abs=1e-3, rel=1e-4)


def test_a_movement_draws_a_line_or_begins_another_stroke(still):
    page = still()
    page.get_by_role("button", name="Pause").click()
    points = [sum(map(len, strokes(page)))]
    for _ in range(3):
        page.get_by_role("button", name="One movement").click()
        points.append(sum(map(len, strokes(page))))
    assert points[0] == 0 and points[-1] >= 3
    assert page.locator(".status").inner_text().startswith("Stroke ")


def cold_pen() -> Pen:
    """It goes to the right by one and down by a half, three times out of four, and then up."""
    model = small_pen()
    with torch.no_grad():
        for weight in model.parameters():
            weight.zero_()
        # two likely Gaussians and one that is not; narrow
        model.head.bias[:3] = torch.tensor([3.0, 1.9, -30.0])
        model.head.bias[3:6] = torch.tensor([1.0, -1.0, 0.0])
        model.head.bias[6:9] = torch.tensor([0.5, -0.5, 0.0])
        model.head.bias[9:15] = -5.0
        model.head.bias[-3:] = torch.tensor([2.0, 1.0, -30.0])
    return quantised(model)


def test_it_draws_from_what_it_expects(still):
    """Of many movements, the share that goes to the right, and of those that lift the pen."""
    page = still(cold_pen(), temperature=1.0)
    page.get_by_role("button", name="Pause").click()
    page.evaluate("""() => {
        const one = [...document.querySelectorAll("button")].find(
            (key) => key.textContent === "One movement");
        for (let k = 0; k < 190; k++) one.click();
    }""")
    drawn = strokes(page)
    drawn = [s[:1] if s == 2 * s[:1] else s for s in drawn]  # a dot is drawn as a line
    points = [point for stroke in drawn for point in stroke]
    steps = [(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(points)]
    right = sum(dx > 0 for dx, _ in steps) / len(steps)
    assert all(abs(abs(dx) - 15) < 1 and abs(abs(dy) - 7.5) < 1 for dx, dy in steps)
    assert abs(right - 1 / (1 + math.exp(-1.1))) < 0.12
    assert abs(len(drawn) / len(points) - 1 / (1 + math.e)) < 0.1


def test_a_cold_pen_does_the_likeliest(still):
    page = still(cold_pen(), temperature=0.05)
    page.get_by_role("button", name="Pause").click()
    for _ in range(12):
        page.get_by_role("button", name="One movement").click()
    (first, *_), points = strokes(page), [p for s in strokes(page) for p in s]
    assert len(first) >= 10 and all(b[0] > a[0] for a, b in pairwise(points))


def test_it_writes_by_itself_and_can_be_paused(still):
    page = still()
    page.clock.run_for(500)
    before = strokes(page)
    assert before
    page.get_by_role("button", name="Pause").click()
    now = strokes(page)
    page.clock.run_for(1000)
    assert strokes(page) == now
    page.get_by_role("button", name="Write").click()
    page.clock.run_for(20_000)
    assert len(strokes(page)) >= len(now)
    assert re.fullmatch(r"\d+ strokes\.", page.locator(".status").inner_text())
    assert page.get_by_role("button", name="Write").is_visible()
    assert page.locator(".square ellipse").count() == 0  # nothing is expected any more


def write_by_hand(page, points) -> None:
    box = page.locator(".square").bounding_box()
    unit = box["width"] / 109
    page.mouse.move(box["x"] + points[0][0] * unit, box["y"] + points[0][1] * unit)
    page.mouse.down()
    for x, y in points[1:]:
        page.mouse.move(box["x"] + x * unit, box["y"] + y * unit, steps=6)
    page.mouse.up()


def test_the_reader_draws_strokes_and_the_pen_goes_on(still):
    model = small_pen()
    page = still(model)
    page.clock.run_for(30_000)
    write_by_hand(page, [(20, 30), (60, 32), (62, 80)])
    (stroke,) = strokes(page)
    assert len(stroke) == 3  # what the pen had written made room; the corner is left
    corners = [pytest.approx(p, abs=1) for p in [(20, 30), (60, 32), (62, 80)]]
    assert [*map(tuple, stroke)] == corners
    write_by_hand(page, [(80, 20), (80, 90)])
    assert len(strokes(page)) == 2 and page.locator(".own").count() == 2
    for here, there in zip(ellipses(page), expected(model, strokes(page)), strict=True):
        assert here == pytest.approx(there, abs=0.2, rel=0.02)  # the page shows tenths
    given = strokes(page)
    page.get_by_role("button", name="Write").click()
    page.clock.run_for(30_000)
    assert strokes(page)[0] == given[0] and page.locator(".own").count() == 2
    page.get_by_role("button", name="Another one").click()
    page.clock.run_for(30_000)
    assert strokes(page)[0] == given[0]
    for _ in range(10):  # the pen may go on with the last stroke, and takes nothing of it over
        page.get_by_role("button", name="Another one").click()
        assert strokes(page) == given
        page.clock.run_for(30_000)
    page.get_by_role("button", name="Clear").click()
    assert strokes(page) == []


def test_a_touch_is_no_stroke(still):
    page = still()
    page.get_by_role("button", name="Pause").click()
    box = page.locator(".square").bounding_box()
    page.mouse.click(box["x"] + 50, box["y"] + 50)
    assert strokes(page) == []


def test_strokes_of_the_reader_are_thinned_as_those_of_the_training(still):
    page = still()
    page.clock.run_for(30_000)
    line = [(10 + 4 * k, 50 + 20 * math.sin(k / 2)) for k in range(20)]
    write_by_hand(page, line)
    (stroke,) = strokes(page)
    few = thinned(line, 1.2)
    assert 5 <= len(stroke) < 20 and abs(len(stroke) - len(few)) <= 2


def test_twenty_at_once_begin_like_the_large_one(still):
    page = still()
    page.get_by_role("button", name="Begin with 十").click()
    page.get_by_role("button", name="Pause").click()
    page.get_by_role("button", name="Twenty at once").click()
    for _ in range(200):
        page.clock.run_for(100)
        if page.locator(".twenty svg").count() == 20:
            break
    page.clock.run_for(1000)
    assert page.locator(".twenty svg").count() == 20
    sheet = [strokes(page, f".twenty svg:nth-child({k}) polyline") for k in range(1, 21)]
    assert all(one[0] == list(PART[0]) for one in sheet)
    assert len(set(map(str, sheet))) > 10


def test_where_motion_is_unwelcome_it_is_there_at_once(show, page):
    page.emulate_media(reduced_motion="reduce")
    page = show(pen_writer())
    assert strokes(page) and page.get_by_role("button", name="Write").is_visible()
