"""How the command line says what is wrong."""

import sys


class UsageError(ValueError):
    """What was asked for is not possible. The message says why and what to do."""


def complain(what: object, exit_code: int) -> int:
    """Say it in one line, whatever the message holds: no control character is passed on."""
    words = "".join(c if c.isprintable() else " " for c in str(what)).split()
    print(f"rnnbook: {' '.join(words)}", file=sys.stderr)
    return exit_code
