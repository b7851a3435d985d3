"""The longest training of the book: an LSTM that reads Shakespeare for forty-five minutes."""

from torch import Tensor, manual_seed, nn

from rnnbook.cells import set_forget_bias
from rnnbook.models import CharacterModel
from rnnbook.training import History, Streams, train


def long_character_model(vocabulary_size: int, seed: int = 0) -> CharacterModel:
    """An LSTM of 768 units with more dropout: ids (B, T) → logits (B, T, vocabulary_size)."""
    manual_seed(seed)
    layer = set_forget_bias(nn.LSTM(128, 768, batch_first=True), 1.0)
    return CharacterModel(layer, vocabulary_size, dropout=0.35)


def train_long(model: CharacterModel, ids: Tensor, *, steps: int = 31_000, **options) -> History:
    """Train on the characters ids (N,), carrying the state. Takes the options of `train`."""
    streams = Streams(ids, batch_size=16, window=64)
    return train(model, streams, steps=steps, lr=4e-3, betas=(0.9, 0.99), clip=1.0, **options)
