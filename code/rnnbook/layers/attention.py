"""Attention: each step looks at the steps before it."""

import math

import torch
from torch import Tensor, nn


class CausalAttention(nn.Module):
    """Self-attention with several heads, in which no step looks at later ones.

    After Vaswani et al. (2017). Each head compares the query of a step with the keys of this and
    all earlier steps, and takes the mean of their values, weighted by the softmax of the results.
    """

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.query_key_value = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)

    def forward(self, x: Tensor, state: None = None) -> tuple[Tensor, None]:
        """x (B, T, width) → (B, T, width), and no state."""
        q, k, v = (
            part.unflatten(2, (self.heads, -1)).transpose(1, 2)  # (B, heads, T, width / heads)
            for part in self.query_key_value(x).chunk(3, dim=2)
        )
        scores = q @ k.transpose(2, 3) / math.sqrt(q.shape[3])  # (B, heads, T, T)
        later = torch.ones(scores.shape[2:], dtype=torch.bool, device=x.device).triu(1)
        weights = scores.masked_fill(later, -math.inf).softmax(dim=3)
        return self.out((weights @ v).transpose(1, 2).flatten(2)), None
