"""From words to words: the beam search, with text at both ends."""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import NamedTuple

from torch import nn

from rnnbook.data.vocabulary import Vocabulary
from rnnbook.data.words import SIGNS, encode_words
from rnnbook.decoding.search import beam, complete_first

TOGETHER = 256  # words that are searched for at once


class Reading(NamedTuple):
    """One answer to a word, and the logarithm of its probability, in nats."""

    text: str
    log_probability: float


def transliterate(
    model: nn.Module, letters: str, kana: str, words: Sequence[str], **options
) -> list[list[Reading]]:
    """The best readings of each word, best first, and behind them those that were cut off.

    `letters` and `kana` are the characters that the model knows; `options` are those of
    `search.beam`. Words of about one length are searched for together. Leaves the model in
    evaluation mode. Raises `ValueError` for a word that is empty or holds an unknown letter.
    """
    of_letters, of_kana = Vocabulary(letters, SIGNS), Vocabulary(kana, SIGNS)
    device, found = next(model.parameters()).device, {}
    for part in parts(sorted(set(words), key=len)):
        source, lengths = encode_words(part, of_letters)
        longest = 2 * len(part[-1]) + 8  # more than any name needs
        answers = beam(model, source.to(device), lengths.to(device), longest, **options)
        for word, ranked in zip(part, answers, strict=True):
            found[word] = [
                Reading(of_kana.decode(one.ids), one.log_probability)
                for one in complete_first(ranked)
            ]
    return [found[word] for word in words]


def parts(words: Sequence[str]) -> Iterator[Sequence[str]]:
    """The words, so many at a time that they fit into the memory."""
    for i in range(0, len(words), TOGETHER):
        yield words[i : i + TOGETHER]


def join_words(found: Sequence[Sequence[Reading]], number: int) -> list[Reading]:
    """The best readings of a name of several words, from those of each: joined by ・, best first.

    The words are taken to be independent: their probabilities are multiplied.
    """
    best, *others = found
    for readings in others:  # what is not among the best so far is not among the best of all
        joined = [
            Reading(f"{one.text}・{two.text}", one.log_probability + two.log_probability)
            for one, two in product(best[:number], readings[:number])
        ]
        best = sorted(joined, key=lambda one: -one.log_probability)
    return list(best[:number])
