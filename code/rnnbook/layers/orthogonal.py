"""A recurrent network that is built to remember for long: its matrix stays orthogonal."""

import math

import torch
from torch import Tensor, nn


class OrthogonalRNN(nn.Module):
    """A recurrent network whose matrix is orthogonal at every moment of the training.

    h_t = modReLU(x_t W_xh + h_{t-1} Q), with Q = exp(A - Aᵀ): the exponential of a skew-symmetric
    matrix is orthogonal, whatever A is (Lezcano-Casado and Martínez-Rubio, 2019). Q starts as
    rotations of pairs of units by angles drawn uniformly between −π and π (Henaff et al., 2016).
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
