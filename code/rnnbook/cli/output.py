"""What the command line prints: nothing that steers a terminal, nothing lost without a word."""

import codecs
import sys
import unicodedata
from collections.abc import Callable

REPLACING = "rnnbook-replace"  # the name of how a console replaces what it lacks


def in_one_line(what: object) -> str:
    """What is to be shown, in one line: no control character is passed on."""
    return "".join(c if c.isprintable() or _is_space(c) else " " for c in str(what))


def harmless(text: str) -> str:
    """A text with its lines and tabs, but without the codes that steer a terminal."""
    return "".join("\ufffd" if _is_control(c) and c not in "\n\t" else c for c in text)


def _is_space(c: str) -> bool:
    return unicodedata.category(c) == "Zs"  # the space of Japanese, say


def _is_control(c: str) -> bool:
    return unicodedata.category(c) == "Cc"


def replace_what_is_lacking() -> Callable[[], str]:
    """Let the standard output write ? for what its encoding lacks.

    Returns a function that says how much that was: an empty text where nothing was lost.
    """
    lost = set()

    def replace(error: UnicodeEncodeError) -> tuple[str, int]:
        part = error.object[error.start : error.end]
        lost.update(part)
        return "?" * len(part), error.end

    codecs.register_error(REPLACING, replace)  # pyrefly: ignore[bad-argument-type]
    sys.stdout.reconfigure(errors=REPLACING)  # pyrefly: ignore[missing-attribute]
    what = f"the output is written in {sys.stdout.encoding}, which lacks {{}} of its characters"
    advice = "set PYTHONIOENCODING=utf-8 to have them"
    return lambda: f"{what.format(len(lost))}; ? stands for them; {advice}" if lost else ""
