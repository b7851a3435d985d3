"""The commands for names: train a model that writes them in katakana, and use it."""

import argparse
import hashlib
import math
import sys
from collections.abc import Iterator
from functools import partial
from typing import TextIO

from torch.nn import Module

from rnnbook.cli.errors import UsageError
from rnnbook.cli.options import BEAM
from rnnbook.cli.output import in_one_line
from rnnbook.cli.train import run
from rnnbook.data.names import SHA256, load_names
from rnnbook.data.pairs import LONGEST, Names, plain, read_pairs
from rnnbook.data.vocabulary import Vocabulary
from rnnbook.data.words import SIGNS, encode_pairs
from rnnbook.decoding import names as transliteration
from rnnbook.metrics.error_rates import among_first, character_error_rate, exact
from rnnbook.training.model_files import load_model

AT_ONCE = 256  # names that are read from a file before they are answered
LONGEST_LINE = 10_000  # characters; of what has no end of a line, no more is read


def train(options: argparse.Namespace) -> None:
    """Train a model of names with attention, and measure it on names kept apart."""
    names, origin = read_names(options)
    characters = names.letters, names.kana

    def held_out(model: Module) -> float:
        spellings, readings = zip(*names.held_out, strict=True)
        ranked = transliteration.transliterate(model, *characters, spellings, width=1)
        return exact([first.text for first, *_ in ranked], readings)

    run(
        options,
        "names",
        encode_pairs(names.train, *characters),
        lambda model: report(model, names),
        vocabularies=[Vocabulary(known, SIGNS) for known in characters],
        origin={"pairs": origin},
        evaluate=held_out,
        measure="held-out exact",
    )


def read_names(options: argparse.Namespace) -> tuple[Names, str]:
    """JMnedict, or the pairs in a file, and the first digits of its SHA-256."""
    if options.pairs is None:
        return load_names(), SHA256[:12]
    return read_pairs(options.pairs), hashlib.sha256(options.pairs.read_bytes()).hexdigest()[:12]


def report(model: Module, names: Names) -> str:
    """How good a model is on the names that are for the test."""
    spellings, readings = zip(*names.test, strict=True)
    characters = names.letters, names.kana
    ranked = transliteration.transliterate(model, *characters, spellings, width=BEAM)
    texts = [[answer.text for answer in answers] for answers in ranked]
    best = [first for first, *_ in texts]
    return (
        f"{len(best):,} test names, beam of {BEAM}: {exact(best, readings):.1%} exact, "
        f"{among_first(texts, readings, 4):.1%} among the first four, "
        f"character error rate {character_error_rate(best, readings):.3f}"
    )


def transliterate(options: argparse.Namespace) -> None:
    """Print each name in katakana; without names, those of the standard input, one a line."""
    model, vocabularies = load_model(options.model, "names")
    letters, kana = ("".join(known.characters) for known in vocabularies)
    if options.names:
        batches = [[(name, words_of(name, letters)) for name in options.names]]
    else:  # whoever types waits for each answer
        batches = read_lines(sys.stdin, letters, 1 if sys.stdin.isatty() else AT_ONCE)
    for batch in batches:
        split = [words for _, words in batch]
        answers = answer(options, model, letters, kana, split)
        for (name, _), best in zip(batch, answers, strict=True):
            print(in_one_line(f"{name}: {', '.join(best)}"), flush=True)


def read_lines(file: TextIO, letters: str, at_once: int) -> Iterator[list[tuple[str, list[str]]]]:
    """Names, one a line, and their words, so many at once. Blank lines do not count.

    Raises `UsageError` at a line that holds no name, when those before it have been answered.
    """
    batch = []
    lines = iter(partial(file.readline, LONGEST_LINE + 1), "")
    for number, line in enumerate(lines, start=1):
        name = line.removeprefix("\ufeff").strip()  # the mark with which some files begin
        try:
            if len(line) > LONGEST_LINE:
                raise UsageError(f"it is longer than {LONGEST_LINE:,} characters; give one name")
            if name:
                batch.append((name, words_of(name, letters)))
        except UsageError as error:
            yield batch
            raise UsageError(f"line {number}: {error}") from error
        if len(batch) == at_once:
            yield batch
            batch = []
    yield batch


def answer(
    options: argparse.Namespace, model: Module, letters: str, kana: str, split: list[list[str]]
) -> list[list[str]]:
    """For each name, of which the words are given, its best answers.

    Where more than one is wanted, they have their probabilities.
    """
    words = sorted({word for each in split for word in each})
    width = max(options.beam, options.answers)
    ranked = transliteration.transliterate(model, letters, kana, words, width=width)
    found = dict(zip(words, ranked, strict=True))
    ranked = [
        transliteration.join_words([found[word] for word in each], options.answers)
        for each in split
    ]
    if options.answers == 1:
        return [[best.text] for (best,) in ranked]
    return [
        [f"{one.text} ({math.exp(one.log_probability):.1%})" for one in each] for each in ranked
    ]


def words_of(name: str, letters: str) -> list[str]:
    """The words of a name, in small letters without accents.

    Raises `UsageError` for a name without letters, with unknown ones, or with too long a word.
    """
    words = plain(name).split()
    if not words:
        raise UsageError(f"{name!r} is no name; give letters")
    if unknown := sorted(set("".join(words)) - set(letters)):
        known = letters[:100]
        raise UsageError(
            f"{name[:LONGEST]!r} holds {', '.join(map(repr, unknown))}; the model knows {known!r}"
        )
    if max(map(len, words)) > LONGEST:
        raise UsageError(f"{name[:20]!r}… is longer than {LONGEST} letters; give a shorter name")
    return words
