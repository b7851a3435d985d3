"""The letters of drawings are those of the formulas: x in both is the same x.

A drawing (`book/figures/*.svg`) sets its letters in italics, and what is below or above them
shifted (`dy`). The page shows it as a picture, which sees no font of the page. So on the site each
drawing carries the few letters that it needs, of the fonts that MathJax sets the formulas with.
"""

import re
from base64 import b64encode
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from xml.etree.ElementTree import Element

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

from bookbuild.mathjax import MATHJAX

SVG = "{http://www.w3.org/2000/svg}"
FONTS = Path(str(MATHJAX)) / "output/chtml/fonts/woff-v2"
FACES = {"MathJax_Math-Italic.woff": r"[A-Za-zα-ω∂]", "MathJax_Main-Regular.woff": r"[^A-Za-zα-ω∂]"}
INDEX = re.compile(r"[A-Za-z]{1,2}|(?:[A-Za-z]−)?\d")
SIGNS = {"σ", "∂"}  # letters that a drawing does not set in italics
RULE = (
    "@font-face {{ font-family: Formulas; src: url(data:font/woff2;base64,{font}); "
    "unicode-range: {range}; size-adjust: 112%; }}"  # small letters as high as those of the words
)


def formulas(drawing: Element) -> Iterator[Element]:
    """The pieces of text that are letters of formulas, or stand below or above one."""
    for text in drawing.iter(f"{SVG}text"):
        parts = list(text.iter())
        slanted = [part for part in parts if part.get("font-style") == "italic"]
        for part in parts:
            is_index = slanted and part.get("dy") and INDEX.fullmatch(part.text or "")
            if part in slanted or is_index or part.text in SIGNS:
                yield part


def set_letters(drawing: Element) -> None:
    """Set the formulas of a drawing in the letters of those on the page."""
    letters: set[str] = set()
    for part in formulas(drawing):
        letters |= set("".join(part.itertext()))
        part.set("font-family", "Formulas, serif")
        part.set("font-style", "normal")  # the letters of the font slant by themselves
    rules = [
        RULE.format(font=b64encode(face(FONTS / name, wanted)).decode(), range=", ".join(codes))
        for name, kind in FACES.items()
        if (wanted := sorted(filter(re.compile(kind).match, letters)))
        if (codes := [f"U+{ord(letter):X}" for letter in wanted])
    ]
    if rules:
        style = Element(f"{SVG}style")
        style.text = "\n".join(rules)
        drawing.insert(0, style)


def face(path: Path, letters: list[str]) -> bytes:
    """Some letters of a font, as WOFF2."""
    font = TTFont(path, recalcTimestamp=False)  # the same in every build
    options = Options()
    options.layout_features, options.hinting, options.name_IDs = [], False, [0, 13, 14]
    options.drop_tables += ["FFTM"]  # when it was made
    subsetter = Subsetter(options)
    subsetter.populate(text="".join(letters))
    subsetter.subset(font)
    font.flavor = "woff2"
    packed = BytesIO()
    font.save(packed)
    return packed.getvalue()
