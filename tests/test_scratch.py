"""The recurrences in NumPy against PyTorch's layers, and on paper."""

import numpy as np
import pytest
import torch
from torch import nn

from rnnbook import scratch
from rnnbook.cells import LSTM, RNN

B, T, D, H = 3, 6, 4, 5


@pytest.fixture
def x():
    return torch.randn(B, T, D, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def arrays(module):
    return {name: p.detach().numpy() for name, p in module.named_parameters()}


@pytest.mark.parametrize("start", [False, True])
def test_rnn_forward_is_pytorchs(x, start):
    torch.manual_seed(1)
    layer = nn.RNN(D, H, batch_first=True).double()
    h = torch.randn(1, B, H, dtype=torch.float64) if start else None
    w = arrays(RNN.from_torch(layer))
    begin = h[0].numpy() if start else None
    ours = scratch.rnn_forward(x.numpy(), w["W_xh"], w["W_hh"], w["b_h"], begin)
    np.testing.assert_allclose(ours, layer(x, h)[0].detach().numpy(), atol=1e-12)


@pytest.mark.parametrize("start", [False, True])
def test_lstm_forward_is_pytorchs(x, start):
    torch.manual_seed(1)
    layer = nn.LSTM(D, H, batch_first=True).double()
    state = tuple(torch.randn(2, 1, B, H, dtype=torch.float64)) if start else None
    w = arrays(LSTM.from_torch(layer))
    by_gate = [{gate: w[prefix + gate] for gate in "ifgo"} for prefix in ("W_x", "W_h", "b_")]
    begin = tuple(part[0].numpy() for part in state) if start else None
    h, c = scratch.lstm_forward(x.numpy(), *by_gate, begin)
    expected, (_, c_last) = layer(x, state)
    np.testing.assert_allclose(h, expected.detach().numpy(), atol=1e-12)
    np.testing.assert_allclose(c[:, -1], c_last[0].detach().numpy(), atol=1e-12)


def test_sigmoid_does_not_overflow():
    with np.errstate(all="raise"):
        values = scratch.sigmoid(np.array([-1e4, -1.0, 0.0, 1.0, 1e4]))
    np.testing.assert_allclose(values, [0, 1 / (1 + np.e), 0.5, np.e / (1 + np.e), 1])
