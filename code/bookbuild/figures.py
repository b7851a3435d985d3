"""Figures on the site: their sizes, and their words in the language of the edition.

Plots are drawn once, for both editions, and Matplotlib writes their words as curves, which look
alike everywhere; before each it leaves a comment with the words. In an edition that is not in
English, words that the catalogue `figures.po` has become text at the same place, in a font of the
reader's. So nothing is executed again, and what is not in the catalogue, such as the numbers of an
axis, stays as it is. Drawings have text already; of them the catalogue has each piece alone.

Why not symbols in the figure and all words in the caption: a reader would look from one to the
other for every curve.
"""

import re
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Comment, Element, SubElement

from PIL import Image
from sphinx.application import Sphinx

from bookbuild.catalogues import translations
from bookbuild.letters import set_letters

SVG, XLINK = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}"
DRAWINGS = "book/figures/"
GROUP, USE, TEXT = (f"{SVG}{name}" for name in ("g", "use", "text"))
SHIFT = re.compile(r"translate\(([-\d.]+)")  # of a curve, to the right
SCALE = re.compile(r" scale\(([\d.]+) -[\d.]+\)")  # of all curves of a label
EM = 100  # the size of a font in the units of the curves
FONTS = "'Hiragino Sans', 'Noto Sans JP', 'Noto Sans CJK JP', 'Yu Gothic', sans-serif"


@cache
def size(path: Path) -> tuple[int, int]:
    """Width and height of a picture in pixels of the page."""
    if path.suffix != ".svg":
        with Image.open(path) as picture:
            return picture.size
    _, _, width, height = map(float, ElementTree.parse(path).getroot().get("viewBox", "").split())
    return round(width), round(height)


# ------------------------------------------------------------------ the words


def read(path: Path) -> Element:
    """A drawing, with its comments."""
    parser = ElementTree.XMLParser(target=ElementTree.TreeBuilder(insert_comments=True))
    return ElementTree.parse(path, parser).getroot()


def labels(drawing: Element) -> Iterator[tuple[str, Element, Element]]:
    """The words of each label of a plot, with the group around it and the group of its curves."""
    for around in drawing.iter(GROUP):
        for comment, curves in pairwise(around):
            if comment.tag is Comment and curves.tag == GROUP:
                yield (comment.text or "").strip(), around, curves


def pieces(drawing: Element) -> Iterator[tuple[str, Element, str]]:
    """Each piece of text, with the element and the attribute of it that hold the piece."""
    for text in drawing.iter(TEXT):
        for part in text.iter():
            for place in ("text", "tail") if part is not text else ("text",):
                if words := (getattr(part, place) or "").strip():
                    yield words, part, place


def translate(drawing: Element, words: dict[str, str]) -> None:
    """Put `words` in the place of those that they translate."""
    for english, part, place in list(pieces(drawing)):
        if english in words:
            setattr(part, place, getattr(part, place).replace(english, words[english]))
    above = {part: holder for holder in drawing.iter() for part in holder}
    for english, around, curves in list(labels(drawing)):
        if english in words:
            write(words[english], around, curves, anchor(around, above))


def anchor(label: Element, above: dict[Element, Element]) -> str:
    """Which end of a label stays where it is: at a legend the begin, at a vertical axis the end."""
    while label in above:
        label = above[label]
        for place, end in (("legend", "start"), ("ytick", "end")):
            if label.get("id", "").startswith(place):
                return end
    return "middle"


def write(words: str, around: Element, curves: Element, end: str) -> None:
    """Write `words` in the place of curves; what defines curves stays, for others to use."""
    transform = curves.get("transform", "")
    scale = float(SCALE.findall(transform)[0])
    shifts = (SHIFT.match(use.get("transform", "")) for use in curves.iter(USE))
    width = scale * (max(float(shift[1]) if shift else 0 for shift in shifts) + 0.6 * EM)
    for use in curves.findall(USE):
        curves.remove(use)
    about = {
        "x": f"{width * {'start': 0, 'middle': 0.5, 'end': 1}[end]:.1f}",
        "text-anchor": end,
        "transform": SCALE.sub("", transform),
        "style": f"{curves.get('style', '')}; font: {EM * scale:g}px {FONTS}",
    }
    SubElement(around, TEXT, about).text = words


# ------------------------------------------------------------------ the files


def _write_figures(app: Sphinx, error: Exception | None) -> None:
    words = translations(app, "figures")
    if error or app.builder.format != "html":
        return
    for source, name in app.builder.images.items():  # those of the pages that were written
        if name.endswith(".svg") and (words or source.startswith(DRAWINGS)):
            path = Path(app.outdir, "_images", name)
            drawing = read(path)
            translate(drawing, words)
            set_letters(drawing)
            ElementTree.ElementTree(drawing).write(path, "utf-8")


def setup(app: Sphinx) -> None:
    ElementTree.register_namespace("", SVG[1:-1])
    ElementTree.register_namespace("xlink", XLINK[1:-1])
    app.connect("build-finished", _write_figures)
