"""Days in many languages: written as babel writes them, and aligned with the ISO date."""

import datetime
import unicodedata

import pytest
import torch
from babel import Locale
from babel.dates import format_date, get_date_format

from rnnbook.data import dates
from rnnbook.data.dates import LANGUAGES, Date, make_dates, ways, write_date

DAY = datetime.date(2024, 3, 7)
LENGTHS = "full", "long", "medium", "short"


@pytest.mark.parametrize("language", [*LANGUAGES, "ar", "eu", "he", "hy", "lv", "pt_BR", "th"])
def test_days_are_written_as_babel_writes_them(language):
    for length in LENGTHS:
        for day in (DAY, datetime.date(1999, 12, 31)):
            date = write_date(day, language, get_date_format(length, language).pattern)
            assert date.source == format_date(day, length, language)
            assert unicodedata.is_normalized("NFC", date.source)


def month_names(language: str) -> dict[str, int]:
    locale = Locale.parse(language)
    forms = [locale.months[context] for context in ("format", "stand-alone")]
    return {
        name: number
        for form in forms
        for width in ("wide", "abbreviated")
        for number, name in form[width].items()
    }


def test_each_field_stands_where_the_spans_say():
    for date in make_dates(2000, torch.Generator().manual_seed(0)):
        text = {field: date.source[slice(*span)] for field, span in date.spans.items()}
        month = text["month"]
        number = int(month) if month.isdecimal() else month_names(date.language)[month]
        assert f"{text['year']}-{number:02}-{int(text['day']):02}" == date.iso


def test_the_alignment_of_a_day_by_hand():
    date = write_date(DAY, "de", "d. MMMM y")
    assert date.source == "7. März 2024" and date.iso == "2024-03-07"
    year, month, day, nothing = "        ####", "   ####     ", "#           ", "            "
    rows = [year] * 4 + [nothing] + [month] * 2 + [nothing] + [day] * 2
    assert date.alignment().tolist() == [[c == "#" for c in row] for row in rows]


def test_a_text_says_which_day_it_means():
    """In all languages together: no text stands for two days."""
    meant: dict[str, datetime.date] = {}
    for k in range(0, 3 * 365, 3):
        day = datetime.date(2001, 1, 1) + datetime.timedelta(k)
        for language in LANGUAGES:
            for pattern in ways(language):
                assert meant.setdefault(write_date(day, language, pattern).source, day) == day


@pytest.mark.parametrize("pattern", ["M/d/yy", "MM/dd/y", "d.M.yy", "yy. M. d."])
def test_what_leaves_a_day_open_is_left_out(pattern):
    assert not dates.is_clear(pattern)


@pytest.mark.parametrize("pattern", ["MMMM d, y", "MMM d y", "d/M/y", "y-MM-dd", "y年M月d日"])
def test_what_does_not_is_kept(pattern):
    assert dates.is_clear(pattern)


def test_every_language_has_several_ways_and_all_of_them_are_drawn():
    drawn = make_dates(4000, torch.Generator().manual_seed(0))
    assert {date.language for date in drawn} == set(LANGUAGES)
    for language in LANGUAGES:
        assert len(ways(language)) == len(set(ways(language))) >= 2
    german = [date.source for date in drawn if date.language == "de"]
    assert any("," in s for s in german) and any(s[2] == "." and s[5] == "." for s in german)
    assert min(date.iso for date in drawn) < "1905" and max(date.iso for date in drawn) > "2095"


def test_the_draw_is_that_of_the_generator_and_of_the_languages_alone():
    first, again = (make_dates(20, torch.Generator().manual_seed(1), ["fr"]) for _ in range(2))
    assert first == again != make_dates(20, torch.Generator().manual_seed(2), ["fr"])
    assert all(isinstance(date, Date) and date.language == "fr" for date in first)


@pytest.mark.parametrize("language", ["xx", "no language", ""])
def test_a_language_that_babel_lacks(language):
    with pytest.raises(ValueError, match=r"babel has no language .* give codes such as 'en'"):
        make_dates(1, torch.Generator(), [language])
