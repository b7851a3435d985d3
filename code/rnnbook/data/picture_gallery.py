"""Pictures with captions, split so that what is kept apart is new in a way that is known."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from torch import Tensor

from rnnbook.data.picture_captions import made_of_parts, tones, without_tones
from rnnbook.data.split import bucket

SIDES = ("test", "held out")
OF_NAMES = dict(zip(SIDES, (range(12), range(12, 20)), strict=True))  # of 100
OF_TONES = dict(zip(SIDES, (range(10), range(10, 15)), strict=True))


class Picture(NamedTuple):
    """One drawing, and all captions that are right."""

    code: str  # its Unicode code points, the first of all emoji that look like it
    pixels: Tensor  # uint8, (3, 40, 40)
    english: tuple[str, ...]  # at least one, in the order of the code points
    japanese: tuple[str, ...]  # of the same emoji

    @property
    def name(self) -> str:
        """What it is called in English, without skin tones: the same in all tones."""
        return without_tones(self.english[0])

    @property
    def has_tone(self) -> bool:
        return bool(tones(self.english[0]))

    @property
    def is_flag(self) -> bool:
        """Whether it is the flag of a country or of a region."""
        first, last = (int(self.code.split("-")[i], 16) for i in (0, -1))
        return 0x1F1E6 <= first <= 0x1F1FF or last == 0xE007F


class Apart(NamedTuple):
    """Pictures kept apart, by what is new in them."""

    combinations: tuple[Picture, ...]  # names that were never seen, of known words
    tones: tuple[Picture, ...]  # known names in skin tones in which they were never seen
    things: tuple[Picture, ...]  # single things
    flags: tuple[Picture, ...]


@dataclass(frozen=True)
class Gallery:
    """Pictures to train on, pictures held out for choices, and pictures to report on.

    Where a picture belongs is decided by SHA-256, in two steps. First that of its name: of 100, 12
    are for the test and 8 are held out, in all their tones; then, of pictures with a tone that are
    left, that of the code points: of 100, 10 are for the test and 5 are held out. The first step
    passes over a hand, an ear or a mermaid, which are no combinations but have tones; and over a
    combination, if one of its words would not be trained on in another one.
    """

    pictures: tuple[Picture, ...] = field(repr=False)  # in the order of their code points

    @cached_property
    def train(self) -> tuple[Picture, ...]:
        return tuple(one for one in self.pictures if one.code not in self._places)

    @cached_property
    def train_parts(self) -> tuple[Picture, ...]:
        """Of the training, what is made of parts or drawn in tones: persons, hands, clock faces."""
        names = self.combinations | self._in_tones
        return tuple(one for one in self.train if one.name in names)

    @cached_property
    def combinations(self) -> set[str]:
        """The names that are made of parts."""
        return made_of_parts(one.name for one in self.pictures)

    @cached_property
    def _in_tones(self) -> set[str]:
        """The names of pictures that are drawn in skin tones."""
        return {one.name for one in self.pictures if one.has_tone}

    @cached_property
    def held_out(self) -> Apart:
        return self._apart("held out")

    @cached_property
    def test(self) -> Apart:
        return self._apart("test")

    def _apart(self, side: str) -> Apart:
        places = self._places
        return Apart(
            *(
                tuple(one for one in self.pictures if places.get(one.code) == (side, what))
                for what in Apart._fields
            )
        )

    @cached_property
    def _places(self) -> dict[str, tuple[str, str]]:
        """From the code points of a picture that is kept apart to its side and what is new."""
        combinations = self.combinations
        free = self._in_tones - combinations  # of the first step
        known = _words(n for n in combinations if not _side(n, OF_NAMES))
        free |= {name for name in combinations if not known.issuperset(name.split())}
        places = {}
        for one in self.pictures:
            side, what = _side(one.name, OF_NAMES), "things"
            if one.name in combinations:
                what = "combinations"
            elif one.is_flag:
                what = "flags"
            if one.name in free or not side:
                side, what = _side(one.code, OF_TONES) if one.has_tone else None, "tones"
            if side:
                places[one.code] = side, what
        return places


def _side(item: str, shares: dict[str, range]) -> str | None:
    """The side that has the bucket of an item among its own."""
    number = bucket(item.encode())
    return next((side for side, buckets in shares.items() if number in buckets), None)


def _words(captions: Iterable[str]) -> set[str]:
    return {word for caption in captions for word in caption.split()}
