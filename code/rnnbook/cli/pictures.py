"""The commands for pictures: train a model that describes them, and let it describe some."""

import argparse

import torch
from torch.nn import Module

from rnnbook.cli.output import in_one_line
from rnnbook.cli.train import run
from rnnbook.data.picture_captions import LANGUAGES
from rnnbook.data.picture_file import read_picture
from rnnbook.data.picture_gallery import Picture
from rnnbook.data.pictures import load_pictures
from rnnbook.data.vocabulary import Vocabulary
from rnnbook.decoding import pictures as descriptions
from rnnbook.files import check_ends
from rnnbook.metrics.error_rates import exact
from rnnbook.metrics.pictures import captions_of, word_f1
from rnnbook.training.model_files import load_model
from rnnbook.training.recipes.pictures import encode_captions, vocabulary_of

# Below it a caption is hardly ever right: of the pictures held out, after 14 epochs of training, 1
# of 146 in English and 15 of 216 in Japanese; above it 53 of 193, and 22 of 123.
SURE = 0.1


def train(options: argparse.Namespace) -> None:
    """Train the model of pictures on both languages, and measure it on pictures kept apart."""
    known = load_pictures()
    vocabulary = vocabulary_of(known.train)

    def test(model: Module) -> str:
        lines = []
        for what, some in zip(known.test._fields, known.test, strict=True):
            shares = ", ".join(
                f"{language} {right:.1%} exact, F1 {f1:.3f}"
                for language, (right, f1) in judged(model, vocabulary, some).items()
            )
            lines.append(f"{len(some)} new {what}: {shares}")
        return "\n".join(lines)

    run(
        options,
        "pictures",
        (encode_captions(known.train, vocabulary),),
        test,
        vocabularies=[vocabulary],
        evaluate=lambda model: judged(model, vocabulary, known.held_out.tones)["en"][0],
        measure="held-out tones exact",
    )


def judged(
    model: Module, vocabulary: Vocabulary, pictures: tuple[Picture, ...]
) -> dict[str, tuple[float, float]]:
    """For each language, the share of captions that are exact, and their mean F1."""
    pixels, found = torch.stack([picture.pixels for picture in pictures]), {}
    for k, (code, language) in enumerate(LANGUAGES.items()):
        said = descriptions.describe(model, vocabulary, pixels, language, k)
        right = captions_of(pictures, language)
        found[code] = exact(said, right), word_f1(said, right, language.split)
    return found


def describe(options: argparse.Namespace) -> None:
    """Print what the model says of each picture, and how probable it finds that."""
    for path in options.pictures:
        check_ends(path)
    pixels = torch.stack([read_picture(path) for path in options.pictures])
    model, (vocabulary,) = load_model(options.model, "pictures")
    number, language = list(LANGUAGES).index(options.language), LANGUAGES[options.language]
    how = language, number, options.beam
    said = descriptions.describe_carefully(model, vocabulary, pixels, *how)
    for path, (text, probability) in zip(options.pictures, said, strict=True):
        doubt = "not sure: " if probability < SURE else ""
        print(in_one_line(f"{path}: {doubt}{text} ({probability:.1%})"), flush=True)
