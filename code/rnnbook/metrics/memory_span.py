"""How far back a layer can learn to remember."""

from collections.abc import Callable

import torch
from torch import Generator, nn

from rnnbook.data.tasks import first_sign
from rnnbook.metrics.evaluation import accuracy
from rnnbook.models.recurrent import SequenceClassifier
from rnnbook.training.batches import MiniBatches
from rnnbook.training.loop import train
from rnnbook.training.settings import Settings


def train_on_first_sign(
    make_layer: Callable[[], nn.Module], T: int, seed: int, steps: int = 600
) -> tuple[SequenceClassifier, float]:
    """Can a layer learn which of T signs came first? The trained model, and its accuracy.

    Each step trains on 50 newly drawn sequences; the accuracy is that on 1,000 more. (There are
    only 2^T different ones: with a small T training meets them all.) The layer, which
    `make_layer()` returns, reads x (B, T, 1); `seed` is that of its weights, too.
    """
    generator = Generator().manual_seed(1)
    x, y = first_sign(steps * 50, T, generator)
    x_test, y_test = first_sign(1000, T, generator)
    torch.manual_seed(seed)
    model = SequenceClassifier(make_layer(), num_classes=2)
    train(model, MiniBatches(x, y, 50, seed), Settings(steps=steps, lr=3e-3, seed=seed))
    return model, accuracy(model, x_test, y_test)
