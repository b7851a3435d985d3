"""The Sphinx extension of the book: each module is one task, with a `setup` of its own."""

import os
import zlib
from pathlib import Path

from sphinx.application import Sphinx

from bookbuild import cache, claims, failures, gathered, languages, mathjax, report


def setup(app: Sphinx) -> dict:
    os.environ["RNNBOOK_BUILD"] = "1"  # the kernels of the chapters draw no progress bars
    for task in (cache, claims, failures, gathered, languages, mathjax, report):
        task.setup(app)
    # Another env_version makes Sphinx read every page again: when this extension has changed.
    sources = b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py")))
    return {
        "env_version": zlib.crc32(sources),
        "parallel_read_safe": False,
        "parallel_write_safe": True,
    }
