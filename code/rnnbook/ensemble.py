"""Several LSTMs that read Shakespeare, each trained by itself; the mean of their probabilities."""

import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from rnnbook.cells import set_forget_bias
from rnnbook.models import CharacterModel
from rnnbook.training import History, Streams, train


class Ensemble(nn.Module):
    """Character models whose probabilities are averaged. Used as one of them would be."""

    def __init__(self, members: Iterable[CharacterModel]):
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(self, ids: Tensor, states: Any = None) -> tuple[Tensor, Any]:
        """ids (B, T) → the logarithms of the mean probabilities (B, T, V), and all the states."""
        states = states or (None,) * len(self.members)
        results = [member(ids, state) for member, state in zip(self.members, states, strict=True)]
        logs = torch.stack([logits.log_softmax(dim=-1) for logits, _ in results])  # (M, B, T, V)
        mean = logs.logsumexp(dim=0) - math.log(len(logs))
        return mean, tuple(state for _, state in results)


def ensemble_member(vocabulary_size: int, seed: int = 0) -> CharacterModel:
    """An LSTM of 512 units with much dropout: ids (B, T) → logits (B, T, vocabulary_size)."""
    torch.manual_seed(seed)
    layer = set_forget_bias(nn.LSTM(128, 512, batch_first=True), 1.0)
    return CharacterModel(layer, vocabulary_size, dropout=0.5)


def train_member(model: CharacterModel, ids: Tensor, *, steps: int = 22_000, **options) -> History:
    """Train on the characters ids (N,), carrying the state. Takes the options of `train`."""
    streams = Streams(ids, batch_size=16, window=64)
    return train(model, streams, steps=steps, lr=4e-3, betas=(0.9, 0.99), clip=1.0, **options)
