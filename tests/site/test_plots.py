"""The plots on the pages: their words are in the catalogue, and what they show can be seen."""

import ast
import base64
import io
import re
from pathlib import Path

import jupytext
from PIL import Image

from bookbuild.catalogues import messages
from bookbuild.figures import SVG, TEXT, XLINK, labels, pieces, read
from built import ROOT

FIGURES = ROOT / "book/locale/ja/LC_MESSAGES/figures.po"
WORD = re.compile("[A-Za-z]{3}")


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
        folder: sum(bool(words & texts(read(path))) for path in (html / folder).glob("*.svg"))
        for folder in ("_images", "ja/_images")
    }
    assert written["ja/_images"] > 60 and written["_images"] == 0


def texts(drawing) -> set[str]:
    """What is written in a drawing as text, not drawn as curves."""
    return {"".join(text.itertext()) for text in drawing.iter(TEXT)}
