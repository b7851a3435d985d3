"""Kanji as strokes of a pen, from KanjiVG (Ulrich Apel, CC BY-SA 3.0).

KanjiVG has an SVG drawing of each character, in a square of 109 units: a path for each stroke, in
the order and the direction in which one writes. Kept are those of the kanji (U+4E00 to U+9FFF),
each stroke as the few points that are left of it when it may be off by 1.2 units, rounded to a
tenth. Where a kanji has a part on its left and one on its right, it is kept too which part stands
on the left and how many strokes it has.
"""

import io
import re
import zipfile
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import NamedTuple
from xml.etree import ElementTree

from rnnbook.data.fetch import verified
from rnnbook.data.pen import Point, Stroke, thinned
from rnnbook.data.source_archive import SourceArchive
from rnnbook.data.split import bucket
from rnnbook.extras import needs

with needs("kanji"):
    from svg.path import Move, parse_path

FILE = "kanji.tsv"
SHA256 = "ef11b6181f48eef6ce7fa7c352f154067d4e6b1a8eda4e97212817ad5f5b2391"
PROJECT, ARCHIVE = "kanjivg", "kanjivg-20260714-py3-none-any.whl"
ARCHIVE_SHA256 = "5190e7ec4eb513dbe6865b2ed52c58287fc10ea514b9409e4cf66ce7db41644d"
ROOM = 30_000_000  # bytes on the disk

MEMBER = re.compile(r"kanji/0([4-9][0-9a-f]{3})\.svg")  # none of the variants, such as -Kaisho
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

    Fetches them the first time (23 MB, of which 2 MB are kept). Raises `DataError` when they
    cannot be had.
    """
    source = SourceArchive(PROJECT, ARCHIVE, ARCHIVE_SHA256, kanji_from_wheel, ROOM)
    return read_kanji(verified(FILE, SHA256, [source]).read_text("utf-8"))


def kanji_from_wheel(wheel: bytes) -> bytes:
    """The kanji in the wheel of `kanjivg`: one in a line, as `read_kanji` takes them."""
    files = zipfile.ZipFile(io.BytesIO(wheel))
    lines = []
    for member in filter(None, map(MEMBER.fullmatch, sorted(files.namelist()))):
        sign = chr(int(member[1], 16))
        _, strokes, left, left_strokes = kanji_of(sign, files.read(member[0]))
        written = [";".join(f"{x:.1f},{y:.1f}" for x, y in stroke) for stroke in strokes]
        lines.append(f"{sign}\t{' '.join(written)}\t{left}\t{left_strokes}\n")
    return "".join(lines).encode()


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
