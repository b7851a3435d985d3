"""The Sphinx extension of the book: each module is one task, with a `setup` of its own."""

import logging
import zlib
from pathlib import Path

from sphinx.application import Sphinx

from bookbuild.editions import ORIGINAL

TASKS = [
    "about", "cache", "cards", "claims", "comments", "contents", "deeper", "demos", "editions",
    "execution", "figures", "fonts", "gathering", "japanese", "mathjax", "notebooks", "pages",
    "published", "recovery", "report", "search", "slides", "sources", "style", "words", "addresses",
]  # fmt: skip


def setup(app: Sphinx) -> dict:
    for task in TASKS:
        app.setup_extension(f"bookbuild.{task}")
    for talker in ("myst_parser.sphinx_ext.main", "myst_nb.sphinx_ext"):  # all settings, each time
        logging.getLogger(f"sphinx.{talker}").setLevel(logging.WARNING)
    # Another env_version makes Sphinx read every page again: when this extension has changed, or
    # a program of the demos, or a word of the frame or of a figure.
    code = Path(__file__).parents[1]
    paths = [*code.glob("bookbuild/*.py"), *code.glob("rnnbook/demos/js/*")]
    if app.config.language != ORIGINAL:
        paths += Path(app.srcdir).glob("book/locale/*/*/*.po")
    sources = b"".join(path.read_bytes() for path in sorted(paths))
    return {"env_version": zlib.crc32(sources), "parallel_read_safe": False}
