"""What a model file holds, and whether it is sound; `rnnbook.training.model_files` writes it.

Nothing in a file is believed: whatever it holds is refused before any memory is taken for it.
"""

from typing import Any, NamedTuple

import torch
from torch import Tensor

from rnnbook.data.vocabulary import Vocabulary
from rnnbook.training.recipes.all_recipes import RECIPES
from rnnbook.training.recipes.recipe import Recipe

DTYPES = torch.float32, torch.int64  # of weights, and of a count of batches
LARGEST = 1e6  # of a weight: ours stay far below, and with far larger ones numbers overflow


class ModelContent(NamedTuple):
    """The content of a model file."""

    settings: dict[str, str | int]
    weights: dict[str, Tensor] | None  # None until the run is finished
    vocabularies: tuple[Vocabulary, ...]


def checked(saved: dict[str, Any]) -> ModelContent | None:
    """The content of a model file, from what was saved in it; None where it is no model's."""
    settings = saved["settings"]
    if not _are_settings(settings):
        return None
    if saved["weights"] is None:
        return ModelContent(settings, None, ())
    weights = _unpacked(saved)
    recipe = RECIPES[settings["recipe"]]()
    tokens = _tokens(saved, recipe)
    if not (_are_weights(weights) and _fit(tokens, recipe)):
        return None
    if "characters" in saved:  # of before December 2026, when the encoder of pictures was an eye
        weights = {name.replace("eye.", "encoder."): one for name, one in weights.items()}
    known = (Vocabulary(tokens[name], recipe.signs) for name in recipe.vocabularies)
    return ModelContent(settings, weights, tuple(known))


def _unpacked(saved: dict[str, Any]) -> Any:
    """The weights in a model file; matrices of 8 bits are multiplied by the scales of their rows.

    The published models have such matrices (`rnnbook.weights`). None where the two do not fit.
    """
    weights, scales = saved["weights"], saved.get("scales")
    if scales is None:
        return weights
    if not (isinstance(weights, dict) and _are_weights(scales) and scales.keys() <= weights.keys()):
        return None
    for name, scale in scales.items():
        rows = weights[name]
        if not (
            _is_plain(rows, (torch.int8,)) and rows.dim() == 2 and scale.shape == rows[:, 0].shape
        ):
            return None
    return weights | {name: weights[name] * scale[:, None] for name, scale in scales.items()}


def _are_settings(settings: Any) -> bool:
    """Whether these may be the settings of a run by a recipe that is known."""
    return (
        isinstance(settings, dict)
        and all(isinstance(entry, str | int) for entry in [*settings, *settings.values()])
        and settings.get("recipe") in RECIPES
    )


def _tokens(saved: dict[str, Any], recipe: Recipe) -> Any:
    """The characters or words of each vocabulary in a model file, by its name.

    Files of before December 2026 hold them without names, as `characters`: of two vocabularies a
    tuple, of one what it has, of none an empty text.
    """
    if "characters" not in saved:
        return saved.get("vocabularies")
    old = saved["characters"]
    parts = old if isinstance(old, tuple) else (old,) if recipe.vocabularies else ()
    texts = all(isinstance(part, str | list) for part in parts)
    if texts and len(parts) == len(recipe.vocabularies) and (parts or old == ""):
        return {name: list(part) for name, part in zip(recipe.vocabularies, parts, strict=True)}
    return None


def _fit(tokens: Any, recipe: Recipe) -> bool:
    """Whether these are the vocabularies of a recipe, of which each has its tokens in order."""
    return (
        isinstance(tokens, dict)
        and tuple(tokens) == recipe.vocabularies
        and all(map(_are_tokens, tokens.values()))
    )


def _are_tokens(tokens: Any) -> bool:
    """Whether these are texts, at least one, of which each is there once, in order."""
    texts = isinstance(tokens, list) and all(isinstance(token, str) for token in tokens)
    return texts and bool(tokens) and tokens == sorted(set(tokens))


def _are_weights(content: Any) -> bool:
    return isinstance(content, dict) and all(
        isinstance(name, str) and _is_plain(weight) and bool((weight.abs() <= LARGEST).all())
        for name, weight in content.items()
    )


def _is_plain(weight: Any, dtypes: tuple[torch.dtype, ...] = DTYPES) -> bool:
    """Whether this is a tensor with a number of its own, in the memory, for each of its places."""
    return (
        type(weight) is Tensor
        and not weight.is_nested
        and weight.layout == torch.strided
        and weight.device.type == "cpu"
        and weight.dtype in dtypes
        and weight.numel() * weight.element_size() <= weight.untyped_storage().nbytes()
    )
