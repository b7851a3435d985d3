"""Days, written in many languages and ways, and as ISO 8601 has them: "2024-03-07".

The ways are those of the library `babel`, which has them from the Unicode Common Locale Data
Repository. All count by the Gregorian calendar and write digits as 0 to 9. Here it is known which
characters of the source a digit of the ISO date comes from, so that what a network looks at can
be scored. Left out, because the text alone does not say which day is meant: ways with two digits
for the year, where the century is missing ("7/3/24"), and ways in numbers alone with the month
first and the year last, since elsewhere that place is the day's.
"""

import datetime
import re
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor

from rnnbook.extras import needs

with needs("dates"):
    from babel import Locale, UnknownLocaleError
    from babel.dates import DateTimeFormat, get_date_format

LANGUAGES = (
    *("ca", "cs", "da", "de", "el", "en", "es", "fi", "fr", "hr", "hu", "id", "it"),
    *("ja", "ko", "nb", "nl", "pl", "pt", "ro", "ru", "sk", "sv", "tr", "uk", "vi", "zh"),
)
FIRST, LAST = datetime.date(1900, 1, 1), datetime.date(2099, 12, 31)

# A pattern such as "d 'de' MMMM y" is made of words in quotes, fields, and all the rest.
TOKEN = re.compile(r"'([^']*)'|(([A-Za-z])\3*)|[^A-Za-z']+")
FIELDS = {"y": "year", "M": "month", "d": "day"}
ISO_FIELDS = ["year"] * 4 + [None] + ["month"] * 2 + [None] + ["day"] * 2


class Date(NamedTuple):
    """A day in a language, the same as ISO 8601 has it, and where its three fields stand.

    `spans` has for "year", "month" and "day" the place of its first character in `source` and the
    one behind its last. The span of a month that has a name is that of the name.
    """

    source: str
    iso: str  # 10 characters
    spans: dict[str, tuple[int, int]]
    language: str

    def alignment(self) -> Tensor:
        """(10, S), true where a character of `iso` comes from one of the S characters of `source`.

        Each digit comes from all characters of its field: both digits of "03" from "March". The
        two hyphens come from nowhere.
        """
        right = torch.zeros(len(self.iso), len(self.source), dtype=torch.bool)
        for row, field in zip(right, ISO_FIELDS, strict=True):
            if field:
                start, stop = self.spans[field]
                row[start:stop] = True
        return right


def make_dates(
    n: int, generator: torch.Generator, languages: Sequence[str] = LANGUAGES
) -> list[Date]:
    """`n` days from FIRST to LAST, each in one language and in one of its ways, drawn at random.

    Languages are codes such as "en" and "pt_BR". Raises `ValueError` for one that babel lacks.
    """
    all_ways = [(language, ways(language)) for language in languages]
    num_days = (LAST - FIRST).days + 1
    dates = []
    for day, row, way in torch.randint(2**31, (n, 3), generator=generator).tolist():
        language, patterns = all_ways[row % len(all_ways)]
        pattern = patterns[way % len(patterns)]
        dates.append(write_date(FIRST + datetime.timedelta(day % num_days), language, pattern))
    return dates


@cache
def ways(language: str) -> tuple[str, ...]:
    """The patterns in which a language writes a day, each once, such as "EEEE, d MMMM y".

    Raises `ValueError` for a language that babel lacks.
    """
    lengths = "full", "long", "medium", "short"
    patterns = [get_date_format(length, _locale(language)).pattern for length in lengths]
    return tuple(dict.fromkeys(filter(is_clear, patterns)))


def is_clear(pattern: str) -> bool:
    """Whether a text of this pattern says which day it means, whatever its language."""
    fields = [field for _, field, letter in TOKEN.findall(pattern) if letter in FIELDS]
    has_name = "MMM" in fields or "MMMM" in fields
    american = [field[0] for field in fields] == ["M", "d", "y"]
    return "yy" not in fields and (has_name or not american)


def write_date(day: datetime.date, language: str, pattern: str) -> Date:
    """A day in one of the `ways` of a language."""
    fields = DateTimeFormat(day, _locale(language))
    source, spans = "", {}
    for token in TOKEN.finditer(pattern):
        quoted, field, letter = token.groups()
        text = fields[field] if field else token[0] if quoted is None else quoted
        if letter in FIELDS:
            spans[FIELDS[letter]] = len(source), len(source) + len(text)
        source += text
    return Date(source, day.isoformat(), spans, language)


@cache
def _locale(language: str) -> Locale:
    try:
        return Locale.parse(language)
    except (UnknownLocaleError, ValueError) as error:
        raise ValueError(
            f"babel has no language {language!r}; give codes such as 'en' or 'pt_BR'"
        ) from error
