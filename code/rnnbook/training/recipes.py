"""The recipes of the book: its models, and how they are trained."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import torch
from torch import Generator, Tensor, nn

from rnnbook.data.tasks import first_sign
from rnnbook.data.words import SIGNS
from rnnbook.layers.attention import DotProductAttention
from rnnbook.layers.initialisation import set_forget_bias
from rnnbook.models.encoder_decoder import EncoderDecoder
from rnnbook.models.recurrent import CharacterModel, SequenceClassifier
from rnnbook.training.batches import MiniBatches, PairBatches, Streams
from rnnbook.training.describing import pictures_longer
from rnnbook.training.drawing import kanji
from rnnbook.training.listening import speech
from rnnbook.training.loop import train
from rnnbook.training.measures import accuracy
from rnnbook.training.objectives import answering
from rnnbook.training.recipe import Recipe
from rnnbook.training.settings import Settings

STREAMS, WINDOW = 16, 64  # a batch of text is (16, 64) characters


def text_streams(ids: Tensor, seed: int = 0) -> Streams:
    """The batches in which the book reads ids (N,): the same for every seed."""
    return Streams(ids, STREAMS, WINDOW)


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


def character_reader(V: int, units: int = 384, dropout: float = 0.2) -> CharacterModel:
    """An LSTM that reads characters, of which there are V: ids (B, T) → logits (B, T, V)."""
    layer = set_forget_bias(nn.LSTM(128, units, batch_first=True), 1.0)
    return CharacterModel(layer, V, dropout)


def shakespeare() -> Recipe:
    """How the book trains an LSTM to write, from ids (N,), carrying its state.

    The second of Adam's `betas` is lower than usual: it then averages over about a hundred
    steps, not a thousand, which suits a training of a few thousand.
    """
    return Recipe(
        network=character_reader,
        batches=text_streams,
        vocabularies=("characters",),
        steps=4000,
        lr=6e-3,
        clip=1.0,
        betas=(0.9, 0.99),
    )


def long_run() -> Recipe:
    """A larger LSTM, for forty-five minutes of two cores, with more dropout."""
    network = partial(character_reader, units=768, dropout=0.35)
    return replace(shakespeare(), network=network, steps=31_000, lr=4e-3)


def one_of_two() -> Recipe:
    """One of two larger LSTMs that share the forty-five minutes, one on each core."""
    return replace(long_run(), steps=20_500)


def one_of_four() -> Recipe:
    """One of four LSTMs that share them: fewer units, and still more dropout."""
    return replace(
        long_run(), network=partial(character_reader, units=512, dropout=0.5), steps=22_000
    )


def name_reader(
    letters: int,
    kana: int,
    attention: Callable[[int, int], nn.Module] | None = DotProductAttention,
    neighbours: bool = False,
) -> EncoderDecoder:
    """An encoder and a decoder for names, from the sizes of both alphabets, signs included."""
    return EncoderDecoder(
        letters,
        kana,
        embedding_size=64,
        hidden_size=192,
        attention=attention,
        dropout=0.15,
        neighbours=neighbours,
    )


def name_batches(
    source: Tensor,
    source_lengths: Tensor,
    target: Tensor,
    target_lengths: Tensor,
    seed: int = 0,
    batch_size: int = 64,
) -> PairBatches:
    """The batches in which the book reads names, as `words.encode_pairs` makes them."""
    return PairBatches(source, source_lengths, target, target_lengths, batch_size, seed)


def names() -> Recipe:
    """How the book trains an LSTM to write names in katakana.

    Where a spelling has several readings, each of these is a pair to train on. Small batches
    pay: after two passes, 64 names in a batch had reached 44 % of the held-out names, 256 40 %.
    """
    return Recipe(
        network=name_reader,
        batches=name_batches,
        vocabularies=("letters", "kana"),
        signs=SIGNS,
        epochs=6,
        lr=6e-3,
        clip=5.0,
        betas=(0.9, 0.99),
        objective=partial(answering, label_smoothing=0.1),
    )


def names_longer() -> Recipe:
    """The best that was found for names in 200 core-seconds: letters read with their neighbours.

    On the held-out names 49.1 % exact with a beam of four, where `names` has 48.2 %.
    """
    return replace(
        names(),
        network=partial(name_reader, neighbours=True),
        batches=partial(name_batches, batch_size=128),
        epochs=9,
        lr=5e-3,
    )


# The recipes of `python -m rnnbook train`, by the names that model files know them by.
RECIPES = {
    "mnist": digits,
    "shakespeare": shakespeare,
    "shakespeare-long": one_of_two,
    "names": names_longer,
    "speech": speech,
    "pictures": pictures_longer,
    "kanji": kanji,
}


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
