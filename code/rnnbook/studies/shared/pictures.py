"""What the studies of pictures share: a network is trained, and its English captions are judged."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import nn

from rnnbook.data.picture_captions import ENGLISH, Language
from rnnbook.data.picture_gallery import Gallery, Picture
from rnnbook.data.vocabulary import Vocabulary
from rnnbook.decoding.pictures import describe
from rnnbook.metrics.error_rates import exact
from rnnbook.metrics.picture_parts import PARTS, folded, share_right, wrong_known
from rnnbook.metrics.pictures import captions_of, exact_without_tones, without_tones_f1
from rnnbook.models.picture_eyes import wide_encoder
from rnnbook.models.pictures import Captioner
from rnnbook.training.recipes.pictures import captioner, encode_captions, pictures, vocabulary_of
from rnnbook.training.settings import History

WIDTHS = (32, 64, 96)


def wide_captioner(V: int, widths: tuple[int, int, int] = WIDTHS, **shape) -> Captioner:
    """The captioner of the book with an eye whose every place sees the whole picture."""
    model = captioner(V, widths=widths, **shape)
    model.encoder = wide_encoder(*widths)
    return model


def trained(
    known: Gallery,
    languages: Sequence[Language],
    seed: int,
    stop: int | None = None,
    network=captioner,
    **changes: Any,
) -> tuple[nn.Module, Vocabulary, History]:
    """A network by the recipe of the book, with changes to it such as `lr`."""
    vocabulary = vocabulary_of(known.train_parts, languages)
    network = partial(network, languages=len(languages))
    recipe = replace(pictures(), network=network, seed=seed, **changes)
    model = recipe.model(len(vocabulary))
    data = encode_captions(known.train_parts, vocabulary, languages)
    return model, vocabulary, recipe.train(model, data, stop=stop)


def judged(
    model: nn.Module, vocabulary: Vocabulary, some: Sequence[Picture], known: Gallery
) -> dict[str, float]:
    """How often a whole caption, its name and each of its parts is right; and what else is said."""
    said = describe(model, vocabulary, torch.stack([one.pixels for one in some]), ENGLISH)
    right = captions_of(some, ENGLISH)
    names = {one.name for one in known.train_parts}
    parts = {part: share_right(find, said, right) for part, find in PARTS.items()}
    return parts | {
        "exact": exact(said, right),
        "name": exact_without_tones(said, right),
        "f1_without_tones": without_tones_f1(said, right),
        "folded": share_right(folded, said, right),
        "wrong_known": wrong_known(said, right, names),
    }


def named(found: dict[str, float], side: str) -> dict[str, float]:
    """Measures with the name of the side before theirs: "names_exact"."""
    return {f"{side}_{name}": value for name, value in found.items()}
