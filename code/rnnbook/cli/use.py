"""The commands that use what is there: the data, trained models, studies, the machine."""

import argparse
from itertools import chain, islice

from rnnbook.cli.errors import UsageError


def data(options: argparse.Namespace) -> None:
    """Fetch the data sets, and say where they are and which text it is."""
    from rnnbook.data.fetching.cache import cache_folder
    from rnnbook.data.kanji import load_kanji
    from rnnbook.data.mnist import load_mnist
    from rnnbook.data.names import load_names
    from rnnbook.data.packing import pack
    from rnnbook.data.pictures import load_pictures
    from rnnbook.data.shakespeare import load_shakespeare
    from rnnbook.data.speech import load_speech

    mnist = load_mnist()
    print(f"MNIST: {len(mnist.train_images):,} + {len(mnist.test_images):,} digits")
    text = load_shakespeare()
    print(f"Shakespeare: {len(text.text):,} characters, {text.source}")
    names = load_names()
    print(f"Names: {len(names.names):,} spellings with their readings in katakana")
    print(f"Spoken digits: {len(load_speech().recordings):,} recordings")
    print(f"Pictures: {len(load_pictures().pictures):,} with their captions in two languages")
    print(f"Kanji: {len(load_kanji().kanji):,} characters as strokes")
    print(f"All are in {cache_folder()}")
    if options.pack:
        size = sum(path.stat().st_size for path in pack(options.pack))
        print(f"Packed into {options.pack}: {size / 1e6:.0f} MB")


def classify(options: argparse.Namespace) -> None:
    """Print the class of each picture, and its three likeliest classes."""
    import torch

    from rnnbook.data.digit_image import read_digit
    from rnnbook.files import check_ends
    from rnnbook.training.model_files import load_model

    for path in options.images:
        check_ends(path)
    images = torch.stack([read_digit(path) for path in options.images])  # (N, 28, 28)
    model, _ = load_model(options.model, "mnist")
    with torch.no_grad():
        probabilities = model(images)[0].softmax(dim=1)  # (N, 10)
    for path, row in zip(options.images, probabilities, strict=True):
        likeliest = row.argsort(descending=True)[:3].tolist()
        print(f"{path}: {likeliest[0]}  ({', '.join(f'{k}: {row[k]:.1%}' for k in likeliest)})")


def sample(options: argparse.Namespace) -> None:
    """Print the prompt and what the model writes after it, each character when it is drawn."""
    from rnnbook.data.vocabulary import Vocabulary
    from rnnbook.decoding.sampling import stream
    from rnnbook.models.ensemble import Ensemble
    from rnnbook.training.model_files import load_model

    recipes = "shakespeare", "shakespeare-long"
    models, known = zip(*(load_model(path, *recipes) for path in options.model), strict=True)
    if len(set(known)) > 1:
        raise UsageError("the models do not know the same characters; average models of one text")
    model, characters = Ensemble(models) if len(models) > 1 else models[0], known[0]
    pieces = stream(
        model,
        Vocabulary(characters),
        options.prompt,
        temperature=options.temperature,
        top_k=options.top_k,
        seed=options.seed,
    )
    try:
        first = next(pieces)
    except ValueError as error:  # the prompt is empty, or holds what the model does not know
        raise UsageError(error) from error
    for piece in chain([options.prompt, first], islice(pieces, options.length - 1)):
        print(piece, end="", flush=True)
    if piece != "\n":
        print()


def study(options: argparse.Namespace) -> None:
    """Carry out what the records of studies do not have yet, or confirm them."""
    from rnnbook.records import conduct

    for name in options.names:
        if name not in conduct.names():
            known = ", ".join(conduct.names())
            raise UsageError(f"there is no study {name!r}; there are: {known}")
    for name in options.names:
        record = conduct.confirm(name) if options.confirm else conduct.conduct(name)
        print(f"{name}: {record.origin()}", flush=True)


def bench(options: argparse.Namespace) -> None:
    """Print how fast training runs on this machine, as JSON."""
    import json

    from rnnbook.bench import bench

    print(json.dumps(bench(), indent=2))
