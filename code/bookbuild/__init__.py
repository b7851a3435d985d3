"""The Sphinx extension of the book: each module is one task, with a `setup` of its own."""

import os
import zlib
from pathlib import Path

from sphinx.application import Sphinx

TASKS = [
    "cache",
    "claims",
    "demos",
    "execution",
    "failures",
    "gathered",
    "languages",
    "mathjax",
    "notebooks",
    "pages",
    "report",
    "search",
    "style",
    "addresses",
]


def setup(app: Sphinx) -> dict:
    os.environ["RNNBOOK_BUILD"] = "1"  # the kernels of the chapters draw no progress bars
    for task in TASKS:
        app.setup_extension(f"bookbuild.{task}")
    # Another env_version makes Sphinx read every page again: when this extension has changed, or
    # a program of the demos.
    code = Path(__file__).parents[1]
    paths = [*code.glob("bookbuild/*.py"), *code.glob("rnnbook/demos/js/*")]
    sources = b"".join(path.read_bytes() for path in sorted(paths))
    return {
        "env_version": zlib.crc32(sources),
        "parallel_read_safe": False,
        "parallel_write_safe": False,
    }
