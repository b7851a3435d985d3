"""Digits as 784 permuted steps: what an LSTM reaches in the training of `rnnbook.studies.pixels`.

It has about as many weights as the deep reader there, and answers from the mean over the steps,
too; it makes half as many passes, which take it several times as long. Its learning rate and the
bias of its forget gates are those of `rnnbook.training.recipes.digits`; no other rate was tried.
"""

from typing import Any

import torch
from torch import Tensor, nn

from rnnbook.data.mnist import load_mnist, pixel_sequences, shuffled_order
from rnnbook.layers.initialisation import set_forget_bias
from rnnbook.metrics.evaluation import accuracy
from rnnbook.training.batches import MiniBatches
from rnnbook.training.loop import train
from rnnbook.training.settings import Settings

THREADS = 1
UNITS = 100
RUNS = {"permuted, seed 0": {"order": "permuted", "lr": 4e-3, "epochs": 4, "batch": 50, "seed": 0}}


class LSTMReader(nn.Module):
    """An LSTM over single pixels that answers from the mean of its states."""

    def __init__(self, units: int = UNITS):
        super().__init__()
        self.layer = set_forget_bias(nn.LSTM(1, units, batch_first=True))
        self.head = nn.Linear(units, 10)

    def forward(self, x: Tensor, state: None = None) -> tuple[Tensor, None]:
        """x (B, 784) → logits (B, 10)."""
        h, _ = self.layer(x[..., None])  # (B, 784, units)
        return self.head(h.mean(dim=1)), None


def run(settings: dict[str, Any], stop: int | None = None) -> dict[str, Any]:
    """Train one reader; see `rnnbook.studies`."""
    mnist = load_mnist()
    order = shuffled_order() if settings["order"] == "permuted" else None
    (kept, y), (held_out, y_held_out) = mnist.kept, mnist.held_out
    batches = MiniBatches(pixel_sequences(kept, order), y, settings["batch"], settings["seed"])
    torch.manual_seed(settings["seed"])
    model = LSTMReader()
    how = Settings(epochs=settings["epochs"], lr=settings["lr"])
    history = train(model, batches, how, stop=stop)
    if stop:
        return {"trace": history.losses}
    return {
        "parameters": sum(p.numel() for p in model.parameters()),
        "test": accuracy(model, pixel_sequences(mnist.test_images, order), mnist.test_labels),
        "held out": accuracy(model, pixel_sequences(held_out, order), y_held_out),
        "loss": round(sum(history.losses[-500:]) / 500, 4),
        "training seconds": round(history.seconds),
        "trace": history.losses,
    }
