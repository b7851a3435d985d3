"""Why does the quiet start of the output layer do harm with the notebook's settings?

Adam's steps have about the same length whatever the gradient's, so a large output layer makes of
the same steps of the LSTM larger moves of the scores: as if its learning rate were higher. If that
is the reason, the quiet start must catch up when rates are raised. Here both starts are trained as
in the notebook, with the rate of the output layer alone, of the LSTM alone, or of both raised or
lowered; the numbers of an output layer are 20 times as large (1 to 0.051) with the loud start.
"""

import math
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from rnnbook.data.mnist import load_mnist
from rnnbook.metrics.evaluation import accuracy
from rnnbook.studies.digit_changes import loud_reader
from rnnbook.studies.digit_changes import recipe as changed
from rnnbook.training.recipes.digits import digit_reader
from rnnbook.training.recipes.recipe import Recipe

THREADS = 1
SEEDS = (0, 1, 2)  # those of `rnnbook.studies.digit_changes`
STARTS = {"loud": loud_reader, "quiet": digit_reader}
RATES: dict[str, tuple[float, float]] = {  # factors of 0.001: of the LSTM, of the output layer
    "as they are": (1, 1),
    "head 20": (1, 20),
    "head 1/20": (1, 1 / 20),
    "LSTM 4": (4, 1),
    "both 2": (2, 2),
    "both 4": (4, 4),
    "both 8": (8, 8),
}
RUNS = {
    f"{start}, {rates}, seed {seed}": {
        "start": start,
        "rates": rates,
        "layer": layer,
        "head": head,
        "seed": seed,
    }
    for rates, (layer, head) in RATES.items()
    for start in STARTS
    for seed in SEEDS
}


def run(settings: dict[str, Any], stop: int | None = None) -> dict[str, Any]:
    """Train one network; see `rnnbook.studies`. "moved" is by how much the first step of the
    optimizer changes the scores of the first 1,000 held-out digits (root of the mean square)."""
    mnist, chosen = load_mnist(), recipe(settings)
    model = chosen.model(10)
    if stop is not None:
        return {"trace": chosen.train(model, *mnist.kept, stop=stop).losses}
    some, before = mnist.held_out[0][:1000], chosen.model(10)
    after = chosen.model(10)
    chosen.train(after, *mnist.kept, stop=1)
    with torch.no_grad():
        moved = (after(some)[0] - before(some)[0]).square().mean().sqrt().item()
    history = chosen.train(model, *mnist.kept)
    return {
        "moved": moved,
        "held_out": accuracy(model, *mnist.held_out),
        "accuracy": accuracy(model, mnist.test_images, mnist.test_labels),
        "trace": history.losses,
    }


def recipe(settings: dict[str, Any]) -> Recipe:
    """The notebook's settings with another start or other rates."""

    def network(classes: int) -> nn.Module:
        model = STARTS[settings["start"]](classes)
        model.head = Paced(model.head, settings["head"] / settings["layer"])
        return model

    notebook = changed({"changes": [], "seed": settings["seed"]})
    return replace(notebook, network=network, lr=notebook.lr * settings["layer"], clip=math.inf)


class Paced(nn.Module):
    """A linear layer whose weights Adam moves `factor` times as far as those of other layers.

    It starts as the layer that it is given. What Adam moves are its numbers, divided by `factor`;
    they are multiplied by it when they are used.
    """

    def __init__(self, linear: nn.Linear, factor: float):
        super().__init__()
        self.linear, self.factor = linear, factor
        with torch.no_grad():
            for p in linear.parameters():
                p /= factor

    def forward(self, x: Tensor) -> Tensor:
        """x (B, H) → scores (B, classes)."""
        return self.factor * self.linear(x)
