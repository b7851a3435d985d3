"""The names of emoji in English and in Japanese, from either of two packages, to the same bytes.

They are those of Unicode's Common Locale Data Repository (Unicode licence), as the package `emoji`
2.16 for Python writes them: ":woman_farmer:", ":農家の女性:". The data of `emojibase` 17 for
JavaScript have them as the repository does; the rules of `emoji` are applied to them here.
"""

import json
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from rnnbook.data.fetching.archives import Archive, read_members
from rnnbook.data.fetching.cache import verified
from rnnbook.data.fetching.hosts import NPM

FILE = "picture-names.tsv"
SHA256 = "40c3ef947225e7afe1b2b348ef6e639625869b3bded511c2ec65de4879f78d17"
EMOJI = (
    *("emoji", "emoji-2.16.0-py3-none-any.whl"),
    "c4230d80640def9071599ff56b1b5950fe13a2a94c0da98c5deab12431b24330",
)
EMOJIBASE = (
    *("emojibase-data", "emojibase-data-17.0.0.tgz"),
    "d01d0e2ca4e22cb402679532155342c71e2e871f25c32223c013b8b166ebdf5a",
)
FULLY_QUALIFIED = 2  # the status of an emoji as it should be written
PARTS_OF_OTHERS = (None, 2)  # the groups of letters of flags, of tones and of hair

# What emojibase lacks: the emoji of Unicode 18, which OpenMoji 17 does not draw, and three names.
NEWER = {
    "1F6D9": ("lighthouse", "灯台"),
    "1FA8B": ("meteor", "隕石"),
    "1FA8C": ("eraser", "消しゴム"),
    "1FA8D": ("net with handle", "虫取り網"),
    "1FACC": ("monarch butterfly", "オオカバマダラ"),
    "1FADD": ("pickle", "ピクルス"),
    "1FAEB": ("cracking face", "ひび割れた顔"),
    "1FAF9": ("leftwards thumb sign", "左向きの親指"),
    "1FAFA": ("rightwards thumb sign", "右向きの親指"),
}
NEWER_IN_TONES = ("1FAF9", "1FAFA")
TONES = {
    "1F3FB": ("light", "薄い"),
    "1F3FC": ("medium-light", "やや薄い"),
    "1F3FD": ("medium", "中間の"),
    "1F3FE": ("medium-dark", "やや濃い"),
    "1F3FF": ("dark", "濃い"),
}
OTHER_NAMES = {
    "1F1ED-1F1F2": "Heard Island & McDonald Islands",
    "1F1F8-1F1ED": "St. Helena Ascension & Tristan da Cunha",
    "1F1F9-1F1EB": "French Southern and Antarctic Lands",
}


def emoji_names_file() -> Path:
    """The path of the file with the names: code points, English, Japanese, with tabs.

    Raises `DataError` when it cannot be had.
    """
    emojibase = Archive(*EMOJIBASE, names_from_emojibase, NPM)
    return verified(FILE, SHA256, [Archive(*EMOJI, names_from_emoji), emojibase])


def names_from_emoji(archive: bytes) -> bytes:
    """The names in an archive of `emoji`."""
    lists = read_members(archive, r"emoji/unicode_codes/(emoji|emoji_ja)\.json")
    english, japanese = map(json.loads, lists.values())
    return _file(
        (code_of(emoji), entry["en"], japanese[emoji])
        for emoji, entry in english.items()
        if entry["status"] == FULLY_QUALIFIED
    )


def names_from_emojibase(archive: bytes) -> bytes:
    """The names in an archive of `emojibase-data`."""
    lists = read_members(archive, r"package/(en|ja)/data\.json")
    english, japanese = (dict(_labels(json.loads(content))) for content in lists.values())
    rows: dict[str, tuple[str, ...]] = {
        **{code: (english[code], japanese[code]) for code in english},
        **NEWER,
    }
    for code in NEWER_IN_TONES:
        for tone, words in TONES.items():
            what = zip(NEWER[code], words, ("{}: {} skin tone", "{}: {}肌色"), strict=True)
            rows[f"{code}-{tone}"] = tuple(form.format(name, word) for name, word, form in what)
    return _file(
        (code, _in_english(OTHER_NAMES.get(code, name)), _in_japanese(other))
        for code, (name, other) in rows.items()
    )


def code_of(emoji: str) -> str:
    """Its code points: "1F469-200D-1F33E". Left out: FE0F, which some lists have and some not."""
    return "-".join(f"{ord(point):04X}" for point in emoji if point != "\ufe0f")


def _labels(entries: list[dict]) -> Iterator[tuple[str, str]]:
    """The code points of emoji and what they are called, also of those in skin tones."""
    for entry in entries:
        if entry.get("group") not in PARTS_OF_OTHERS:
            yield entry["hexcode"].replace("-FE0F", ""), entry["label"]
            yield from _labels(entry.get("skins", []))


def _in_english(label: str) -> str:
    label = re.sub(r": (.+), facing right$", r" facing right \1", label.removeprefix("flag: "))
    name = re.sub("[:,“”]", "", label).replace(" ", "_").replace("_-_", "-")
    return f":{name}:"


def _in_japanese(label: str) -> str:
    label = unicodedata.normalize("NFKC", label.lower())
    label = re.sub(r": (.+) 右向き$", r"、右向き、\1", label)
    return f":{re.sub(': |、| ', '_', label)}:"


def _file(rows: Iterator[tuple[str, str, str]]) -> bytes:
    return "".join(sorted("\t".join(row) + "\n" for row in rows)).encode()
