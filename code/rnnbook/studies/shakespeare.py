"""A league of character models: one text, one split, the same number of characters seen.

Each network reads the training text once, in 980 batches of 16 × 64 characters,
with the learning rate that did best in `rnnbook.studies.search`. The losses are those of the last
weights on the whole validation text, in nats per character, measured in three ways: with the
state carried along, in windows of 64 that overlap so that at least 49 characters are known, and in
windows of 64 begun without a state.
"""

import time
from typing import Any

from torch import Tensor, nn

from rnnbook.data.shakespeare_ids import load_ids
from rnnbook.metrics.evaluation import carried_loss, overlapping_loss, windowed_loss
from rnnbook.models.transformer import Transformer
from rnnbook.studies.search import NETWORKS, recipe
from rnnbook.training.recipes.shakespeare import WINDOW

THREADS = 1
STEPS = 980
SEEDS = range(3)
RATES = {"simple RNN": 4e-3, "GRU": 4e-3, "LSTM": 16e-3, "minGRU stack": 32e-3, "transformer": 4e-3}
RUNS = {
    f"{net}, seed {seed}": {"network": net, "lr": RATES[net], "seed": seed}
    for net in NETWORKS
    for seed in SEEDS
}
# Outside the league: the rate that the stack had before the search went beyond it.
RUNS |= {
    f"minGRU stack at 0.016, seed {seed}": {"network": "minGRU stack", "lr": 16e-3, "seed": seed}
    for seed in SEEDS
}


def run(settings: dict[str, Any], stop: int | None = None) -> dict[str, Any]:
    """Train one network; see `rnnbook.studies`."""
    ids, validation, V = load_ids()
    chosen = recipe(settings["network"], settings["lr"], STEPS, settings["seed"])
    model = chosen.model(V)
    begin = time.process_time()  # unlike the clock, it does not count the work of other programs
    history = chosen.train(model, ids, stop=stop)
    core_seconds = time.process_time() - begin
    result: dict[str, Any] = {"trace": history.losses}
    if stop is None:
        result["parameters"] = sum(p.numel() for p in model.parameters())
        result["core_seconds"] = round(core_seconds, 1)
        result["carried"] = loss_with_memory(model, validation)
        result["overlapping"] = round(overlapping_loss(model, validation, WINDOW, new=16), 4)
        result["windows"] = round(windowed_loss(model, validation, WINDOW), 4)
        result["training_loss"] = round(sum(history.losses[-100:]) / 100, 4)
    return result


def loss_with_memory(model: nn.Module, ids: Tensor) -> float | None:
    """The loss with the state carried along; None for the transformer, which keeps no state."""
    return None if isinstance(model, Transformer) else round(carried_loss(model, ids), 4)
