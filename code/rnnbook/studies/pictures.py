"""Pictures: words against letters, two decoders against one, and parts against the whole.

Six ways to describe pictures, three seeds each, by the recipe of the book. Five see what is made
of parts (`Gallery.train_parts`):

- in English words, in English letters, in Japanese characters;
- in both languages with one decoder, which costs as much as the two models for one language;
- in English words by a model with `whole`, in which all that is seen can change what a part means.

The sixth sees all pictures, things and flags too, in English words. Judged on the pictures of the
test, on what is new apart. English captions are compared as words, whatever they are made of;
Japanese ones as characters.
"""

from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import nn

from rnnbook.data.picture_captions import ENGLISH, JAPANESE, LETTERS, Language
from rnnbook.data.picture_gallery import Apart
from rnnbook.data.pictures import load_pictures
from rnnbook.data.vocabulary import Vocabulary
from rnnbook.decoding.pictures import describe
from rnnbook.metrics.error_rates import exact
from rnnbook.metrics.pictures import (
    bleu,
    captions_of,
    exact_without_tones,
    tones_right,
    without_tones_f1,
    word_f1,
)
from rnnbook.training.recipes.pictures import captioner, encode_captions, pictures, vocabulary_of
from rnnbook.training.recipes.recipe import Recipe

THREADS = 1
KINDS: dict[str, tuple[Language, ...]] = {
    "words": (ENGLISH,),
    "letters": (LETTERS,),
    "Japanese": (JAPANESE,),
    "both": (ENGLISH, JAPANESE),
    "whole": (ENGLISH,),
    "all pictures": (ENGLISH,),
}
RUNS = {f"{kind}, seed {seed}": {"kind": kind, "seed": seed} for seed in range(3) for kind in KINDS}


def run(settings: dict[str, Any], stop: int | None = None) -> dict[str, Any]:
    """Train one network; see `rnnbook.studies`."""
    known = load_pictures()
    languages = KINDS[settings["kind"]]
    train = known.train if settings["kind"] == "all pictures" else known.train_parts
    vocabulary = vocabulary_of(train, languages)
    chosen = recipe(**settings)
    model = chosen.model(len(vocabulary))
    data = encode_captions(train, vocabulary, languages)
    history = chosen.train(model, data, stop=stop)
    if stop is not None:
        return {"trace": history.losses}
    found = {"parameters": sum(p.numel() for p in model.parameters()), "trace": history.losses}
    for number, language in enumerate(languages):
        found |= judged(model, vocabulary, known.test, language, number)
    return found


def recipe(kind: str, seed: int) -> Recipe:
    """The recipe of the book for pictures, for other languages or a model of another kind."""
    network = partial(captioner, languages=len(KINDS[kind]), whole=kind == "whole")
    return replace(pictures(), network=network, seed=seed)


def judged(
    model: nn.Module, vocabulary: Vocabulary, side: Apart, language: Language, number: int
) -> dict[str, float]:
    """All measures of greedy captions in one language, for each kind of pictures kept apart."""
    split = JAPANESE.split if language is JAPANESE else ENGLISH.split
    found = {}
    for what, some in zip(side._fields, side, strict=True):
        pixels = torch.stack([one.pixels for one in some])
        said = describe(model, vocabulary, pixels, language, number)
        right = captions_of(some, language)
        measures = {
            "exact": exact(said, right),
            "f1": word_f1(said, right, split),
            "f1_without_tones": without_tones_f1(said, right, split),
            "exact_without_tones": exact_without_tones(said, right),
            "tones": tones_right(said, right),
        }
        if language is not JAPANESE:
            measures["bleu"] = bleu(said, right)
        found |= {f"{language.name}_{what}_{name}": value for name, value in measures.items()}
    return found
