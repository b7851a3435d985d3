"""An LSTM with something beside its state: all that it has seen, or a matrix.

At each step it makes three vectors from its state: a value, a key under which the value is kept,
and a query, with which it asks for what was kept before. `look_back` keeps all keys and values;
`matrix_state` adds each value, times its key, to one matrix, whose size does not grow.
"""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from rnnbook.layers.attention import attend
from rnnbook.layers.initialisation import set_forget_bias

Keep = Callable[[Tensor, Tensor, Tensor], Tensor]


def look_back(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Attention: queries and keys (B, T, K), values (B, T, M) → what each step finds, (B, T, M).

    A step looks at itself and all earlier ones.
    """
    scores = q @ k.transpose(1, 2) / math.sqrt(k.shape[2])  # (B, T, T)
    not_later = torch.ones(scores.shape[1:], dtype=torch.bool, device=q.device).tril()
    return attend(scores, v, not_later)[0]


def matrix_state(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """The same without a softmax, and with queries and keys of length 1.

    After Katharopoulos et al. (2020), who also make the weights positive and divide by their sum.
    What a step finds is the sum of all earlier values and its own, each times the product of its
    key with the query. `matrix_by_steps` gives the same from a state.
    """
    q, k = normalize(q, dim=2), normalize(k, dim=2)
    return (q @ k.transpose(1, 2)).tril() @ v


def matrix_by_steps(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """`matrix_state` as a recurrence: the state is a matrix (B, M, K)."""
    q, k = normalize(q, dim=2), normalize(k, dim=2)
    state, found = v.new_zeros(len(v), v.shape[2], k.shape[2]), []
    for query, key, value in zip(q.unbind(1), k.unbind(1), v.unbind(1), strict=True):
        state = state + value[:, :, None] * key[:, None]  # keep
        found.append((state @ query[:, :, None]).squeeze(2))  # ask
    return torch.stack(found, dim=1)


class KeepingLSTM(nn.Module):
    """An LSTM whose states are kept by `keep`, and asked for, and what is found added to them."""

    def __init__(self, input_size: int, hidden_size: int, key_size: int, keep: Keep = look_back):
        super().__init__()
        self.input_size, self.hidden_size, self.keep = input_size, hidden_size, keep
        self.lstm = set_forget_bias(nn.LSTM(input_size, hidden_size, batch_first=True))
        self.query = nn.Linear(hidden_size, key_size, bias=False)
        self.key = nn.Linear(hidden_size, key_size, bias=False)
        self.value = nn.Linear(hidden_size, hidden_size, bias=False)
        self.out = nn.Linear(hidden_size, hidden_size, bias=False)

    def forward(self, x: Tensor, state: Any = None) -> tuple[Tensor, None]:
        """x (B, T, D) → (B, T, H), and no state: each call begins anew."""
        h, _ = self.lstm(x)  # (B, T, H)
        found = self.keep(self.query(h), self.key(h), self.value(h))  # (B, T, H)
        return h + self.out(found), None
