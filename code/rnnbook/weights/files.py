"""Where the published models lie, and what is known about them.

`tools/weights.py` makes these files of trained models. Matrices are in 8 bits, as the live figures
of the book have them, with a scale for each row; the rest is in 32.
"""

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from rnnbook.errors import BookError

FOLDER = Path(__file__).parent


class WeightsError(BookError):
    """A published model cannot be had. The message says why and what to do."""


class Card(NamedTuple):
    """What one should know about a model before using it, each in a few sentences."""

    what: str
    data: str  # what it was trained on, and under which licence
    measured: str
    limits: str
    not_for: str

    def __str__(self) -> str:
        """The card as Markdown."""
        titles = "Data", "Measured", "Limits", "Not for"
        parts = [f"**{title}.** {text}" for title, text in zip(titles, self[1:], strict=True)]
        return "\n\n".join([self.what, *parts])


@cache
def record() -> dict[str, dict[str, Any]]:
    """What is known about each published model: `tools/weights.py` says what."""
    return json.loads((FOLDER / "record.json").read_text("utf-8"))


def published(name: str) -> Path:
    """The file of a published model, whose SHA-256 is right.

    Raises `WeightsError` for an unknown name, and where the file is missing or another one.
    """
    if name not in record():
        raise WeightsError(f"there is no model {name!r:.40}; there are: {', '.join(record())}")
    path, again = FOLDER / f"{name}.pt", "install the package again"
    try:
        content = path.read_bytes()
    except OSError as error:
        raise WeightsError(f"{path} cannot be read ({error.strerror}); {again}") from error
    if hashlib.sha256(content).hexdigest() != record()[name]["sha256"]:
        raise WeightsError(f"{path} is not the file that was published; {again}")
    return path


def card(name: str) -> Card:
    """The card of a published model."""
    known = record()[name]
    on, *numbers = known["measured"].items()
    said = "; ".join(f"{what}: {number:.4g}" for what, number in numbers)
    return Card(measured=f"On {on[1]}. {said[0].upper()}{said[1:]}.", **known["card"])


def digest(code: str) -> str:
    """The SHA-256 of what is known about all published models, whatever the code of a page."""
    return hashlib.sha256((FOLDER / "record.json").read_bytes()).hexdigest()
