"""The simple RNN, the LSTM and the GRU, one line of code for each line of the equations.

They compute what `nn.RNN`, `nn.LSTM` and `nn.GRU` compute (the tests hold them equal, gradients
included), but are meant to be read: they lack several layers, two directions, and the speed of
PyTorch's own, which fuse these loops. Tensors are batch first; weights multiply from the right.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from rnnbook.layers.initialisation import uniform_weights


class RNN(nn.Module):
    """A simple recurrent network (Elman, 1990): h_t = tanh(x_t W_xh + h_{t-1} W_hh + b_h)."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        nonlinearity: Callable[[Tensor], Tensor] = torch.tanh,
    ):
        super().__init__()
        self.input_size, self.hidden_size = input_size, hidden_size
        self.nonlinearity = nonlinearity
        self.W_xh, self.W_hh, self.b_h = uniform_weights(input_size, hidden_size)

    def step(self, x_t: Tensor, h: Tensor) -> Tensor:
        """One time step: x_t (B, D) and the state h (B, H) give the next state (B, H)."""
        return self.nonlinearity(x_t @ self.W_xh + h @ self.W_hh + self.b_h)

    def forward(self, x: Tensor, h: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Read x (B, T, D) from the state h (B, H), by default zero.

        Returns all states (B, T, H) and the last one (B, H).
        """
        if h is None:
            h = x.new_zeros(len(x), self.hidden_size)
        states = []
        for x_t in x.unbind(dim=1):  # T times (B, D)
            h = self.step(x_t, h)
            states.append(h)
        return torch.stack(states, dim=1), h

    @classmethod
    def from_torch(cls, layer: nn.RNN) -> "RNN":
        """A copy of an `nn.RNN(…, batch_first=True)`.

        Raises `ValueError` unless it has one layer, one direction and biases.
        """
        _check_is_plain(layer)
        nonlinearity = torch.tanh if layer.nonlinearity == "tanh" else torch.relu
        rnn = cls(layer.input_size, layer.hidden_size, nonlinearity).to(layer.weight_ih_l0.dtype)
        with torch.no_grad():
            rnn.W_xh.copy_(layer.weight_ih_l0.T)
            rnn.W_hh.copy_(layer.weight_hh_l0.T)
            rnn.b_h.copy_(layer.bias_ih_l0 + layer.bias_hh_l0)  # PyTorch keeps two, of one effect
        return rnn


class LSTM(nn.Module):
    """Long short-term memory (Hochreiter and Schmidhuber, 1997; forget gate: Gers et al., 2000).

    The forget gate's bias starts at `forget_bias`: with 1, the cell begins by keeping more than
    half of what it holds (Gers et al., 2000; Jozefowicz et al., 2015).
    """

    def __init__(self, input_size: int, hidden_size: int, forget_bias: float = 1.0):
        super().__init__()
        self.input_size, self.hidden_size = input_size, hidden_size
        self.W_xi, self.W_hi, self.b_i = uniform_weights(input_size, hidden_size)
        self.W_xf, self.W_hf, self.b_f = uniform_weights(input_size, hidden_size)
        self.W_xg, self.W_hg, self.b_g = uniform_weights(input_size, hidden_size)
        self.W_xo, self.W_ho, self.b_o = uniform_weights(input_size, hidden_size)
        nn.init.constant_(self.b_f, forget_bias)

    def step(self, x_t: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """One time step: x_t (B, D) and the state (h, c) give the next (h, c), (B, H) each."""
        h, c = state
        i, f, g, o = self.gates(x_t, h)
        c = f * c + i * g
        h = o * torch.tanh(c)
        return h, c

    def gates(self, x_t: Tensor, h: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """The gates and the candidate, i, f, g, o, (B, H) each, for x_t (B, D) and h (B, H)."""
        i = torch.sigmoid(x_t @ self.W_xi + h @ self.W_hi + self.b_i)  # input gate
        f = torch.sigmoid(x_t @ self.W_xf + h @ self.W_hf + self.b_f)  # forget gate
        g = torch.tanh(x_t @ self.W_xg + h @ self.W_hg + self.b_g)  # candidate
        o = torch.sigmoid(x_t @ self.W_xo + h @ self.W_ho + self.b_o)  # output gate
        return i, f, g, o

    def forward(
        self, x: Tensor, state: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Read x (B, T, D) from the state (h, c), each (B, H), by default zero.

        Returns all hidden states (B, T, H) and the last state (h, c).
        """
        if state is None:
            zeros = x.new_zeros(len(x), self.hidden_size)
            state = zeros, zeros
        states = []
        for x_t in x.unbind(dim=1):  # T times (B, D)
            state = self.step(x_t, state)
            states.append(state[0])
        return torch.stack(states, dim=1), state

    @classmethod
    def from_torch(cls, layer: nn.LSTM) -> "LSTM":
        """A copy of an `nn.LSTM(…, batch_first=True)`.

        Raises `ValueError` unless it has one layer, one direction and biases.
        """
        _check_is_plain(layer)
        lstm = cls(layer.input_size, layer.hidden_size).to(layer.weight_ih_l0.dtype)
        bias = layer.bias_ih_l0 + layer.bias_hh_l0  # PyTorch keeps two, of one effect
        parts = zip(
            "ifgo",  # the order in which PyTorch stacks its gates
            layer.weight_ih_l0.chunk(4),
            layer.weight_hh_l0.chunk(4),
            bias.chunk(4),
            strict=True,
        )
        with torch.no_grad():
            for gate, weight_x, weight_h, b in parts:
                getattr(lstm, f"W_x{gate}").copy_(weight_x.T)
                getattr(lstm, f"W_h{gate}").copy_(weight_h.T)
                getattr(lstm, f"b_{gate}").copy_(b)
        return lstm


class GRU(nn.Module):
    """Gated recurrent unit (Cho et al., 2014), in the variant that `nn.GRU` computes.

    The reset gate acts on the product h W_hn + b_hn. In the paper it acts on h, before the
    product; then the reset and the product could not be computed in one go.
    """

    def __init__(self, input_size: int, hidden_size: int):
        super().__init__()
        self.input_size, self.hidden_size = input_size, hidden_size
        self.W_xr, self.W_hr, self.b_r = uniform_weights(input_size, hidden_size)
        self.W_xz, self.W_hz, self.b_z = uniform_weights(input_size, hidden_size)
        self.W_xn, self.W_hn, self.b_n = uniform_weights(input_size, hidden_size)
        self.b_hn = uniform_weights(input_size, hidden_size)[2]

    def step(self, x_t: Tensor, h: Tensor) -> Tensor:
        """One time step: x_t (B, D) and the state h (B, H) give the next state (B, H)."""
        r = torch.sigmoid(x_t @ self.W_xr + h @ self.W_hr + self.b_r)  # reset gate
        z = torch.sigmoid(x_t @ self.W_xz + h @ self.W_hz + self.b_z)  # update gate
        n = torch.tanh(x_t @ self.W_xn + self.b_n + r * (h @ self.W_hn + self.b_hn))  # candidate
        return z * h + (1 - z) * n

    def forward(self, x: Tensor, h: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Read x (B, T, D) from the state h (B, H), by default zero.

        Returns all states (B, T, H) and the last one (B, H).
        """
        if h is None:
            h = x.new_zeros(len(x), self.hidden_size)
        states = []
        for x_t in x.unbind(dim=1):  # T times (B, D)
            h = self.step(x_t, h)
            states.append(h)
        return torch.stack(states, dim=1), h

    @classmethod
    def from_torch(cls, layer: nn.GRU) -> "GRU":
        """A copy of an `nn.GRU(…, batch_first=True)`.

        Raises `ValueError` unless it has one layer, one direction and biases.
        """
        _check_is_plain(layer)
        gru = cls(layer.input_size, layer.hidden_size).to(layer.weight_ih_l0.dtype)
        parts = zip(
            "rzn",  # the order in which PyTorch stacks its gates
            layer.weight_ih_l0.chunk(3),
            layer.weight_hh_l0.chunk(3),
            layer.bias_ih_l0.chunk(3),
            layer.bias_hh_l0.chunk(3),
            strict=True,
        )
        with torch.no_grad():
            for gate, weight_x, weight_h, bias_x, bias_h in parts:
                getattr(gru, f"W_x{gate}").copy_(weight_x.T)
                getattr(gru, f"W_h{gate}").copy_(weight_h.T)
                if gate == "n":  # here the two biases differ: one is inside the reset
                    gru.b_n.copy_(bias_x)
                    gru.b_hn.copy_(bias_h)
                else:
                    getattr(gru, f"b_{gate}").copy_(bias_x + bias_h)
        return gru


def _check_is_plain(layer: nn.RNNBase) -> None:
    if layer.num_layers != 1 or layer.bidirectional or not layer.batch_first or not layer.bias:
        raise ValueError(f"expected one layer, one direction, batch first, biases; got {layer}")
