"""Attention: a step looks at other steps, of its own sequence or of another one.

`DotProductAttention` and `AdditiveAttention` look at another sequence: the queries come from a
decoder, and the keys and values from what an encoder has read. They differ in how a query is
compared with a key, and can be put in each other's place.
"""

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
        q, k, v = self.query_key_value(x).chunk(3, dim=2)  # (B, T, width) each
        T = x.shape[1]
        not_later = torch.ones(T, T, dtype=torch.bool, device=x.device).tril()
        seen, _ = multi_head_attention(q, k, v, not_later, self.heads)
        return self.out(seen), None


class MultiHeadAttention(nn.Module):
    """Several attentions side by side, the heads; each compares and sees a part of the width.

    After Vaswani et al. (2017). The queries come from one sequence, the keys and the values from
    another one, or from the same.
    """

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width, bias=False)
        self.key = nn.Linear(width, width, bias=False)
        self.value = nn.Linear(width, width, bias=False)
        self.out = nn.Linear(width, width, bias=False)

    def forward(self, x: Tensor, memory: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Each step of x (B, T, width) looks at memory (B, S, width), where mask (B, S) is True.

        Returns (B, T, width), and the weights, (B, heads, T, S).
        """
        q, k, v = self.query(x), self.key(memory), self.value(memory)
        seen, weights = multi_head_attention(q, k, v, mask[:, None, None], self.heads)
        return self.out(seen), weights


def multi_head_attention(
    q: Tensor, k: Tensor, v: Tensor, mask: Tensor, heads: int
) -> tuple[Tensor, Tensor]:
    """Each head compares, and sees, a part of its own of queries, keys and values.

    q (B, T, M), k and v (B, S, M); `mask` fits scores (B, heads, T, S). Returns what was seen,
    (B, T, M), and the weights, (B, heads, T, S).
    """
    q, k, v = (part.unflatten(2, (heads, -1)).transpose(1, 2) for part in (q, k, v))
    scores = q @ k.transpose(2, 3) / math.sqrt(q.shape[3])  # q (B, heads, T, M / heads)
    seen, weights = attend(scores, v, mask)
    return seen.transpose(1, 2).flatten(2), weights


def attend(scores: Tensor, values: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """The means of values (…, S, M), weighted by the softmax of scores (…, T, S).

    Where `mask`, of a shape that fits the scores, is False, nobody may look: the weight is 0. In
    each row one place must be True. Returns what was seen, (…, T, M), and the weights, (…, T, S).
    """
    weights = scores.masked_fill(~mask, -math.inf).softmax(dim=-1)
    return weights @ values, weights


class DotProductAttention(nn.Module):
    """Compares a query with a key by their product: q W k / √M.

    After Luong et al. (2015), who call it "general"; divided by √M as in Vaswani et al. (2017).
    """

    def __init__(self, query_size: int, memory_size: int):
        super().__init__()
        self.query = nn.Linear(query_size, memory_size, bias=False)

    def keys(self, memory: Tensor) -> Tensor:
        """What queries are compared with: the memory (B, S, M) itself."""
        return memory

    def forward(
        self, queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Queries (B, T, H), keys and values (B, S, M), mask (B, S): see `attend`."""
        scores = self.query(queries) @ keys.transpose(1, 2) / math.sqrt(keys.shape[2])
        return attend(scores, values, mask[:, None])


class AdditiveAttention(nn.Module):
    """Compares a query with a key by a small perceptron: v tanh(W q + U k).

    After Bahdanau et al. (2015). The hidden layer is as wide as the memory.
    """

    def __init__(self, query_size: int, memory_size: int):
        super().__init__()
        self.query = nn.Linear(query_size, memory_size, bias=False)
        self.key = nn.Linear(memory_size, memory_size)
        self.score = nn.Linear(memory_size, 1, bias=False)

    def keys(self, memory: Tensor) -> Tensor:
        """What queries are compared with: U k for each step of the memory (B, S, M)."""
        return self.key(memory)

    def forward(
        self, queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Queries (B, T, H), keys and values (B, S, M), mask (B, S): see `attend`."""
        hidden = torch.tanh(self.query(queries)[:, :, None] + keys[:, None])  # (B, T, S, M)
        return attend(self.score(hidden).squeeze(3), values, mask[:, None])
