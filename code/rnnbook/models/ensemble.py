"""Several models that read characters, each trained by itself: the mean of their probabilities."""

import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from rnnbook.models.recurrent import CharacterModel


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
