"""The recurrences in NumPy against PyTorch's layers, and on paper."""

import numpy as np
import pytest
import torch
from torch import nn

from rnnbook.layers import scratch
from rnnbook.layers.recurrent import LSTM, RNN

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


def relative_error(ours, theirs):
    return np.linalg.norm(ours - theirs.numpy()) / np.linalg.norm(theirs)


@pytest.mark.parametrize("start", [False, True])
def test_rnn_backward_is_autograds(x, start):
    torch.manual_seed(1)
    rnn = RNN(D, H).double()
    x.requires_grad_()
    h = torch.randn(B, H, dtype=torch.float64, requires_grad=True)
    u = torch.randn(B, T, H, dtype=torch.float64)
    states, _ = rnn(x, h if start else None)
    (states * u).sum().backward()
    w = arrays(rnn)
    inputs = [value.detach().numpy() for value in (x, states)]
    begin = h.detach().numpy() if start else None
    d = scratch.rnn_backward(*inputs, u.numpy(), w["W_xh"], w["W_hh"], begin)
    expected = {name: p.grad for name, p in rnn.named_parameters()} | {"x": x.grad}
    if start:
        expected["h"] = h.grad
    for name, gradient in expected.items():
        assert relative_error(d[name], gradient) < 1e-10, name


@pytest.mark.parametrize("start", [False, True])
def test_lstm_backward_is_autograds(x, start):
    torch.manual_seed(1)
    lstm = LSTM(D, H).double()
    x.requires_grad_()
    state = [torch.randn(B, H, dtype=torch.float64, requires_grad=True) for _ in range(2)]
    u = torch.randn(B, T, H, dtype=torch.float64)
    hidden, _ = lstm(x, tuple(state) if start else None)
    (hidden * u).sum().backward()
    w = arrays(lstm)
    by_gate = [{gate: w[prefix + gate] for gate in "ifgo"} for prefix in ("W_x", "W_h", "b_")]
    begin = tuple(part.detach().numpy() for part in state) if start else None
    numbers = x.detach().numpy()
    states = scratch.lstm_forward(numbers, *by_gate, begin)
    d = scratch.lstm_backward(numbers, states, u.numpy(), *by_gate, begin)
    for name, prefix in {"W_x": "W_x", "W_h": "W_h", "b": "b_"}.items():
        for gate in "ifgo":
            gradient = getattr(lstm, prefix + gate).grad
            assert relative_error(d[name][gate], gradient) < 1e-10, (name, gate)
    assert relative_error(d["x"], x.grad) < 1e-10
    if start:
        assert relative_error(d["h"], state[0].grad) < 1e-10
        assert relative_error(d["c"], state[1].grad) < 1e-10
