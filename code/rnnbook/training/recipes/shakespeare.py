"""The recipes of the book for text, Shakespeare's or another one."""

from dataclasses import replace
from functools import partial

from torch import Tensor, nn

from rnnbook.layers.initialisation import set_forget_bias
from rnnbook.models.recurrent import CharacterModel
from rnnbook.training.batches import Streams
from rnnbook.training.recipes.recipe import Recipe

STREAMS, WINDOW = 16, 64  # a batch of text is (16, 64) characters


def text_streams(ids: Tensor, seed: int = 0) -> Streams:
    """The batches in which the book reads ids (N,): the same for every seed."""
    return Streams(ids, STREAMS, WINDOW)


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
