"""What was said: from the probabilities of each frame to a text, as CTC understands them.

`rnnbook.models.ctc` says what an alignment is.
"""

import math
from collections import defaultdict
from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

import torch
from torch import Tensor, nn

from rnnbook.data.speech import BLANK, Recording, encode_strings, text_of

TOGETHER = 100  # strings that are heard at once


class Heard(NamedTuple):
    """A text, and the logarithm of its probability, in nats."""

    text: list[int]
    log_probability: float


def collapse(alignment: Sequence[int]) -> list[int]:
    """The text that an alignment says: repeated signs once, then without blanks."""
    return [sign for sign, _ in groupby(alignment) if sign != BLANK]


def best_path(logits: Tensor, lengths: Tensor) -> list[list[int]]:
    """For each row of logits (B, T, V), the text of its likeliest alignment."""
    signs = logits.argmax(dim=2)  # (B, T)
    return [collapse(row[:T]) for row, T in zip(signs.tolist(), lengths.tolist(), strict=True)]


@torch.no_grad()
def transcribe(model: nn.Module, strings: Sequence[Sequence[Recording]]) -> list[str]:
    """The digits that a model hears in each string, by its best path. Leaves it evaluating."""
    model.eval()
    device, heard = next(model.parameters()).device, []
    for i in range(0, len(strings), TOGETHER):
        some = encode_strings(strings[i : i + TOGETHER])
        heard += map(text_of, best_path(model(some.frames.to(device), some.lengths), some.lengths))
    return heard


def prefix_beam(log_p: Tensor, width: int = 8, prior: Tensor | None = None) -> list[Heard]:
    """The likeliest texts, best first, of which at most `width` are kept after each frame.

    Of each beginning of a text it keeps the probability of all alignments that say it, those that
    end with a blank apart from the others: only after a blank can the last sign come again.
    `prior` (V, V), if given, is a log probability of a sign after another, the first after
    `BLANK`; it is added where a sign is added. Left out: that a text ends. log_p is (T, V).
    """
    start: tuple[int, ...] = ()
    kept = {start: (0.0, -math.inf)}  # log probabilities: ends with a blank, ends with a sign
    gains = None if prior is None else prior.tolist()  # numbers: their arithmetic is far quicker
    for row in log_p.tolist():
        ends = defaultdict(lambda: [-math.inf, -math.inf])
        for text, (blank, sign) in kept.items():
            last, both = text[-1] if text else BLANK, add(blank, sign)
            ends[text][0] = add(ends[text][0], both + row[BLANK])
            if text:
                ends[text][1] = add(ends[text][1], sign + row[last])
            for k in range(1, len(row)):
                before = blank if k == last else both
                gain = row[k] + (0.0 if gains is None else gains[last][k])
                longer = ends[(*text, k)]
                longer[1] = add(longer[1], before + gain)
        best = sorted(ends.items(), key=lambda item: -add(*item[1]))[:width]
        kept = {text: (blank, sign) for text, (blank, sign) in best}
    return [Heard(list(text), add(*both)) for text, both in kept.items()]


def add(a: float, b: float) -> float:
    """log(exp a + exp b)."""
    low, high = min(a, b), max(a, b)
    return high if low == -math.inf else high + math.log1p(math.exp(low - high))
