"""The race of `rnnbook.studies.passes`, with a batch and places that suit the transformer.

There it read the batches of 64 names that had been chosen for the LSTM, and places were added to
its embeddings. Here it also has other batches, each at rates of its own, and rotary places. One
seed each for five passes, judged by the exact answers of a beam of 4 on the held-out names; then
three other seeds with the best of it, judged on the test names.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from torch import nn

from rnnbook.data.names import load_names
from rnnbook.models.rotary_pair import RotaryPair
from rnnbook.models.transformer_pair import TransformerPair
from rnnbook.studies.pass_rates import judged
from rnnbook.studies.shared.names import trained
from rnnbook.training.recipes.names import name_batches, names
from rnnbook.training.recipes.recipe import Recipe

THREADS = 1
PLACES: dict[str, Callable[..., nn.Module]] = {"added": TransformerPair, "rotary": RotaryPair}
RATES = {  # for places and a batch; added places in batches of 64 are in `pass_rates`
    ("rotary", 64): (2e-3, 4e-3),
    ("rotary", 128): (2e-3, 4e-3),
    ("rotary", 256): (4e-3, 8e-3),
    ("rotary", 32): (1e-3, 2e-3),
    ("added", 128): (2e-3, 4e-3),
    ("added", 256): (4e-3, 8e-3),
}


def settings(
    places: str, batch: int, lr: float, passes: int = 5, dropout: float = 0.0, seed: int = 0
) -> dict[str, Any]:
    """One run. Seed 0 is that of the choice."""
    return {
        "places": places,
        "batch": batch,
        "lr": lr,
        "passes": passes,
        "dropout": dropout,
        "seed": seed,
    }


CHOICE = [settings(*key, lr) for key, rates in RATES.items() for lr in rates]
# For twenty passes the best batches and rates of five, with the dropout that had done best there.
LONG = [("added", 128, 4e-3), ("rotary", 64, 4e-3)]
FOR_20 = [settings(*one, passes=20, dropout=0.05) for one in LONG]
RACE = [settings("added", 128, 4e-3, 20, 0.05, seed) for seed in (1, 2, 3)]  # the best of these
RUNS = {
    f"{one['places']}, batch {one['batch']}, {one['lr']:g}, {one['passes']} passes, "
    f"dropout {one['dropout']:g}, seed {one['seed']}": one
    for one in [*CHOICE, *FOR_20, *RACE]
}


def run(settings: dict[str, Any], stop: int | None = None) -> dict[str, Any]:
    """Train one network; see `rnnbook.studies`."""
    known = load_names()
    model, losses = trained(recipe(**settings), known, stop=stop)
    if stop:
        return {"trace": losses}
    return {
        **judged(model, known, known.test if settings["seed"] else known.held_out),
        "trace": losses,
    }


def recipe(places: str, batch: int, lr: float, passes: int, dropout: float, seed: int) -> Recipe:
    """The recipe of the book for names, with a transformer, its batch, length and dropout."""
    return replace(
        names(),
        network=partial(PLACES[places], dropout=dropout),
        batches=partial(name_batches, batch_size=batch),
        epochs=passes,
        lr=lr,
        seed=seed,
    )
