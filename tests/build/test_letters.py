"""The letters of drawings are those of the formulas."""

from base64 import b64decode
from io import BytesIO
from xml.etree import ElementTree

import pytest
from fontTools.ttLib import TTFont

from bookbuild.figures import read
from bookbuild.letters import SVG, formulas, set_letters
from built import ROOT

DRAWING = (
    '<svg xmlns="http://www.w3.org/2000/svg">'
    '<text>the step <tspan font-style="italic">h</tspan><tspan dy="5">t−1</tspan>'
    '<tspan dy="-5">, summed</tspan></text>'
    '<text>words<tspan dy="5">ab</tspan></text><text>σ</text></svg>'
)


@pytest.fixture
def drawing():
    return ElementTree.fromstring(DRAWING)


def fonts(drawing) -> list[TTFont]:
    (style,) = drawing.iter(f"{SVG}style")
    parts = [part.partition(")")[0] for part in style.text.split("base64,")[1:]]
    return [TTFont(BytesIO(b64decode(part))) for part in parts]


def test_what_is_slanted_and_what_stands_below_it_are_formulas_and_words_are_not(drawing):
    assert [part.text for part in formulas(drawing)] == ["h", "t−1", "σ"]


def test_a_drawing_carries_the_letters_of_its_formulas_and_no_others(drawing):
    set_letters(drawing)
    slanted, upright = ({*map(chr, font.getBestCmap())} for font in fonts(drawing))
    assert slanted == set("htσ") and upright == set("−1")


def test_no_letter_is_slanted_twice(drawing):
    set_letters(drawing)
    assert 'font-style="italic"' not in ElementTree.tostring(drawing, "unicode")


def test_a_drawing_without_formulas_carries_no_font():
    drawing = ElementTree.fromstring('<svg xmlns="http://www.w3.org/2000/svg"><text>a</text></svg>')
    set_letters(drawing)
    assert list(drawing.iter(f"{SVG}style")) == []


def test_the_drawings_of_the_book_say_no_words_in_the_letters_of_formulas():
    drawings = map(read, (ROOT / "book/figures").glob("*.svg"))
    said = {part.text for drawing in drawings for part in formulas(drawing) if part.text}
    assert max(map(len, said)) <= 5, said  # "b = 0"
    assert {"x", "W", "t−1", "hh", "σ"} <= said
