"""What the command line takes: its parser, and types of options that say what was expected."""

import argparse
import math
import re
import sys
from collections.abc import Callable

from rnnbook.cli.errors import complain

NO_SOUND = (
    "a file of sound cannot be heard: what the model was trained on has no sound, but 13 numbers "
    "for each moment (MFCC), and how they were computed is not known exactly enough to do it again"
)


class Parser(argparse.ArgumentParser):
    """Answers a mistake in one line instead of with a page of usage."""

    def error(self, message: str):
        sys.exit(complain(f"{message}; see {self.prog} --help", 2))


def whole(low: int, high: int = 2**31 - 1) -> Callable[[str], int]:
    """A type of option: a whole number in a range."""

    def convert(text: str) -> int:
        if not (text.isdecimal() and len(text) < 100 and low <= int(text) <= high):
            raise argparse.ArgumentTypeError(
                f"{short(text)} is no whole number from {low} to {high}"
            )
        return int(text)

    return convert


def temperature(text: str) -> float:
    """A type of option: 0, or a number by which logits can be divided without overflow."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if value == 0 or 0.01 <= value <= 100:
        return value
    raise argparse.ArgumentTypeError(f"{short(text)} is no temperature; give 0, or 0.01 to 100")


def heat(text: str) -> float:
    """A type of option: a temperature that is not 0."""
    if value := temperature(text):
        return value
    raise argparse.ArgumentTypeError("the temperature of a pen is not 0; give 0.01 to 100")


def digits(text: str) -> str:
    """A type of option: one to twenty digits."""
    if re.fullmatch("[0-9]{1,20}", text):
        return text
    why = "" if text.isalnum() else f", such as 4071; {NO_SOUND}"  # it may be meant as a file
    raise argparse.ArgumentTypeError(f"{short(text)} is no string of 1 to 20 digits{why}")


def short(text: str, longest: int = 30) -> str:
    """A text that was given, in quotes; of a long one the beginning."""
    return repr(text) if len(text) <= longest else f"{text[:longest]!r}…"
