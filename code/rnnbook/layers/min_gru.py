"""The minGRU: a gated recurrence that is linear in its state, so that it can do without a loop."""

from typing import Any

import torch
from torch import Tensor, nn

from rnnbook.layers.gated_recurrence import scan
from rnnbook.layers.initialisation import log_spans

LONG = 128  # steps; with shorter sequences a model is trained no faster by scans


def by_steps(z: Tensor, n: Tensor, h: Tensor) -> Tensor:
    """All states (B, T, H) of a minGRU for its gates z and candidates n, one after the other."""
    states = []
    for z_t, n_t in zip(z.unbind(dim=1), n.unbind(dim=1), strict=True):
        h = torch.lerp(h, n_t, z_t)  # (1 - z_t) h + z_t n_t
        states.append(h)
    return torch.stack(states, dim=1)


def by_scan(z: Tensor, n: Tensor, h: Tensor) -> Tensor:
    """The same states without a loop over time."""
    kept, written = 1 - z, z * n
    written[:, 0] += kept[:, 0] * h
    return scan(kept, written)


class MinGRU(nn.Module):
    """A gated linear recurrence (Feng et al., 2024): a GRU whose gate sees only the input.

    h_t = (1 - z_t) h_{t-1} + z_t n_t, with z_t = σ(x_t W_xz + b_z) and n_t = x_t W_xn + b_n. Given
    the gates, h_t is linear in h_{t-1}, entry by entry.

    The gates start so that the units remember for about u steps each, u uniform in
    (1, longest - 1): b_z = -ln u, the chrono start of Tallec and Ollivier (2018). By default that
    is less than two steps.
    """

    def __init__(self, input_size: int, hidden_size: int, longest: int = 3):
        super().__init__()
        self.input_size, self.hidden_size = input_size, hidden_size
        bound = input_size**-0.5
        self.W_xz, self.W_xn = (
            nn.Parameter(torch.empty(input_size, hidden_size).uniform_(-bound, bound))
            for _ in range(2)
        )
        self.b_z = nn.Parameter(-log_spans(hidden_size, longest))
        self.b_n = nn.Parameter(torch.zeros(hidden_size))

    def forward(self, x: Tensor, h: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Read x (B, T, D) from the state h (B, H), by default zero."""
        if h is None:
            h = x.new_zeros(len(x), self.hidden_size)
        z = torch.sigmoid(x @ self.W_xz + self.b_z)  # (B, T, H), for all steps at once
        n = x @ self.W_xn + self.b_n
        states = (by_steps if x.shape[1] < LONG else by_scan)(z, n, h)
        return states, states[:, -1]


class ConvolvedMinGRU(nn.Module):
    """A weighted sum of the last four steps, channel by channel, then a minGRU.

    A minGRU decides from the present input alone what to write; the sum lets it see the inputs
    just before as well. The state is the last three inputs, (3, B, width), and that of the minGRU.
    """

    def __init__(self, width: int):
        super().__init__()
        self.weights = nn.Parameter(torch.empty(4, width).uniform_(-0.5, 0.5))
        self.layer = MinGRU(width, width)

    def forward(self, x: Tensor, state: Any = None) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """x (B, T, width) → states (B, T, width), and the state to go on from."""
        past, h = state or (x.new_zeros(3, len(x), x.shape[2]), None)
        x = torch.cat([past.transpose(0, 1), x], dim=1)  # (B, 3 + T, width)
        T = x.shape[1] - 3
        mixed = sum(self.weights[k] * x[:, k : k + T] for k in range(4))
        states, h = self.layer(mixed, h)
        return states, (x[:, -3:].transpose(0, 1), h)
