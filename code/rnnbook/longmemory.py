"""Two layers that are built to remember for long, and two ways to start PyTorch's layers so.

The layers map x (B, T, D) and a state (B, H) to all states (B, T, H) and the last one, as those of
`rnnbook.cells` do. Left out: the parallel form of the gated linear recurrence, which needs no loop
over time.
"""

import math

import torch
from torch import Tensor, nn


class OrthogonalRNN(nn.Module):
    """A recurrent network whose matrix is orthogonal at every moment of the training.

    h_t = modReLU(x_t W_xh + h_{t-1} Q), with Q = exp(A - Aᵀ): the exponential of a skew-symmetric
    matrix is orthogonal, whatever A is (Lezcano-Casado and Martínez-Rubio, 2019). Q starts as
    rotations of pairs of units by angles drawn uniformly from ±π (Henaff et al., 2016).
    """

    def __init__(self, input_size: int, hidden_size: int):
        super().__init__()
        self.input_size, self.hidden_size = input_size, hidden_size
        self.W_xh = nn.Parameter(torch.empty(input_size, hidden_size))
        nn.init.kaiming_normal_(self.W_xh.T)
        angles = torch.zeros(hidden_size - 1)
        angles[::2].uniform_(-math.pi, math.pi)
        self.A = nn.Parameter(torch.diag(angles, diagonal=1))
        self.b = nn.Parameter(torch.empty(hidden_size).uniform_(-0.01, 0.01))

    def matrix(self) -> Tensor:
        """The orthogonal matrix Q (H, H)."""
        return torch.matrix_exp(self.A - self.A.T)

    def forward(self, x: Tensor, h: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Read x (B, T, D) from the state h (B, H), by default zero."""
        if h is None:
            h = x.new_zeros(len(x), self.hidden_size)
        Q, states = self.matrix(), []
        for u_t in (x @ self.W_xh).unbind(dim=1):  # T times (B, H)
            h = modrelu(u_t + h @ Q, self.b)
            states.append(h)
        return torch.stack(states, dim=1), h


def modrelu(z: Tensor, b: Tensor) -> Tensor:
    """Move each entry of z by b away from zero, or towards it and no further: keeps the sign.

    The real form of the function of Arjovsky et al. (2016). With b = 0 it changes nothing.
    """
    return z.sign() * torch.relu(z.abs() + b)


class MinGRU(nn.Module):
    """A gated linear recurrence (Feng et al., 2024): a GRU whose gate sees only the input.

    h_t = (1 - z_t) h_{t-1} + z_t n_t, with z_t = σ(x_t W_xz + b_z) and n_t = x_t W_xn + b_n. Given
    the gates, h_t is linear in h_{t-1}, entry by entry.

    With `longest`, the gates start so that the units remember for about u steps each, u uniform
    in (1, longest - 1): b_z = -ln u, the chrono start of Tallec and Ollivier (2018).
    """

    def __init__(self, input_size: int, hidden_size: int, longest: int | None = None):
        super().__init__()
        self.input_size, self.hidden_size = input_size, hidden_size
        bound = input_size**-0.5
        self.W_xz, self.W_xn = (
            nn.Parameter(torch.empty(input_size, hidden_size).uniform_(-bound, bound))
            for _ in range(2)
        )
        self.b_z = nn.Parameter(-log_spans(hidden_size, longest or 3))
        self.b_n = nn.Parameter(torch.zeros(hidden_size))

    def forward(self, x: Tensor, h: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Read x (B, T, D) from the state h (B, H), by default zero."""
        if h is None:
            h = x.new_zeros(len(x), self.hidden_size)
        z = torch.sigmoid(x @ self.W_xz + self.b_z)  # (B, T, H), for all steps at once
        n = x @ self.W_xn + self.b_n
        states = []
        for z_t, n_t in zip(z.unbind(dim=1), n.unbind(dim=1), strict=True):
            h = torch.lerp(h, n_t, z_t)  # (1 - z_t) h + z_t n_t
            states.append(h)
        return torch.stack(states, dim=1), h


def log_spans(units: int, longest: int) -> Tensor:
    """ln u (units,), with u uniform in (1, longest - 1). Raises `ValueError` below 3."""
    if longest < 3:
        raise ValueError(f"the longest lag is {longest}; it must be 3 or more")
    return torch.empty(units).uniform_(1, longest - 1).log()


@torch.no_grad()
def chrono_start(layer: nn.LSTM, longest: int) -> nn.LSTM:
    """Start a one-layer `nn.LSTM` with forget biases ln u and input biases -ln u, and return it.

    u is uniform in (1, longest - 1): each cell begins with a memory of about u steps (Tallec and
    Ollivier, 2018).
    """
    H, spans = layer.hidden_size, log_spans(layer.hidden_size, longest)
    layer.bias_ih_l0[: 2 * H] = torch.cat([-spans, spans])  # PyTorch's order: i, f, g, o
    layer.bias_hh_l0[: 2 * H] = 0  # PyTorch adds two biases
    return layer


@torch.no_grad()
def identity_start(layer: nn.RNN) -> nn.RNN:
    """Start a one-layer `nn.RNN` with the identity as its recurrent matrix, and return it.

    Inputs small, biases zero; with ReLU this is the IRNN of Le et al. (2015).
    """
    nn.init.eye_(layer.weight_hh_l0)
    nn.init.normal_(layer.weight_ih_l0, std=0.001**0.5)
    nn.init.zeros_(layer.bias_ih_l0)
    nn.init.zeros_(layer.bias_hh_l0)
    return layer
