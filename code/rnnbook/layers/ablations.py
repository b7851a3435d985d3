"""The LSTM with a part taken away, or added, to find out what each part is for.

After the ablations of Gers et al. (2000), Jozefowicz et al. (2015) and Greff et al. (2017). What
a variant does not use it does not keep: its parameters are fewer.
"""

import torch
from torch import Tensor

from rnnbook.layers.initialisation import uniform_weights
from rnnbook.layers.recurrent import LSTM


def _remove(cell: LSTM, gate: str) -> None:
    for name in (f"W_x{gate}", f"W_h{gate}", f"b_{gate}"):
        delattr(cell, name)


class NoInputGate(LSTM):
    """Writes its candidate at every step: i_t = 1."""

    def __init__(self, input_size: int, hidden_size: int, forget_bias: float = 1.0):
        super().__init__(input_size, hidden_size, forget_bias)
        _remove(self, "i")

    def gates(self, x_t: Tensor, h: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        f = torch.sigmoid(x_t @ self.W_xf + h @ self.W_hf + self.b_f)
        g = torch.tanh(x_t @ self.W_xg + h @ self.W_hg + self.b_g)
        o = torch.sigmoid(x_t @ self.W_xo + h @ self.W_ho + self.b_o)
        return torch.ones_like(f), f, g, o


class NoForgetGate(LSTM):
    """Never forgets: f_t = 1, the LSTM of 1997."""

    def __init__(self, input_size: int, hidden_size: int):
        super().__init__(input_size, hidden_size)
        _remove(self, "f")

    def gates(self, x_t: Tensor, h: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        i = torch.sigmoid(x_t @ self.W_xi + h @ self.W_hi + self.b_i)
        g = torch.tanh(x_t @ self.W_xg + h @ self.W_hg + self.b_g)
        o = torch.sigmoid(x_t @ self.W_xo + h @ self.W_ho + self.b_o)
        return i, torch.ones_like(i), g, o


class NoOutputGate(LSTM):
    """Always shows its cell state: o_t = 1."""

    def __init__(self, input_size: int, hidden_size: int, forget_bias: float = 1.0):
        super().__init__(input_size, hidden_size, forget_bias)
        _remove(self, "o")

    def gates(self, x_t: Tensor, h: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        i = torch.sigmoid(x_t @ self.W_xi + h @ self.W_hi + self.b_i)
        f = torch.sigmoid(x_t @ self.W_xf + h @ self.W_hf + self.b_f)
        g = torch.tanh(x_t @ self.W_xg + h @ self.W_hg + self.b_g)
        return i, f, g, torch.ones_like(f)


class CoupledGates(LSTM):
    """Writes as much as it forgets: i_t = 1 - f_t."""

    def __init__(self, input_size: int, hidden_size: int, forget_bias: float = 1.0):
        super().__init__(input_size, hidden_size, forget_bias)
        _remove(self, "i")

    def gates(self, x_t: Tensor, h: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        f = torch.sigmoid(x_t @ self.W_xf + h @ self.W_hf + self.b_f)
        g = torch.tanh(x_t @ self.W_xg + h @ self.W_hg + self.b_g)
        o = torch.sigmoid(x_t @ self.W_xo + h @ self.W_ho + self.b_o)
        return 1 - f, f, g, o


class NoOutputTanh(LSTM):
    """Shows its cell state as it is: h_t = o_t c_t."""

    def step(self, x_t: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        h, c = state
        i, f, g, o = self.gates(x_t, h)
        c = f * c + i * g
        return o * c, c


class Peepholes(LSTM):
    """Every gate also sees its own cell (Gers et al., 2002), the output gate the new state of it.

    Each of the three new weights is a vector (H,), a number for each cell.
    """

    def __init__(self, input_size: int, hidden_size: int, forget_bias: float = 1.0):
        super().__init__(input_size, hidden_size, forget_bias)
        self.p_i, self.p_f, self.p_o = (
            uniform_weights(input_size, hidden_size)[2] for _ in range(3)
        )

    def step(self, x_t: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        h, c = state
        i = torch.sigmoid(x_t @ self.W_xi + h @ self.W_hi + self.p_i * c + self.b_i)
        f = torch.sigmoid(x_t @ self.W_xf + h @ self.W_hf + self.p_f * c + self.b_f)
        g = torch.tanh(x_t @ self.W_xg + h @ self.W_hg + self.b_g)
        c = f * c + i * g
        o = torch.sigmoid(x_t @ self.W_xo + h @ self.W_ho + self.p_o * c + self.b_o)
        return o * torch.tanh(c), c
