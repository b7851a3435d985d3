"""The recipe of the book for digits."""

from torch import nn

from rnnbook.layers.initialisation import set_forget_bias
from rnnbook.models.recurrent import SequenceClassifier
from rnnbook.training.batches import MiniBatches
from rnnbook.training.recipes.recipe import Recipe


def digit_reader(classes: int = 10) -> SequenceClassifier:
    """An LSTM that reads the 28 rows of an image: x (B, 28, 28) → logits (B, classes)."""
    layer = set_forget_bias(nn.LSTM(28, 128, batch_first=True), 1.0)
    return SequenceClassifier(layer, classes)


def digits() -> Recipe:
    """How the book trains an LSTM to read digits, from images (N, 28, 28) and labels (N,)."""
    return Recipe(
        network=digit_reader,
        batches=lambda images, labels, seed: MiniBatches(images, labels, 128, seed),
        epochs=8,
        lr=4e-3,
        clip=1.0,
    )
