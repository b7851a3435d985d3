"""From pictures to captions: the search, with pixels at one end and text at the other."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from rnnbook.data.picture_captions import Language
from rnnbook.data.vocabulary import Vocabulary
from rnnbook.decoding.search import beam, complete_first, greedy

TOGETHER = 64  # pictures that are looked at at once


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
