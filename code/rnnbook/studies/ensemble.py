"""Forty-five minutes of two cores for four networks that read Shakespeare, instead of for one.

Each core trains one after the other. Judged by the whole validation text, one by one and with
their probabilities averaged. Conceived after `rnnbook.studies.long_run` had been judged there.
"""

import time
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from multiprocessing import get_context
from typing import Any

import torch
from torch import Tensor, nn

from rnnbook.data.shakespeare import load_rebuilt
from rnnbook.data.text import Vocabulary
from rnnbook.ensemble import Ensemble, ensemble_member, train_member
from rnnbook.sampling import sample
from rnnbook.training import carried_loss, windowed_loss

THREADS = 2  # two processes with one thread each
RUNS = {"four": {"seeds": [0, 1, 2, 3]}}


def run(settings: dict[str, Any], stop: int | None = None) -> dict[str, Any]:
    """Train the networks; see `rnnbook.study`. The trace is that of the first."""
    text, begin = load_rebuilt(), time.perf_counter()
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        trained = list(pool.map(train_one, settings["seeds"], repeat(stop)))
    minutes = (time.perf_counter() - begin) / 60
    result = {"trace": trained[0]["losses"]}
    if stop is None:
        vocabulary = Vocabulary(text.text)
        members = [load_member(one["weights"], len(vocabulary)) for one in trained]
        last_pass = len(text.train) // (16 * 64)
        result["parameters of each"] = sum(p.numel() for p in members[0].parameters())
        result["steps of each"] = len(trained[0]["losses"])
        result["minutes"] = round(minutes, 1)
        result["training_losses"] = [
            round(sum(one["losses"][-last_pass:]) / last_pass, 4) for one in trained
        ]
        validation = vocabulary.encode(text.validation)
        groups = {n: Ensemble(members[:n]) for n in (2, 3, 4)}  # the first n
        result["alone"] = [measure(member, validation) for member in members]
        result["together"] = {str(n): measure(group, validation) for n, group in groups.items()}
        result["text"] = sample(groups[4], vocabulary, "\n", 700, temperature=0.7, seed=0)
    return result


def train_one(seed: int, stop: int | None) -> dict[str, Any]:
    """Train one network on one thread. Returns its losses and its weights, as NumPy arrays."""
    torch.set_num_threads(1)
    text = load_rebuilt()
    vocabulary = Vocabulary(text.text)
    model = ensemble_member(len(vocabulary), seed)
    history = train_member(model, vocabulary.encode(text.train), seed=seed, stop=stop)
    weights = {name: weight.numpy() for name, weight in model.state_dict().items()}
    return {"losses": history.losses, "weights": weights}


def load_member(weights: dict[str, Any], vocabulary_size: int) -> nn.Module:
    """The network with these weights."""
    model = ensemble_member(vocabulary_size)
    model.load_state_dict({name: torch.from_numpy(weight) for name, weight in weights.items()})
    return model


def measure(model: nn.Module, ids: Tensor) -> dict[str, float]:
    """The losses on ids (N,), with the state carried along and in windows."""
    return {
        "carried": round(carried_loss(model, ids), 4),
        "windows of 256": round(windowed_loss(model, ids, 256), 4),
    }
