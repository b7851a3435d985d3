"""The recipe of the book for speech; `rnnbook.training.recipes` has the others."""

from collections.abc import Sequence

from torch import Generator

from rnnbook.data.speech import COEFFICIENTS, SIGNS, Recording, draw_strings, encode_strings
from rnnbook.models.speech import FrameReader
from rnnbook.training.batches import FreshBatches
from rnnbook.training.objectives import transcription
from rnnbook.training.recipes.recipe import Recipe


def listener(hidden_size: int = 128, layers: int = 2, both_ways: bool = True) -> FrameReader:
    """LSTMs that hear digits in frames (B, T, 13): logits (B, T, 11), the first for none."""
    return FrameReader(
        COEFFICIENTS, hidden_size, 10 + SIGNS, layers, both_ways, dropout=0.2, noise=0.3
    )


def spoken_strings(recordings: Sequence[Recording], seed: int = 0) -> FreshBatches:
    """Batches of strings of two to six recordings, joined anew for each step."""

    def make(batch_size: int, generator: Generator) -> tuple[tuple, tuple]:
        strings = encode_strings(draw_strings(recordings, batch_size, generator))
        return (strings.frames, strings.lengths), (strings.digits, strings.counts)

    return FreshBatches(make, 16, seed)


def speech() -> Recipe:
    """How the book trains LSTMs to write down strings of spoken digits, from recordings.

    The noise and the dropout of `listener` are there against learning 2,142 recordings by heart.
    """
    return Recipe(
        network=listener,
        batches=spoken_strings,
        steps=1200,
        lr=6e-3,
        clip=1.0,
        betas=(0.9, 0.99),
        objective=transcription,
    )
