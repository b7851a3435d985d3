"""The recipes of the book: models and settings that more than one place trains with."""

from torch import Generator, Tensor, manual_seed, nn

from rnnbook.cells import set_forget_bias
from rnnbook.data.tasks import first_sign
from rnnbook.models import CharacterModel, SequenceClassifier
from rnnbook.training import History, MiniBatches, Streams, accuracy, train

STREAMS, WINDOW = 16, 64  # a batch of text is (16, 64) characters


def digit_classifier(seed: int = 0) -> SequenceClassifier:
    """An LSTM that reads the 28 rows of an image: x (B, 28, 28) → logits (B, 10)."""
    manual_seed(seed)
    layer = set_forget_bias(nn.LSTM(28, 128, batch_first=True), 1.0)
    return SequenceClassifier(layer, num_classes=10)


def train_digits(
    model: SequenceClassifier,
    images: Tensor,
    labels: Tensor,
    *,
    epochs: int = 8,
    seed: int = 0,
    **options,
) -> History:
    """Train on images (N, 28, 28) with labels (N,), in batches of 128.

    The images may have any other shape that the model takes. Takes the options of `train`; if
    `evaluate` is given, it runs after each epoch.
    """
    batches = MiniBatches(images, labels, batch_size=128, seed=seed)
    options = {"evaluate_every": len(batches), **options}
    steps = epochs * len(batches)
    return train(model, batches, steps=steps, lr=4e-3, clip=1.0, seed=seed, **options)


def character_model(vocabulary_size: int, seed: int = 0) -> CharacterModel:
    """An LSTM that reads characters: ids (B, T) → logits (B, T, vocabulary_size)."""
    manual_seed(seed)
    layer = set_forget_bias(nn.LSTM(128, 512, batch_first=True), 1.0)
    return CharacterModel(layer, vocabulary_size, dropout=0.2)


def train_shakespeare(
    model: CharacterModel, ids: Tensor, *, steps: int = 4000, **options
) -> History:
    """Train on the characters ids (N,), carrying the state. Takes the options of `train`.

    The second of Adam's `betas` is lower than usual: it then averages over about a hundred
    steps, not a thousand, which suits a training of a few thousand.
    """
    streams = Streams(ids, batch_size=STREAMS, window=WINDOW)
    return train(model, streams, steps=steps, lr=6e-3, betas=(0.9, 0.99), clip=1.0, **options)


def train_on_first_sign(
    layer: nn.Module, T: int, seed: int, steps: int = 600
) -> tuple[SequenceClassifier, float]:
    """Can `layer` learn which of T signs came first? The trained model, and its accuracy.

    Each step trains on 50 newly drawn sequences; the accuracy is that on 1,000 more. (There are
    only 2^T different ones: with a small T training meets them all.) The layer reads x (B, T, 1).
    """
    generator = Generator().manual_seed(1)
    x, y = first_sign(steps * 50, T, generator)
    x_test, y_test = first_sign(1000, T, generator)
    manual_seed(seed)
    model = SequenceClassifier(layer, num_classes=2)
    train(model, MiniBatches(x, y, 50, seed), steps=steps, lr=3e-3, seed=seed)
    return model, accuracy(model, x_test, y_test)
