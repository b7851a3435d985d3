"""The commands for names: train a model that writes them in katakana, and use it."""

import argparse
import hashlib
import math
import sys
from collections.abc import Iterable, Iterator
from functools import partial
from typing import TextIO

from torch.nn import Module

from rnnbook.cli.errors import UsageError, complain
from rnnbook.cli.finding import is_published, model_file
from rnnbook.cli.options import BEAM
from rnnbook.cli.output import in_one_line
from rnnbook.cli.train import run
from rnnbook.data.fetching.cache import cached
from rnnbook.data.fetching.errors import DataError
from rnnbook.data.names import FILE, SHA256, load_names
from rnnbook.data.pairs import Names, read_pairs
from rnnbook.data.vocabulary import Vocabulary
from rnnbook.data.words import SIGNS, encode_pairs
from rnnbook.decoding import names as transliteration
from rnnbook.errors import called
from rnnbook.training.model_files import load_model

AT_ONCE = 256  # names that are read from a file before they are answered
LONGEST_LINE = 10_000  # characters; of what has no end of a line, no more is read


def train(options: argparse.Namespace) -> None:
    """Train a model of names with attention, and measure it on names kept apart."""
    from rnnbook.metrics.error_rates import exact  # here, as below: it needs an extra

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
    from rnnbook.metrics.error_rates import among_first, character_error_rate, exact

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


def transliterate(options: argparse.Namespace) -> int:
    """Print each name in katakana; without names, those of the standard input, one a line.

    A word that the dictionary has is taken from it, if the model was trained on it. What is no
    name is said, and the others are answered all the same; the exit code is then 2, else 0.
    """
    path = model_file(options.model, "names")
    model, vocabularies = load_model(path, "names")
    letters, kana = ("".join(known.characters) for known in vocabularies)
    fetch = not is_published(path)  # or it would not answer at once
    dictionary = {} if options.network_only else dictionary_of(letters, kana, fetch)
    if options.names:
        numbered, at_once = [("", name) for name in options.names], len(options.names)
    else:  # whoever types waits for each answer
        numbered, at_once = read_lines(sys.stdin), 1 if sys.stdin.isatty() else AT_ONCE
    code = 0
    for batch in batched(numbered, at_once):
        names = {}
        for where, name in batch:
            try:
                names[name] = transliteration.words_of(name, letters)
            except transliteration.SpellingError as error:
                code = complain(f"{where}{error}", 2)
        answers = answer(options, model, letters, kana, [*names.values()], dictionary)
        of_name = dict(zip(names, answers, strict=True))
        for name in (name for _, name in batch if name in of_name):
            print(in_one_line(f"{name}: {', '.join(of_name[name])}"), flush=True)
    return code


def dictionary_of(letters: str, kana: str, fetch: bool) -> dict[str, tuple[str, ...]]:
    """The readings of each spelling of JMnedict; none for a model that was trained on others.

    Where the dictionary cannot be had, or is not to be fetched, that is said, and the network
    answers alone.
    """
    if not (fetch or cached(FILE, SHA256)):
        complain(f"without the dictionary, by the network alone; to fetch it: {called()} data", 0)
        return {}
    try:
        names = load_names()
    except DataError as error:
        complain(f"without the dictionary, by the network alone ({error})", 0)
        return {}
    return dict(names.names) if (letters, kana) == (names.letters, names.kana) else {}


def read_lines(file: TextIO) -> Iterator[tuple[str, str]]:
    """Where each line stands ("line 3: "), and the name in it. Blank lines do not count.

    Raises `UsageError` at a line that is too long, when those before it have been read.
    """
    lines = iter(partial(file.readline, LONGEST_LINE + 1), "")
    for number, line in enumerate(lines, start=1):
        if len(line) > LONGEST_LINE:
            raise UsageError(
                f"line {number}: it is longer than {LONGEST_LINE:,} characters; give one name"
            )
        if name := line.removeprefix("\ufeff").strip():  # the mark with which some files begin
            yield f"line {number}: ", name


def batched(numbered: Iterable[tuple[str, str]], at_once: int) -> Iterator[list[tuple[str, str]]]:
    """The names, so many at once; what was read before an error is given before it is raised."""
    batch, stop = [], None
    try:
        for one in numbered:
            batch.append(one)
            if len(batch) == at_once:
                yield batch
                batch = []
    except UsageError as error:
        stop = error
    if batch:
        yield batch
    if stop:
        raise stop


def answer(
    options: argparse.Namespace,
    model: Module,
    letters: str,
    kana: str,
    split: list[list[str]],
    dictionary: dict[str, tuple[str, ...]],
) -> list[list[str]]:
    """For each name, of which the words are given, its best answers.

    Behind them stands whether they are from the dictionary, and where more than one is wanted,
    their probabilities, unless the whole name is from the dictionary.
    """
    known = {word for each in split for word in each if word in dictionary}
    words = sorted({word for each in split for word in each} - known)
    width = max(options.beam, options.answers)
    ranked = transliteration.transliterate(model, letters, kana, words, width=width)
    found = dict(zip(words, ranked, strict=True))
    for word in known:
        found[word] = transliteration.rank(model, letters, kana, word, dictionary[word])
    answers = []
    for each in split:
        best = transliteration.join_words([found[word] for word in each], options.answers)
        mark = [" (dictionary)"] if known.issuperset(each) else []
        if not mark and known.intersection(each):
            mark = [f" (dictionary: {', '.join(word for word in each if word in known)})"]
        shown = [f"{one.text}{_share(one, options, known.issuperset(each))}" for one in best]
        answers.append([*shown[:-1], "".join([shown[-1], *mark])])
    return answers


def _share(one: transliteration.Reading, options: argparse.Namespace, is_known: bool) -> str:
    wanted = options.answers > 1 and not is_known
    return f" ({math.exp(one.log_probability):.1%})" if wanted else ""
