"""Two of the large networks side by side, one on each core, in forty-five minutes.

The recipe is that of `rnnbook.studies.long_run` with fewer steps, their number fixed beforehand.
Conceived after that study and `rnnbook.studies.ensemble` had been judged by the validation text.
"""

import time
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from multiprocessing import get_context
from typing import Any

import torch
from torch import nn

from rnnbook.data.shakespeare import load_rebuilt
from rnnbook.data.text import Vocabulary
from rnnbook.ensemble import Ensemble
from rnnbook.long_training import long_character_model, train_long
from rnnbook.sampling import sample
from rnnbook.studies.ensemble import measure

THREADS = 2  # two processes with one thread each
RUNS = {"two": {"seeds": [0, 1], "steps": 20_500}}


def run(settings: dict[str, Any], stop: int | None = None) -> dict[str, Any]:
    """Train the networks; see `rnnbook.study`. The trace is that of the first."""
    text, begin = load_rebuilt(), time.perf_counter()
    seeds, steps = settings["seeds"], settings["steps"]
    with ProcessPoolExecutor(len(seeds), mp_context=get_context("spawn")) as pool:
        trained = list(pool.map(train_one, seeds, repeat(steps), repeat(stop)))
    minutes = (time.perf_counter() - begin) / 60
    result = {"trace": trained[0]["losses"]}
    if stop is None:
        vocabulary = Vocabulary(text.text)
        members = [load_member(one["weights"], len(vocabulary)) for one in trained]
        both, last_pass = Ensemble(members), len(text.train) // (16 * 64)
        result["parameters of each"] = sum(p.numel() for p in members[0].parameters())
        result["minutes"] = round(minutes, 1)
        result["training_losses"] = [
            round(sum(one["losses"][-last_pass:]) / last_pass, 4) for one in trained
        ]
        validation = vocabulary.encode(text.validation)
        result["alone"] = [measure(member, validation) for member in members]
        result["together"] = measure(both, validation)
        result["text"] = sample(both, vocabulary, "\n", 700, temperature=0.7, seed=0)
    return result


def train_one(seed: int, steps: int, stop: int | None) -> dict[str, Any]:
    """Train one network on one thread. Returns its losses and its weights, as NumPy arrays."""
    torch.set_num_threads(1)
    text = load_rebuilt()
    vocabulary = Vocabulary(text.text)
    model = long_character_model(len(vocabulary), seed)
    history = train_long(model, vocabulary.encode(text.train), seed=seed, steps=steps, stop=stop)
    weights = {name: weight.numpy() for name, weight in model.state_dict().items()}
    return {"losses": history.losses, "weights": weights}


def load_member(weights: dict[str, Any], vocabulary_size: int) -> nn.Module:
    """The network with these weights."""
    model = long_character_model(vocabulary_size)
    model.load_state_dict({name: torch.from_numpy(weight) for name, weight in weights.items()})
    return model
