"""From words to words: the beam search, with text at both ends."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from torch import nn

from rnnbook.data.vocabulary import Vocabulary
from rnnbook.data.words import encode_words
from rnnbook.decoding.search import beam
from rnnbook.training.measures import device_of

TOGETHER = 256  # words that are searched for at once


class Reading(NamedTuple):
    """One answer to a word, and the logarithm of its probability, in nats."""

    text: str
    log_probability: float


def transliterate(
    model: nn.Module,
    letters: Vocabulary,
    kana: Vocabulary,
    words: Sequence[str],
    **options,
) -> list[list[Reading]]:
    """The best readings of each word, best first. Takes the options of `search.beam`.

    Words of one length are searched for together. Leaves the model in evaluation mode. Raises
    `ValueError` for a word that is empty or holds a letter that is not known.
    """
    order = sorted(range(len(words)), key=lambda i: len(words[i]))
    found: list[list[Reading]] = [[]] * len(words)
    for part in parts(order):
        source, lengths = encode_words([words[i] for i in part], letters)
        device = device_of(model)
        answers = beam(model, source.to(device), lengths.to(device), **options)
        for i, ranked in zip(part, answers, strict=True):
            found[i] = [Reading(kana.decode(one.ids), one.log_probability) for one in ranked]
    return found


def parts(order: list[int]) -> Iterator[list[int]]:
    """The order in parts that are small enough for the memory."""
    for i in range(0, len(order), TOGETHER):
        yield order[i : i + TOGETHER]
