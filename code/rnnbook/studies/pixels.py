"""Digits as 784 steps, in order and permuted: what three kinds of readers reach.

Each reader trains on the first 55,000 training digits with Adam, a learning rate that rises and
falls, and clipping, and is scored on all 10,000 test digits with its last weights. The learning
rates, the epochs and the range of angles were chosen on the last 5,000 training digits. Permuted
means one order of the pixels, drawn at random once, the same in all runs. Some deep readers are
changed before they are trained, to see what the change costs.
"""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import glu
from torch.nn.utils import parametrize

from rnnbook.data.mnist import load_mnist, pixel_sequences, shuffled_order
from rnnbook.metrics.evaluation import accuracy
from rnnbook.models.pixel_readers import DeepReader, LinearReader, PixelPerceptron
from rnnbook.training.batches import MiniBatches
from rnnbook.training.loop import train
from rnnbook.training.settings import Settings

THREADS = 1  # two runs side by side use two cores better than one run does
BATCH = 50
ANGLES = {"in order": 0.5, "permuted": math.pi}  # in radians
EPOCHS = {"deep": 8, "linear": 8, "perceptron": 8}
LR = {"deep": 1e-2, "linear": 4e-3, "perceptron": 2e-3}


def first_half(z: Tensor, dim: int) -> Tensor:
    """The first half of z along `dim`, in the place of a gate: now everything is linear."""
    return z.chunk(2, dim)[0]


def fixed_decay(model: DeepReader) -> None:
    """Leave every λ as it was drawn, and train the rest."""
    for block in (model.first, model.second):
        block.recurrence.ν.requires_grad_(False)
        block.recurrence.θ.requires_grad_(False)


def real_decay(model: DeepReader) -> None:
    """Make every λ a number between 0 and 1: states fade, and no longer turn."""
    for block in (model.first, model.second):
        nn.init.zeros_(block.recurrence.θ)
        block.recurrence.θ.requires_grad_(False)


class Slowly(nn.Module):
    """Lets a parameter move a tenth as fast as the optimizer moves the others.

    What is trained is ten times its distance from `start`. Adam takes steps of the same size
    whatever the scale of the gradient, so that is a tenth of the learning rate. (Of its gradient,
    a tenth counts when the norm of the whole is clipped.)
    """

    def __init__(self, start: Tensor):
        super().__init__()
        self.register_buffer("start", start.detach().clone())

    def forward(self, moved: Tensor) -> Tensor:
        """What is trained → the parameter, of the same shape."""
        return self.start + moved / 10

    def right_inverse(self, parameter: Tensor) -> Tensor:
        """The parameter → what is trained; zeros at the start."""
        return 10 * (parameter - self.start)


def slow_decay(model: DeepReader) -> None:
    """Give every λ a tenth of the learning rate."""
    for block in (model.first, model.second):
        for name in ("ν", "θ"):
            start = getattr(block.recurrence, name)
            parametrize.register_parametrization(block.recurrence, name, Slowly(start))


# To a deep reader, once it is made; one without gates is made so.
CHANGES: dict[str, Callable[[DeepReader], None]] = {
    "fixed λ": fixed_decay,
    "real λ": real_decay,
    "slow λ": slow_decay,
}


CHANGED = [  # and the number of seeds
    ("permuted", "no gates", 1),
    ("permuted", "fixed λ", 3),
    ("permuted", "real λ", 1),
    ("permuted", "slow λ", 3),
    ("in order", "slow λ", 3),
]


def _settings() -> list[dict[str, Any]]:
    plain = [
        {"reader": reader, "order": order, "change": "", "seed": seed}
        for reader in ("deep", "linear")
        for order in ANGLES
        for seed in range(3 if reader == "deep" else 2)
    ]
    dense = [
        {"reader": "perceptron", "order": "in order", "change": "", "seed": k} for k in range(3)
    ]
    changed = [
        {"reader": "deep", "order": order, "change": change, "seed": seed}
        for order, change, seeds in CHANGED
        for seed in range(seeds)
    ]
    return plain + dense + changed


def name(reader: str, order: str, change: str, seed: int) -> str:
    """The name of a run in the record."""
    return ", ".join(part for part in (reader, order, change, f"seed {seed}") if part)


RUNS = {name(**settings): settings for settings in _settings()}


def reader(settings: dict[str, Any]) -> nn.Module:
    """A new reader of a kind, for an order of the pixels, with a change if there is one."""
    torch.manual_seed(settings["seed"])
    if settings["reader"] == "perceptron":
        return PixelPerceptron()
    angle, change = ANGLES[settings["order"]], settings["change"]
    if settings["reader"] == "linear":
        return LinearReader(angle)
    model = DeepReader(angle, gate=first_half if change == "no gates" else glu)
    if change in CHANGES:
        CHANGES[change](model)
    return model


def run(settings: dict[str, Any], stop: int | None = None) -> dict[str, Any]:
    """Train one reader; see `rnnbook.studies`."""
    mnist = load_mnist()
    order = shuffled_order() if settings["order"] == "permuted" else None
    (kept, y), (held_out, y_held_out) = mnist.kept, mnist.held_out
    batches = MiniBatches(pixel_sequences(kept, order), y, BATCH, settings["seed"])
    model, kind = reader(settings), settings["reader"]
    history = train(model, batches, Settings(epochs=EPOCHS[kind], lr=LR[kind]), stop=stop)
    if stop:
        return {"trace": history.losses}
    test = pixel_sequences(mnist.test_images, order), mnist.test_labels
    return {
        "parameters": sum(p.numel() for p in model.parameters()),
        "test": accuracy(model, *test),
        "held out": accuracy(model, pixel_sequences(held_out, order), y_held_out),
        "loss": round(sum(history.losses[-500:]) / 500, 4),
        "training seconds": round(history.seconds),
        "trace": history.losses,
    }
