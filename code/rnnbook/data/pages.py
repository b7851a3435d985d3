"""The prose of this book's own chapters, in English and in Japanese: the same content, twice.

It is a copy, made on 26 November 2026 (`python -m bookbuild pages` makes another), so that nothing
is trained anew when a sentence of the book changes. Formulas, code, numbers quoted from cells and
links are left out.
"""

import hashlib
from pathlib import Path

COPY = Path(__file__).with_name("pages.tsv")


def load_pages() -> list[tuple[str, str]]:
    """(English, Japanese) of every paragraph, heading and caption of more than a few words."""
    lines = COPY.read_text("utf-8").splitlines()
    return [tuple(line.split("\t")) for line in lines]


def digest() -> str:
    """The digest of the text, on which the chapters that train on it depend."""
    return hashlib.sha256(COPY.read_bytes()).hexdigest()
