"""Forty-five minutes of two cores for four networks that read Shakespeare, instead of for one.

Each core trains one after the other. Judged by the whole validation text, one by one and with
their probabilities averaged. Conceived after `rnnbook.studies.long_run` had been judged there.
"""

import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from itertools import repeat
from multiprocessing import get_context
from typing import Any

import torch
from torch import Tensor, nn

from rnnbook.data.shakespeare import load_rebuilt
from rnnbook.data.vocabulary import Vocabulary
from rnnbook.decoding.sampling import sample
from rnnbook.metrics.evaluation import carried_loss, windowed_loss
from rnnbook.models.ensemble import Ensemble
from rnnbook.training.recipes.recipe import Recipe
from rnnbook.training.recipes.shakespeare import STREAMS, WINDOW, one_of_four

THREADS = 2  # two processes with one thread each
RUNS = {"four": {"seeds": [0, 1, 2, 3]}}


def run(settings: dict[str, Any], stop: int | None = None) -> dict[str, Any]:
    """Train the networks; see `rnnbook.studies`. The trace is that of the first."""
    members, result = train_members(one_of_four, settings["seeds"], stop)
    if stop is None:
        groups = {n: Ensemble(members[:n]) for n in (2, 3, 4)}  # the first n
        result["steps of each"] = one_of_four().steps
        result["together"] = {str(n): losses_of(group) for n, group in groups.items()}
        result["text"] = text_of(groups[4])
    return result


def train_members(
    recipe: Callable[[], Recipe], seeds: list[int], stop: int | None
) -> tuple[list[nn.Module], dict[str, Any]]:
    """Train a network for each seed, two at a time. Returns them, and what is recorded of each."""
    if stop is not None:
        return [], {"trace": train_one(recipe, seeds[0], stop)[0]}
    text, begin = load_rebuilt(), time.perf_counter()
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        trained = list(pool.map(train_one, repeat(recipe), seeds))
    minutes = (time.perf_counter() - begin) / 60
    losses, weights = zip(*trained, strict=True)
    vocabulary = Vocabulary(text.text)
    members = [with_weights(recipe().model(len(vocabulary)), each) for each in weights]
    last_pass = len(text.train) // (STREAMS * WINDOW)
    return members, {
        "trace": losses[0],
        "parameters of each": sum(p.numel() for p in members[0].parameters()),
        "minutes": round(minutes, 1),
        "training_losses": [round(sum(each[-last_pass:]) / last_pass, 4) for each in losses],
        "alone": [losses_of(member) for member in members],
    }


def train_one(
    recipe: Callable[[], Recipe], seed: int, stop: int | None = None
) -> tuple[list[float], dict[str, Any]]:
    """Train one network on one thread. Returns its losses and its weights, as NumPy arrays."""
    torch.set_num_threads(1)
    text, chosen = load_rebuilt(), replace(recipe(), seed=seed)
    vocabulary = Vocabulary(text.text)
    model = chosen.model(len(vocabulary))
    history = chosen.train(model, vocabulary.encode(text.train), stop=stop)
    return history.losses, {name: w.numpy() for name, w in model.state_dict().items()}


def with_weights(model: nn.Module, weights: dict[str, Any]) -> nn.Module:
    """The network with these weights, which are NumPy arrays."""
    model.load_state_dict({name: torch.from_numpy(weight) for name, weight in weights.items()})
    return model


def losses_of(model: nn.Module) -> dict[str, float]:
    """The losses on the validation text, with the state carried along and in windows."""
    ids = validation()[1]
    return {
        "carried": round(carried_loss(model, ids), 4),
        "windows of 256": round(windowed_loss(model, ids, 256), 4),
    }


def text_of(model: nn.Module) -> str:
    """700 characters that the model writes."""
    return sample(model, validation()[0], "\n", 700, temperature=0.7, seed=0)


def validation() -> tuple[Vocabulary, Tensor]:
    """The vocabulary, and the validation text as numbers."""
    text = load_rebuilt()
    vocabulary = Vocabulary(text.text)
    return vocabulary, vocabulary.encode(text.validation)
