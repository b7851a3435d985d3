"""From words to words: the beam search, with text at both ends."""

import re
from collections.abc import Iterator, Sequence
from itertools import product
from typing import NamedTuple

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from rnnbook.data.pairs import LONGEST, plain
from rnnbook.data.vocabulary import Vocabulary
from rnnbook.data.words import IGNORED, SIGNS, encode_words, teacher_forced
from rnnbook.decoding.search import beam, complete_first
from rnnbook.errors import BookError

TOGETHER = 256  # words that are searched for at once
FOLDED = str.maketrans(  # letters that are none with an accent, and the dot of "Dr."
    {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "ß": "ss", "æ": "ae", "œ": "oe", "ı": "i"}
    | {".": " "}
)
LETTER = re.compile(r"[^\W\d_]")


class SpellingError(BookError):
    """A text is no name that a model could read. The message says why and what to do."""


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


@torch.no_grad()
def rank(
    model: nn.Module, letters: str, kana: str, word: str, readings: Sequence[str]
) -> list[Reading]:
    """The given readings of a word, the likeliest first, with probabilities that add up to 1."""
    of_letters, of_kana = Vocabulary(letters, SIGNS), Vocabulary(kana, SIGNS)
    source, lengths = encode_words([word] * len(readings), of_letters)
    previous, y = teacher_forced(*encode_words(readings, of_kana))
    device = next(model.parameters()).device
    logits = model(source.to(device), lengths.to(device), previous.to(device)).cpu()  # (N, T, V)
    losses = cross_entropy(logits.transpose(1, 2), y, ignore_index=IGNORED, reduction="none")
    shares = (-losses.sum(dim=1)).log_softmax(dim=0).tolist()
    return sorted(map(Reading, readings, shares), key=lambda one: -one.log_probability)


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


def words_of(name: str, letters: str) -> list[str]:
    """The words of a name, in small letters without accents: "Dr. Ørsted" is dr, orsted.

    Raises `SpellingError` for a name without letters, with unknown ones, or with too long a word.
    """
    words = plain(name).translate(FOLDED).split()
    if not words or not all(map(LETTER.search, words)):
        raise SpellingError(f"{name[:LONGEST]!r} is no name; give letters")
    if unknown := sorted(set("".join(words)) - set(letters)):
        known = letters[:100]
        raise SpellingError(
            f"{name[:LONGEST]!r} holds {', '.join(map(repr, unknown))}; the model knows {known!r}"
        )
    if max(map(len, words)) > LONGEST:
        raise SpellingError(f"{name[:20]!r}… is longer than {LONGEST} letters; give a shorter name")
    return words
