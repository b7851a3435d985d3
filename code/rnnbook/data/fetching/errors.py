"""What goes wrong when data are fetched."""

from rnnbook.errors import BookError


class DataError(BookError):
    """Data could not be had. The message says what happened and what to do."""


class SourceError(Exception):
    """One source did not deliver. The message says what it did instead."""
