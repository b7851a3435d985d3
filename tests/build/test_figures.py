"""The words in figures: written anew in another language, at the same place."""

import re

import matplotlib.pyplot as plt
import pytest

from bookbuild.catalogues import messages
from bookbuild.figures import (
    SVG,
    TEXT,
    USE,
    labels,
    pieces,
    read,
    translate,
)
from built import ROOT

FIGURES = ROOT / "book/locale/ja/LC_MESSAGES/figures.po"
WORD = re.compile("[A-Za-z]{3}")
JAPANESE = {"loss": "損失", "training step": "ステップ", "one curve": "曲線", "two": "2"}


@pytest.fixture
def plot(tmp_path):
    """A plot with labels of all kinds."""
    figure, axes = plt.subplots()
    axes.plot([1, 2], [1, 2], label="one curve")
    axes.set(xlabel="training step", ylabel="loss")
    axes.set_yticks([1.5], ["two"])
    axes.text(1, 1, "LSTM")
    axes.legend()
    path = tmp_path / "plot.svg"
    figure.savefig(path)
    plt.close(figure)
    return read(path)


def texts(drawing):
    return {"".join(text.itertext()): text for text in drawing.iter(TEXT)}


def test_labels_are_known_by_the_comments_of_matplotlib(plot):
    assert {"one curve", "training step", "loss", "two", "LSTM"} <= {
        one for one, *_ in labels(plot)
    }


def test_a_label_becomes_text_in_its_place_and_others_stay(plot):
    before = {words: len([*curves.iter(USE)]) for words, _, curves in labels(plot)}
    places = {words: curves.get("transform") for words, _, curves in labels(plot)}
    translate(plot, JAPANESE)
    found = texts(plot)
    assert set(found) == set(JAPANESE.values())
    for english, japanese in JAPANESE.items():
        transform, _, scale = places[english].rpartition(" scale")
        assert scale.startswith("(0.1 ") and found[japanese].get("transform") == transform
    assert "rotate(-90)" in found["損失"].get("transform")
    after = {words: len([*curves.iter(USE)]) for words, _, curves in labels(plot)}
    assert after == {words: 0 if words in JAPANESE else n for words, n in before.items()}


def test_what_defines_a_curve_stays_for_others(plot):
    defined = {part.get("id") for part in plot.iter(f"{SVG}path")}
    translate(plot, JAPANESE)
    assert defined == {part.get("id") for part in plot.iter(f"{SVG}path")}


def test_the_end_that_stays_is_that_at_the_line_or_the_axis(plot):
    translate(plot, JAPANESE)
    found = texts(plot)
    assert {words: text.get("text-anchor") for words, text in found.items()} == {
        "曲線": "start",
        "2": "end",
        "損失": "middle",
        "ステップ": "middle",
    }
    assert float(found["曲線"].get("x")) == 0
    # "training step" is about 66 points wide in DejaVu Sans of 10 points
    assert 2 * float(found["ステップ"].get("x")) == pytest.approx(66, abs=8)


def test_a_drawing_is_translated_piece_by_piece(tmp_path):
    path = tmp_path / "drawing.svg"
    path.write_text(
        '<svg xmlns="http://www.w3.org/2000/svg"><!-- a note --><text> gives d '
        "<tspan>a</tspan> at once</text><text>a</text></svg>"
    )
    drawing = read(path)
    assert [words for words, *_ in pieces(drawing)] == ["gives d", "a", "at once", "a"]
    translate(drawing, {"gives d": "これが d", "at once": "すぐに"})
    assert ["".join(text.itertext()) for text in drawing.iter(TEXT)] == [" これが d a すぐに", "a"]


# ------------------------------------------------------------------ of the book


def width(words: str) -> float:
    """About how wide words are, in narrow letters."""
    return sum(1 if ord(letter) < 0x2E80 else 1.7 for letter in words)


def test_no_label_needs_much_more_room_than_in_english():
    wide = [one.id for one in messages(FIGURES) if width(one.string) > 1.3 * width(one.id) + 2.5]
    assert wide == []


def test_the_words_of_drawings_are_in_the_catalogue():
    known = {one.id for one in messages(FIGURES)}
    drawings = map(read, (ROOT / "book/figures").glob("*.svg"))
    found = {words for drawing in drawings for words, *_ in pieces(drawing)}
    assert {words for words in found - known if WORD.search(words)} == set()
