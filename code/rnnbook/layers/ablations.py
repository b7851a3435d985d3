"""The LSTM with a part taken away or added, to find out what each part is for.

After the ablations of Gers et al. (2000), Jozefowicz et al. (2015) and Greff et al. (2017). What
a variant does not use it does not keep: its parameters are fewer.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import layer_norm

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


class Peepholes(LSTM):
    """Its gates see the cell state too, each entry its own (Gers and Schmidhuber, 2000)."""

    def __init__(self, input_size: int, hidden_size: int, forget_bias: float = 1.0):
        super().__init__(input_size, hidden_size, forget_bias)
        bound = hidden_size**-0.5
        self.p_i, self.p_f, self.p_o = (
            nn.Parameter(torch.empty(hidden_size).uniform_(-bound, bound)) for _ in range(3)
        )

    def step(self, x_t: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        h, c = state
        i = torch.sigmoid(x_t @ self.W_xi + h @ self.W_hi + c * self.p_i + self.b_i)
        f = torch.sigmoid(x_t @ self.W_xf + h @ self.W_hf + c * self.p_f + self.b_f)
        g = torch.tanh(x_t @ self.W_xg + h @ self.W_hg + self.b_g)
        c = f * c + i * g
        o = torch.sigmoid(x_t @ self.W_xo + h @ self.W_ho + c * self.p_o + self.b_o)
        return o * torch.tanh(c), c


class LayerNormLSTM(LSTM):
    """Normalises what goes into each gate over its units, then scales it and adds the bias.

    After Ba et al. (2016), who also normalise the cell state on its way to h_t.
    """

    def __init__(self, input_size: int, hidden_size: int, forget_bias: float = 1.0):
        super().__init__(input_size, hidden_size, forget_bias)
        self.s_i, self.s_f, self.s_g, self.s_o = (
            nn.Parameter(torch.ones(hidden_size)) for _ in range(4)
        )

    def gates(self, x_t: Tensor, h: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        size = (self.hidden_size,)
        i = torch.sigmoid(layer_norm(x_t @ self.W_xi + h @ self.W_hi, size, self.s_i, self.b_i))
        f = torch.sigmoid(layer_norm(x_t @ self.W_xf + h @ self.W_hf, size, self.s_f, self.b_f))
        g = torch.tanh(layer_norm(x_t @ self.W_xg + h @ self.W_hg, size, self.s_g, self.b_g))
        o = torch.sigmoid(layer_norm(x_t @ self.W_xo + h @ self.W_ho, size, self.s_o, self.b_o))
        return i, f, g, o
