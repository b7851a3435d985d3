"""How should an LSTM that reads digits row by row be trained, in at most 90 seconds?

Some recipes, each with two seeds that `rnnbook.studies.digits` does not use, trained on 55,000
digits and judged by the 5,000 that are held out. The test digits are not used.
"""

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from rnnbook.data.mnist import load_mnist
from rnnbook.metrics.evaluation import accuracy
from rnnbook.training.batches import Batch
from rnnbook.training.recipes.digits import digits
from rnnbook.training.recipes.recipe import Recipe

THREADS = 2  # one training at a time, so that its seconds are those of the clock
SEEDS = (100, 101)

RECIPES: dict[str, dict[str, Any]] = {
    "as before": {"epochs": 8, "shift": 0, "dropout": 0.0},
    "shifts": {"epochs": 8, "shift": 1, "dropout": 0.0},
    "shifts, longer": {"epochs": 10, "shift": 1, "dropout": 0.0},
    "shifts, dropout, longer": {"epochs": 10, "shift": 1, "dropout": 0.3},
    "dropout, longer": {"epochs": 10, "shift": 0, "dropout": 0.3},
    "shifts, twenty epochs": {"epochs": 20, "shift": 1, "dropout": 0.0},
    "shifts, dropout, twenty epochs": {"epochs": 20, "shift": 1, "dropout": 0.3},
}
RUNS = {
    f"{name}, seed {seed}": {"recipe": name, **recipe, "seed": seed}
    for name, recipe in RECIPES.items()
    for seed in SEEDS
}


def run(settings: dict[str, Any], stop: int | None = None) -> dict[str, Any]:
    """Train one network; see `rnnbook.studies`."""
    mnist, chosen = load_mnist(), recipe(settings)
    model = chosen.model(10)
    history = chosen.train(model, *mnist.kept, stop=stop)
    if stop is not None:
        return {"trace": history.losses}
    return {
        "held_out": accuracy(model, *mnist.held_out),
        "training_seconds": round(history.seconds, 1),
        "trace": history.losses,
    }


def recipe(settings: dict[str, Any]) -> Recipe:
    """The book's recipe for digits with shifts, dropout, and another number of epochs."""
    plain = digits()

    def with_dropout(classes: int) -> nn.Module:
        model = plain.network(classes)
        model.head = nn.Sequential(nn.Dropout(settings["dropout"]), model.head)
        return model

    return replace(
        plain,
        network=with_dropout,
        batches=lambda x, y, seed: Shifted(plain.batches(x, y, seed), settings["shift"], seed),
        epochs=settings["epochs"],
        seed=settings["seed"],
    )


class Shifted:
    """Mini-batches of images, each moved by up to `most` pixels in both directions, at random."""

    def __init__(self, batches: Any, most: int, seed: int):
        self.batches, self.most, self.seed = batches, most, seed

    def __len__(self) -> int:
        return len(self.batches)

    def batch(self, step: int) -> Batch:
        """The batch of a step, from 0 on, without end."""
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + step)
        batch = self.batches.batch(step)
        return batch._replace(x=shift(batch.x, self.most, generator))


def shift(images: Tensor, most: int, generator: torch.Generator) -> Tensor:
    """Move each of the images (B, 28, 28) by -most to most pixels down and to the right.

    Paper comes in at the edge.
    """
    B, height, width = images.shape
    padded = pad(images, (most,) * 4)
    down, right = torch.randint(2 * most + 1, (2, B, 1), generator=generator)
    rows, columns = down + torch.arange(height), right + torch.arange(width)  # (B, 28) each
    return padded[torch.arange(B)[:, None, None], rows[:, :, None], columns[:, None, :]]
