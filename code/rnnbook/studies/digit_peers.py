"""An LSTM beside two networks that see the whole picture, by the same recipe; three seeds each.

Trained on 55,000 digits. Kept are the accuracy on the 5,000 held-out digits after each pass, that
on the test digits, and which of these are read wrongly, so that two networks can be compared digit
by digit.
"""

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from rnnbook.data.mnist import load_mnist
from rnnbook.metrics.evaluation import accuracy
from rnnbook.training.recipes.digits import digit_reader, digits

THREADS = 1
SEEDS = (0, 1, 2)


class Stateless(nn.Sequential):
    """Layers without a state, in the form in which models are trained here."""

    def forward(self, x: Tensor, state: None = None) -> tuple[Tensor, None]:
        """x (B, 28, 28) → logits (B, 10), and no state."""
        return super().forward(x), None


def linear(classes: int) -> nn.Module:
    """A weighted sum of all pixels for each class."""
    return Stateless(nn.Flatten(), nn.Linear(28 * 28, classes))


def convolutional(classes: int) -> nn.Module:
    """Two layers of small windows that slide over the picture by two pixels."""
    return Stateless(
        nn.Unflatten(1, (1, 28)),  # (B, 28, 28) → (B, 1, 28, 28)
        nn.Conv2d(1, 8, 5, stride=2, padding=2),  # (B, 8, 14, 14)
        nn.ReLU(),
        nn.Conv2d(8, 16, 5, stride=2, padding=2),  # (B, 16, 7, 7)
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(16 * 49, classes),
    )


NETWORKS = {"LSTM": digit_reader, "linear": linear, "convolutional": convolutional}
RUNS = {
    f"{network}, seed {seed}": {"network": network, "seed": seed}
    for network in NETWORKS
    for seed in SEEDS
}


def run(settings: dict[str, Any], stop: int | None = None) -> dict[str, Any]:
    """Train one network; see `rnnbook.studies`."""
    mnist = load_mnist()
    recipe = replace(digits(), network=NETWORKS[settings["network"]], seed=settings["seed"])
    model = recipe.model(10)
    history = recipe.train(
        model,
        *mnist.kept,
        evaluate=lambda model: accuracy(model, *mnist.held_out),
        measure="held-out accuracy",
        stop=stop,
    )
    if stop is not None:
        return {"trace": history.losses}
    return {
        "looks": [value for _, value in history.held_out],
        "accuracy": accuracy(model, mnist.test_images, mnist.test_labels),
        "wrong": wrong(model, mnist.test_images, mnist.test_labels),
        "clipped": sum(norm > 1 for norm in history.gradient_norms) / len(history.gradient_norms),
        "trace": history.losses,
    }


@torch.no_grad()
def wrong(model: nn.Module, images: Tensor, labels: Tensor) -> list[int]:
    """The numbers of the images (N, 28, 28) that a model reads wrongly."""
    answers = torch.cat([model(part)[0].argmax(dim=1) for part in images.split(1000)])
    return (answers != labels).nonzero().flatten().tolist()
