"""Names in Latin letters and in katakana, from JMnedict, the dictionary of Japanese proper names.

JMnedict is made by the Electronic Dictionary Research and Development Group under Jim Breen and
is used under its licence, Creative Commons Attribution-ShareAlike. The copy in the package index
is of 29 May 2020.

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
import tarfile
from collections.abc import Iterator
from functools import cache

from rnnbook.data.fetch import verified
from rnnbook.data.pairs import Names, gather, plain
from rnnbook.data.source_archive import SourceArchive
from rnnbook.data.unpacking import unpacked_xz

FILE = "names.tsv"
SHA256 = "fd1663fed09fd5c038a12a9765f108b10d4345ffb5b2a8c4c53ef370da458034"
PROJECT, ARCHIVE = "jamdict-data", "jamdict_data-1.5.tar.gz"
ARCHIVE_SHA256 = "a4247dd9bb3148ab17c1b32fc56d7a7f1c35293b0d6ff2838c811f896d13f415"
MEMBER = "jamdict_data-1.5/jamdict_data/jamdict.db.xz"  # an SQLite database
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
    a minute). Raises `DataError` when they cannot be had.
    """
    source = SourceArchive(PROJECT, ARCHIVE, ARCHIVE_SHA256, names_from_archive, UNPACKED)
    lines = verified(FILE, SHA256, [source]).read_text("utf-8").splitlines()
    rows = [line.split("\t") for line in lines]
    return gather((spelling, reading) for spelling, *readings in rows for reading in readings)


def names_from_archive(archive: bytes) -> bytes:
    """The names in the source archive of `jamdict-data`: in a line a spelling and its readings."""
    with (
        tarfile.open(fileobj=io.BytesIO(archive)) as files,
        # pyrefly: ignore[bad-argument-type]
        unpacked_xz(files.extractfile(MEMBER), FILE, UNPACKED) as path,
    ):
        database = sqlite3.connect(f"{path.absolute().as_uri()}?immutable=1", uri=True)
        try:
            names = gather(_pairs(database)).names
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
