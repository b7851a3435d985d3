"""From pictures to captions: the search, with pixels at one end and text at the other.

`describe` lets a model say what it likes, and that is how the book measures it. Of a picture that
is like none of the training, it may say one word on and on, or words of another language.
`describe_carefully` leaves it no such choice, and tells how probable the caption is.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from rnnbook.data.picture_captions import ENGLISH, JAPANESE, Language
from rnnbook.data.vocabulary import Vocabulary
from rnnbook.decoding.search import beam, complete_first, greedy
from rnnbook.models.encoder_decoder import END

TOGETHER = 64  # pictures that are looked at at once


class Limits(NamedTuple):
    """What holds for all captions of the training in one language."""

    knows: Callable[[str], bool]  # whether a word, or a character, is one of this language
    longest: int  # words or characters in the longest
    run: int  # no run of so many words or characters comes twice in a caption


LIMITS = {
    ENGLISH: Limits(str.isascii, longest=11, run=3),  # "light skin tone medium skin tone"
    JAPANESE: Limits(lambda token: len(token) == 1, longest=28, run=6),
}


class Caption(NamedTuple):
    """What is said of a picture, and how probable the model finds it, of all that it may say."""

    text: str
    probability: float


def describe(
    model: nn.Module,
    vocabulary: Vocabulary,
    pixels: Tensor,
    language: Language,
    number: int = 0,
    width: int = 1,
    longest: int = 100,
) -> list[str]:
    """A caption for each of pixels (N, 3, 40, 40), in the language with this number.

    The number is that of the language among those that the model speaks. With a `width` of more
    than 1 it is the best that a beam finds, a complete one if it finds any. At most `longest` words
    or characters are written. Leaves the model in evaluation mode.
    """
    captions, device = [], next(model.parameters()).device
    for some in pixels.to(device).split(TOGETHER):
        numbers = torch.full((len(some),), number, device=device)
        if width == 1:
            answers = greedy(model, some, numbers, longest)
        else:
            found = beam(model, some, numbers, longest, width=width)
            answers = [complete_first(ranked)[0] for ranked in found]
        captions += [said(vocabulary, one.ids, language) for one in answers]
    return captions


def said(vocabulary: Vocabulary, ids: Sequence[int], language: Language) -> str:
    """The caption of some ids, without signs."""
    return language.join(vocabulary.parts(ids))


def describe_carefully(
    model: nn.Module,
    vocabulary: Vocabulary,
    pixels: Tensor,
    language: Language,
    number: int = 0,
    width: int = 4,
) -> list[Caption]:
    """As `describe`, but within the `LIMITS` of the language: the best that a beam finds."""
    longest, found = LIMITS[language].longest, []
    careful = Careful(model, vocabulary, LIMITS[language])
    for some in pixels.to(next(model.parameters()).device).split(TOGETHER):
        numbers = torch.full((len(some),), number, device=some.device)
        found += [best for best, *_ in beam(careful, some, numbers, longest + 1, width=width)]
    return [
        Caption(said(vocabulary, one.ids, language), math.exp(one.log_probability)) for one in found
    ]


class Careful(nn.Module):
    """A model of pictures that keeps within limits: what is beyond them has the probability 0.

    Beside its own state it keeps what was written.
    """

    def __init__(self, model: nn.Module, vocabulary: Vocabulary, limits: Limits):
        super().__init__()
        self.model, self.limits = model, limits
        known = [limits.knows(token) for token in vocabulary.characters]
        self.foreign = torch.tensor([False] * vocabulary.signs + [not one for one in known])

    def encode(self, pictures: Tensor, languages: Tensor) -> Any:
        return self.model.encode(pictures, languages)

    def start(self, seen: Any) -> tuple[Tensor, ...]:
        state = self.model.start(seen)
        return *state, torch.empty(len(state[0]), 0, dtype=torch.long, device=state[0].device)

    def step(
        self, previous: Tensor, state: tuple[Tensor, ...], seen: Any
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        *own, written = state
        written = torch.cat([written, previous[:, None]], dim=1)  # (N, 1 + T), START first
        logits, own = self.model.step(previous, tuple(own), seen)
        forbidden = self.foreign.repeat(len(previous), 1)  # (N, V)
        for row, (_, *ids) in zip(forbidden, written.tolist(), strict=True):
            row[sorted(repeating(ids, self.limits.run))] = True
            row |= len(ids) >= self.limits.longest
        forbidden[:, END] = False
        return logits.masked_fill(forbidden.to(logits.device), -torch.inf), (*own, written)


def repeating(ids: list[int], run: int) -> set[int]:
    """The numbers that, after these, would end a run that is there, or be the third in a row."""
    last = ids[max(0, len(ids) - run + 1) :]
    found = {ids[i] for i in range(run - 1, len(ids)) if ids[i - run + 1 : i] == last}
    return found | set(ids[-1:] if ids[-2:-1] == ids[-1:] else [])
