"""Libraries that single chapters need, and which extra of the package brings them.

Readers install what all chapters need. Where a chapter needs more, the module that imports it says
what to install: `pip install "rnnbook[dates]"`. The extras are those of pyproject.toml.
"""

from collections.abc import Generator
from contextlib import contextmanager

from rnnbook.errors import BookError


class MissingExtra(BookError, ModuleNotFoundError):
    """A library is not installed that an extra brings. The message says what to install."""


@contextmanager
def needs(extra: str) -> Generator[None]:
    """Import libraries of an extra within it. Raises `MissingExtra` where one is not installed."""
    try:
        yield
    except ModuleNotFoundError as error:
        what = f'{error.name} is not installed; to have it: pip install "rnnbook[{extra}]"'
        raise MissingExtra(what, name=error.name) from None
