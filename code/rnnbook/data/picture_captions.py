"""What pictures are called: captions as they are to be written, and of which parts they are made.

English captions are words in small letters, Japanese ones characters. A caption is made of parts
where it names a person or an hour, and something else that is said of others too: "woman farmer"
of "woman" and "farmer", "two thirty" of "two" and "thirty". Skin tones are a part besides: "woman
farmer dark skin tone".
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from rnnbook.data.pairs import plain

TONE = re.compile(
    r"\b(?:light|medium-light|medium|medium-dark|dark) skin tone\b"
    r"|(?:(?:やや)?(?:薄い|濃い)|中間の)肌色"
)
OF_PERSONS = "man men woman women person people boy girl child adult and"
OF_HOURS = "one two three four five six seven eight nine ten eleven twelve"
PERSONS_AND_HOURS = {*OF_PERSONS.split(), *OF_HOURS.split()}


class Language(NamedTuple):
    """In which captions are written, and of what."""

    name: str  # the field of `rnnbook.data.picture_gallery.Picture`
    split: Callable[[str], Sequence[str]]  # a caption into words, or into characters
    join: Callable[[Iterable[str]], str]


ENGLISH = Language("english", str.split, " ".join)
LETTERS = Language("english", list, "".join)
JAPANESE = Language("japanese", list, "".join)
LANGUAGES = {"en": ENGLISH, "ja": JAPANESE}


def english(name: str) -> str:
    """A name of the package `emoji` as words: ":Mrs._Claus:" is "mrs claus".

    Small letters without accents, and no punctuation but the apostrophe in a word. "medium-dark"
    is one shade and stays one word; other hyphens part words: "two-thirty" is "two thirty".
    """
    words = plain(name.strip(":").replace("_", " ").replace("&", "and").replace("’", "'"))
    return " ".join(re.findall(r"medium-(?:dark|light)\b|[\w#*]+(?:'\w+)*", words))


def japanese(name: str) -> str:
    """A name of the package `emoji` as characters: ":男性_濃い肌色:" is "男性、濃い肌色"."""
    return name.strip(":").replace("_", "、")


def tones(caption: str) -> list[str]:
    """The skin tones in a caption, as they come: ["dark skin tone"]."""
    return TONE.findall(caption)


def without_tones(caption: str) -> str:
    """A caption without its skin tones, which may leave nothing."""
    left = re.sub("、+", "、", " ".join(TONE.sub("", caption).split()))
    return left.strip("、")


def rest(name: str) -> str:
    """What an English name without tones says besides persons and hours: "farmer", "thirty", ""."""
    return " ".join(word for word in name.split() if word not in PERSONS_AND_HOURS)


def made_of_parts(names: Iterable[str]) -> set[str]:
    """Those of the English names, without tones, whose `rest` is that of another one, too."""
    names = set(names)
    count = Counter(map(rest, names))
    return {name for name in names if count[rest(name)] > 1}
