"""The commands that use what is there: models of digits, speech and text, the machine."""

import argparse
import json
from itertools import chain, islice
from random import Random

import torch

from rnnbook import bench as benchmark
from rnnbook.cli.errors import UsageError
from rnnbook.cli.finding import model_file
from rnnbook.cli.output import harmless, in_one_line
from rnnbook.data.digit_image import read_digit
from rnnbook.data.speech import load_speech
from rnnbook.data.vocabulary import Vocabulary
from rnnbook.decoding.ctc import transcribe
from rnnbook.decoding.sampling import stream
from rnnbook.files import check_ends
from rnnbook.models.ensemble import Ensemble
from rnnbook.training.model_files import load_model


def classify(options: argparse.Namespace) -> None:
    """Print the class of each picture, and its three likeliest classes."""
    for path in options.images:
        check_ends(path)
    images = torch.stack([read_digit(path) for path in options.images])  # (N, 28, 28)
    model, _ = load_model(model_file(options.model, "mnist"), "mnist")
    with torch.no_grad():
        probabilities = model(images)[0].softmax(dim=1)  # (N, 10)
    for path, row in zip(options.images, probabilities, strict=True):
        likeliest = row.argsort(descending=True)[:3].tolist()
        shares = ", ".join(f"{k}: {row[k]:.1%}" for k in likeliest)
        print(f"{in_one_line(path)}: {likeliest[0]}  ({shares})")


def sample(options: argparse.Namespace) -> None:
    """Print the prompt and what the model writes after it, each character when it is drawn."""
    recipes = "shakespeare", "shakespeare-long"
    paths = options.model or [model_file(None, "shakespeare")]
    models, known = zip(*(load_model(path, *recipes) for path in paths), strict=True)
    vocabulary = known[0][0]
    if any(own.characters != vocabulary.characters for (own,) in known):
        raise UsageError("the models do not know the same characters; average models of one text")
    pieces = stream(
        Ensemble(models) if len(models) > 1 else models[0],
        vocabulary,
        beginning(options.prompt, vocabulary),
        temperature=options.temperature,
        top_k=options.top_k,
        seed=options.seed,
    )
    try:
        first = next(pieces)
    except ValueError as error:  # the prompt is empty, or holds what the model does not know
        raise UsageError(error) from error
    for piece in chain([options.prompt, first], islice(pieces, options.length - 1)):
        print(harmless(piece), end="", flush=True)
    if piece != "\n":
        print()


def beginning(prompt: str, vocabulary: Vocabulary) -> str:
    """What a model reads for a prompt: the beginning of a paragraph, unless it begins with a line.

    In the training hardly anything was written with nothing read before it, and a model of a small
    text then writes no words.
    """
    if not prompt or prompt.startswith("\n") or "\n" not in vocabulary.characters:
        return prompt
    return f"\n\n{prompt}"


def listen(options: argparse.Namespace) -> None:
    """Join recordings of the digits of each string, and print what the model hears."""
    model, _ = load_model(model_file(options.model, "speech"), "speech")
    random, test = Random(options.seed), load_speech().test
    for text in options.strings:
        string = [random.choice([one for one in test if one.digit == int(d)]) for d in text]
        print(f"{text}: {transcribe(model, [string])[0]}", flush=True)


def bench(options: argparse.Namespace) -> None:
    """Print how fast training runs on this machine, as JSON."""
    print(json.dumps(benchmark.bench(), indent=2))
