"""The words in figures: written anew in another language, at the same place."""

import ast
import base64
import io
import re
from pathlib import Path

import jupytext
import matplotlib.pyplot as plt
import pytest
from PIL import Image

from bookbuild.catalogues import messages
from bookbuild.figures import (
    SVG,
    TEXT,
    USE,
    XLINK,
    labels,
    pieces,
    read,
    translate,
)
from conftest import ROOT

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


def plots_of(html: Path) -> list[Path]:
    """The plots that the pages of today show, as they were drawn."""
    pages = [path.read_text("utf-8") for path in (html / "book").glob("*.html")]
    names = {name for page in pages for name in re.findall(r"_images/([0-9a-f]{64}\.svg)", page)}
    return [ROOT / "_build" / "jupyter_execute" / name for name in sorted(names)]


def test_the_words_that_chapters_give_to_their_plots_are_in_the_catalogue(html):
    """Not what a model or the data has put there: that stands in no chapter's code."""
    known, given = {one.id for one in messages(FIGURES)}, set()
    for chapter in (ROOT / "book").glob("*.md"):
        if "jupytext:" not in (text := chapter.read_text("utf-8")):
            continue
        cells = [cell for cell in jupytext.reads(text, "md:myst").cells if cell.cell_type == "code"]
        for part in ast.walk(ast.parse("\n".join(cell.source for cell in cells))):
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                given |= {line.strip() for line in part.value.splitlines()}
    plots = plots_of(html)
    assert len(plots) > 50
    found = {words for plot in plots for words, *_ in labels(read(plot))}
    assert {words for words in found & given - known if WORD.search(words)} == set()
    drawings = map(read, (ROOT / "book/figures").glob("*.svg"))
    drawn = {words for drawing in drawings for words, *_ in pieces(drawing)}
    assert {one.id for one in messages(FIGURES) if one.id != one.string} - found - drawn == set()


# Labels that reach beyond the left or the right edge of their drawing.
CUT = """() => {
  const edge = document.documentElement.getBoundingClientRect();
  return [...document.querySelectorAll("text")].filter((text) => {
    const { left, right } = text.getBoundingClientRect();
    return left < edge.left - 1.5 || right > edge.right + 1.5;
  }).map((text) => text.textContent);
}"""


def test_no_label_is_cut_off_in_the_japanese_edition(page, html):
    pages = [path.read_text("utf-8") for path in (html / "ja/book").glob("*.html")]
    names = {name for text in pages for name in re.findall(r"_images/([\w-]+\.svg)", text)}
    assert len(names) > 80
    cut = {}
    for name in sorted(names):
        page.goto((html / "ja/_images" / name).as_uri())
        if found := page.evaluate(CUT):
            cut[name] = found
    assert cut == {}


def test_no_picture_in_a_plot_is_of_one_colour(html):
    """As a veil is that lies over another picture, and loses what shows through it in a file."""
    pictures = [
        (path.name, image.get(f"{XLINK}href").partition(",")[2])
        for path in plots_of(html)
        for image in read(path).iter(f"{SVG}image")
    ]
    assert len(pictures) > 50
    assert {name for name, content in pictures if colours(content) == 1} == set()


def colours(content: str) -> int:
    """How many different pixels a picture in base64 has."""
    picture = Image.open(io.BytesIO(base64.b64decode(content))).convert("RGBA")
    return len(picture.getcolors(picture.width * picture.height))


def test_the_japanese_edition_has_them(html):
    words = {one.string for one in messages(FIGURES) if one.string != one.id}
    written = {
        folder: sum(
            bool(words & texts(read(path)).keys()) for path in (html / folder).glob("*.svg")
        )
        for folder in ("_images", "ja/_images")
    }
    assert written["ja/_images"] > 60 and written["_images"] == 0
