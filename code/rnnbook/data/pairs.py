"""Pairs of a spelling and its readings, split so that later pairs move none of them."""

import csv
import re
import unicodedata
from collections.abc import Iterable, Sequence
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
CONTROLS = {"Cc", "Zl", "Zp"}  # what Unicode calls control characters and ends of lines


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


def group_readings(pairs: Iterable[tuple[str, str]]) -> Names:
    """Names of pairs (spelling, reading). Readings of one spelling are kept together, each once."""
    readings: dict[str, set[str]] = {}
    for spelling, reading in pairs:
        readings.setdefault(spelling, set()).add(reading)
    return Names(tuple(Name(word, tuple(sorted(readings[word]))) for word in sorted(readings)))


def read_pairs(path: Path) -> Names:
    """The reader's own pairs: a file in UTF-8, a spelling and a reading in each line.

    Between the two stands a tab or a comma; either may stand in quotes, as programs for tables
    write them. Blank lines do not count. A spelling with several right readings has a line for
    each. Spellings are single words and are made `plain`, readings are taken as they are. Raises
    `DataError` for a file of another kind and for one of less than FEWEST spellings, and `OSError`
    for one that cannot be read.
    """
    check_ends(path)
    try:
        lines = path.read_text("utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is no text in UTF-8; save it as plain text, UTF-8") from error
    numbered = [(f"line {k} of {path}", line) for k, line in enumerate(lines, 1) if line.strip()]
    pairs = [_pair(line, where) for where, line in numbered]
    names = group_readings(pairs)
    if len(names.names) < FEWEST:
        raise DataError(
            f"{path} holds {len(names.names)} different spellings; give {FEWEST} or more, so that "
            "some can be kept apart for the test"
        )
    if _has_header(pairs):
        where, line = numbered[0]
        raise DataError(f"{where}, {line[:40]!r}, is no pair but a header; delete this line")
    return names


def _has_header(pairs: Sequence[tuple[str, str]]) -> bool:
    """Whether the first line names the columns: "name,reading" above readings in katakana, say.

    It is known by a reading that shares no character with any other. Left out: names of columns
    in the script of the readings.
    """
    (_, first), *others = pairs
    return bool(others) and set(first).isdisjoint("".join(reading for _, reading in others))


def _pair(line: str, where: str) -> tuple[str, str]:
    delimiter = "\t" if "\t" in line else ","
    try:
        (columns,) = csv.reader([line], delimiter=delimiter, skipinitialspace=True, strict=True)
    except csv.Error as error:
        raise DataError(
            f"{where} is {line[:40]!r}, with quotes that do not fit ({error}); quote a whole entry "
            'and double each " inside it, or leave the quotes out'
        ) from error
    if controls := sorted(c for c in set("".join(columns)) if unicodedata.category(c) in CONTROLS):
        raise DataError(f"{where} holds {', '.join(map(repr, controls))}; delete it")
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
