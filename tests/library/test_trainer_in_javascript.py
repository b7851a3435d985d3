"""What the live figure that trains draws of its numbers, without a browser."""

import json

import pytest
from py_mini_racer import MiniRacer

from rnnbook.demos.kinds import JS


@pytest.fixture(scope="module")
def javascript():
    context = MiniRacer()
    of_the_page = "const say = (words) => words, demos = () => {};"
    context.eval(of_the_page + (JS / "trainer.js").read_text("utf-8"))
    return lambda expression: json.loads(context.eval(f"JSON.stringify({expression})"))


def test_a_score_is_the_mean_of_the_last_twenty_values(javascript):
    assert javascript("recent([...Array(30).fill(1), ...Array(20).fill(0)])") == 0
    assert javascript("recent([1, ...Array(19).fill(0)])") == 1 / 20
    assert javascript("recent([1, 0])") == 1 / 2
    assert javascript("recent([])") == 0


@pytest.mark.parametrize(
    ("group", "expected"),
    [(1, [1, 2, 4, 8, 16]), (2, [None, 1.5, None, 6]), (5, [None] * 4 + [31 / 5]), (6, [])],
)
def test_a_curve_shows_the_mean_of_every_value_of_a_group(group, expected, javascript):
    assert javascript(f"spread([1, 2, 4, 8, 16], {group})") == expected


def test_the_axis_of_steps_is_doubled_until_all_fit(javascript):
    assert javascript("[1, 100, 101, 600].map((steps) => doubled(100, steps))") == [
        100,
        100,
        200,
        800,
    ]
