"""The type of the English titles: Source Serif Pro, cut down to Latin letters, for the web.

Its licence, the SIL Open Font License 1.1, reserves the name "Source"; a font that was changed may
not bear it, so this one has no name of its own. A page is whole without it. Other editions have
the serifs of the reader's system.
"""

import logging
import zlib
from importlib.resources import files
from io import BytesIO
from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont
from sphinx.application import Sphinx

from bookbuild.editions import ORIGINAL

SOURCE = files("font_source_serif_pro") / "files/SourceSerifPro-Semibold.ttf"
LETTERS = [*range(0x20, 0x7F), *map(ord, "äéöüōū–—‘’“”…−·")]


def titles() -> bytes:
    """The font of the titles, as WOFF2."""
    font = TTFont(BytesIO(SOURCE.read_bytes()), recalcTimestamp=False)  # the same in every build
    options = Options()
    options.layout_features, options.hinting = ["kern", "liga"], False
    options.name_IDs = [0, 13, 14]  # whose it is, and its licence
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=LETTERS)
    subsetter.subset(font)
    font.flavor = "woff2"
    packed = BytesIO()
    font.save(packed)
    return packed.getvalue()


def _name(app: Sphinx) -> None:
    if app.builder.format == "html" and app.config.language == ORIGINAL:
        app.bookbuild_font = titles()
        name = f"titles-{zlib.crc32(app.bookbuild_font):08x}.woff2"
        app.config.html_context["font"] = name


def _write(app: Sphinx, error: Exception | None) -> None:
    name = app.config.html_context.get("font")
    if name and not error:  # or the folder may not be there
        folder = Path(app.outdir, "_static")
        for before in folder.glob("titles-*"):
            before.unlink()
        (folder / name).write_bytes(app.bookbuild_font)


def setup(app: Sphinx) -> None:
    logging.getLogger("fontTools").setLevel(logging.WARNING)  # it says what it leaves out
    app.connect("builder-inited", _name)
    app.connect("build-finished", _write)
