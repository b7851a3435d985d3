"""A pen that writes kanji: how many Gaussians it needs, and what it helps to know its place.

Networks of the book's recipe for kanji, without slips and for a shorter time, three seeds each.
Where the place is hidden, the network is told the movement before and nothing of where the pen
is. `held_out` and `test` are nats for each point.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor

from rnnbook.data.kanji import load_kanji
from rnnbook.data.kanji_strokes import Stroke
from rnnbook.layers.mixture import Mixture
from rnnbook.metrics.kanji import mean_nats_per_point
from rnnbook.models.kanji import Pen, State
from rnnbook.training.recipes.kanji import kanji, pen_batches
from rnnbook.training.recipes.recipe import Recipe

THREADS = 1
EPOCHS = 6
RUNS = {
    f"{M} Gaussians{'' if place else ', place hidden'}, seed {seed}": {
        "M": M,
        "place": place,
        "seed": seed,
    }
    for M, place in [(1, True), (3, True), (10, True), (20, True), (10, False)]
    for seed in range(3)
}


class Blindfolded(Pen):
    """A pen that is not told where it is, nor where its stroke has begun."""

    def forward(self, x: Tensor, state: State | None = None) -> tuple[Mixture, Tensor, State]:
        movement, place = x.split([5, 4], dim=2)
        return super().forward(torch.cat([movement, torch.zeros_like(place)], dim=2), state)


def run(settings: dict[str, Any], stop: int | None = None) -> dict[str, Any]:
    """Train one network; see `rnnbook.studies`."""
    known = load_kanji()
    chosen = recipe(**settings)
    model = chosen.model()
    history = chosen.train(model, strokes(known.train), stop=stop)
    if stop is not None:
        return {"trace": history.losses}
    return {
        "parameters": sum(p.numel() for p in model.parameters()),
        "held_out": round(mean_nats_per_point(model, strokes(known.held_out)), 4),
        "test": round(mean_nats_per_point(model, strokes(known.test)), 4),
        "trace": history.losses,
    }


def strokes(some: Sequence) -> list[tuple[Stroke, ...]]:
    return [one.strokes for one in some]


def recipe(M: int, place: bool, seed: int) -> Recipe:
    """The recipe of the book for kanji, without slips, for another mixture or without the place."""
    network = partial(Pen if place else Blindfolded, M, 384, 0.12)
    batches = partial(pen_batches, slips=0.0)
    return replace(kanji(), network=network, batches=batches, epochs=EPOCHS, seed=seed)
