"""Pairs of a spelling and its readings, split so that later pairs move none of them."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from rnnbook.data.fetching.errors import DataError
from rnnbook.data.split import bucket
from rnnbook.files import check_ends

FEWEST = 500  # spellings: with fewer, a share of 3 % says little, or is empty
LONGEST = 100  # characters of a spelling or of a reading
ACCENTS = re.compile("[\u0300-\u036f]")


class Name(NamedTuple):
    """A spelling and all of its right readings, at least one, in the order of their code points."""

    spelling: str
    readings: tuple[str, ...]


@dataclass(frozen=True)
class Names:
    """Names to train on, names held out, on which choices are made, and names to report on.

    Where a name belongs is decided by the SHA-256 of its spelling: 3 of 100 are held out, 3 of
    100 are for the test. So a name stays where it is when others are added.
    """

    names: tuple[Name, ...] = field(repr=False)  # all of them, in the order of their spellings

    @cached_property
    def train(self) -> tuple[Name, ...]:
        return self._part(range(6, 100))

    @cached_property
    def held_out(self) -> tuple[Name, ...]:
        return self._part(range(3, 6))

    @cached_property
    def test(self) -> tuple[Name, ...]:
        return self._part(range(3))

    @cached_property
    def letters(self) -> str:
        """The characters of the spellings, each once, in order."""
        return _characters(name.spelling for name in self.names)

    @cached_property
    def kana(self) -> str:
        """The characters of the readings, each once, in order."""
        return _characters(reading for name in self.names for reading in name.readings)

    def _part(self, buckets: range) -> tuple[Name, ...]:
        return tuple(name for name in self.names if bucket(name.spelling.encode()) in buckets)


def _characters(words: Iterable[str]) -> str:
    return "".join(sorted(set().union(*words)))


def plain(spelling: str) -> str:
    """A spelling in small letters, without accents and without space around it.

    "Škoda" becomes "skoda", and the apostrophe of "O’Neil" the straight one. Letters that are no
    letter with an accent, such as ø and ß, stay.
    """
    parts = unicodedata.normalize("NFKD", spelling.strip().lower().replace("’", "'"))
    return unicodedata.normalize("NFC", ACCENTS.sub("", parts))


def gather(pairs: Iterable[tuple[str, str]]) -> Names:
    """Names of pairs (spelling, reading). Readings of one spelling are kept together, each once."""
    readings: dict[str, set[str]] = {}
    for spelling, reading in pairs:
        readings.setdefault(spelling, set()).add(reading)
    return Names(tuple(Name(word, tuple(sorted(readings[word]))) for word in sorted(readings)))


def read_pairs(path: Path) -> Names:
    """The reader's own pairs: a file in UTF-8, a spelling and a reading in each line.

    Between the two stands a tab or a comma. Blank lines do not count. A spelling with several
    right readings has a line for each. Spellings are single words and are made `plain`, readings
    are taken as they are. Raises `DataError` for a file of another kind and for one of less than
    FEWEST spellings, and `OSError` for one that cannot be read.
    """
    check_ends(path)
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is no text in UTF-8; save it as plain text, UTF-8") from error
    numbered = enumerate(lines, start=1)
    names = gather(_pair(line, f"line {k} of {path}") for k, line in numbered if line.strip())
    if len(names.names) < FEWEST:
        raise DataError(
            f"{path} holds {len(names.names)} different spellings; give {FEWEST} or more, so that "
            "some can be kept apart for the test"
        )
    return names


def _pair(line: str, where: str) -> tuple[str, str]:
    columns = line.split("\t" if "\t" in line else ",")
    if len(columns) != 2 or not all(column.strip() for column in columns):
        raise DataError(
            f"{where} is {line[:40]!r}; write a spelling, a tab or a comma, and its reading"
        )
    if max(map(len, columns)) > LONGEST:
        raise DataError(f"{where} is longer than {LONGEST} characters; shorten it or leave it out")
    spelling, reading = plain(columns[0]), unicodedata.normalize("NFC", columns[1].strip())
    if not spelling:
        raise DataError(f"{where} has a spelling without a letter")
    if spelling.split() != [spelling]:
        raise DataError(f"{where} is {line[:40]!r}; a spelling is one word, without a space")
    return spelling, reading
