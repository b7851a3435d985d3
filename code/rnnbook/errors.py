"""The one kind of error whose message is written for the user, and what its advice needs."""

import sys
from pathlib import Path


class BookError(Exception):
    """What was asked for is not possible.

    The message says, in one line, what was given, what was expected and what to do. Each part of
    the library derives its own error from this one; any other is a mistake of ours.
    """


def called() -> str:
    """How one calls the command line here: `rnnbook`, if this was called so, or by its module."""
    return "rnnbook" if Path(sys.argv[0]).stem == "rnnbook" else "python -m rnnbook"
