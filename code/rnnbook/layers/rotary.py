"""Rotary places: attention that knows how far back a step lies, not where it stands.

The numbers of a query and of a key are taken in pairs, and each pair is turned, as the hand of a
clock, by an angle that grows with the step. So their product depends on the difference of two
angles, and that on the distance of the steps alone.
"""

import torch
from torch import Tensor

from rnnbook.layers.attention import CausalAttention, MultiHeadAttention, multi_head_attention


def turn(x: Tensor, base: float = 10_000.0) -> Tensor:
    """Queries or keys (…, T, K), K even, turned by their step (Su et al., 2021).

    Numbers 2i and 2i + 1 of step t are turned by t · base^(-2i / K): the first pair by one radian
    at each step, the later ones more slowly.
    """
    T, K = x.shape[-2:]
    slower = base ** -(torch.arange(0, K, 2, device=x.device) / K)  # (K / 2,)
    angles = torch.arange(T, device=x.device)[:, None] * slower  # (T, K / 2)
    pairs = torch.view_as_complex(x.unflatten(-1, (-1, 2)).contiguous())
    return torch.view_as_real(pairs * torch.polar(torch.ones_like(angles), angles)).flatten(-2)


class RotaryAttention(CausalAttention):
    """`CausalAttention` whose heads turn their queries and keys."""

    def forward(self, x: Tensor, state: None = None) -> tuple[Tensor, None]:
        """x (B, T, width) → (B, T, width), and no state. A head's part of the width is even."""
        T, (q, k, v) = x.shape[1], self.query_key_value(x).chunk(3, dim=2)
        q, k = (turn_heads(part, self.heads) for part in (q, k))
        not_later = torch.ones(T, T, dtype=torch.bool, device=x.device).tril()
        return self.out(multi_head_attention(q, k, v, not_later, self.heads)[0]), None


class RotaryMultiHeadAttention(MultiHeadAttention):
    """`MultiHeadAttention` whose heads turn their queries and keys, each by its own step."""

    def forward(self, x: Tensor, memory: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """As in `MultiHeadAttention`. A head's part of the width is even."""
        q, k = (turn_heads(part, self.heads) for part in (self.query(x), self.key(memory)))
        v = self.value(memory)
        seen, weights = multi_head_attention(q, k, v, mask[:, None, None], self.heads)
        return self.out(seen), weights


def turn_heads(x: Tensor, heads: int) -> Tensor:
    """Queries or keys (B, T, width), turned within each head."""
    return turn(x.unflatten(2, (heads, -1)).transpose(1, 2)).transpose(1, 2).flatten(2)
