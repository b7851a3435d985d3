"""The probes against autograd on whole layers, against differences, and against the equations."""

import math

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from rnnbook.layers.recurrent import LSTM, RNN
from rnnbook.models.recurrent import SequenceClassifier
from rnnbook.probes import cell_gradients, gate_traces, state_gradients

B, T, D, H = 3, 6, 2, 4


@pytest.fixture
def data():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(B, T, D, dtype=torch.float64, generator=generator)
    return x, torch.tensor([0, 1, 2])


def model_of(cell):
    torch.manual_seed(1)
    return SequenceClassifier(cell(D, H), num_classes=3).double()


def loss_from(model, x, y, t, state):
    """The loss of one sequence that is read on from the state after step t (counted from 1)."""
    logits, _ = model(x[:, t:], state)
    return cross_entropy(logits, y).item()


@pytest.mark.parametrize("cell", [RNN, LSTM])
@pytest.mark.parametrize("t", [1, T - 1])
def test_state_gradients_are_differences(cell, t, data):
    x, y = data[0][:1], data[1][:1]
    model = model_of(cell)
    gradients = state_gradients(model, x, y)
    assert gradients.shape == (1, T, H)
    with torch.no_grad():
        _, state = model.layer(x[:, :t])
    for unit in range(H):
        moved = []
        for eps in (1e-6, -1e-6):
            h = (state[0] if cell is LSTM else state).clone()
            h[0, unit] += eps
            moved.append(loss_from(model, x, y, t, (h, state[1]) if cell is LSTM else h))
        difference = (moved[0] - moved[1]) / 2e-6
        assert math.isclose(gradients[0, t - 1, unit].item(), difference, rel_tol=1e-5)


def test_cell_gradients_are_differences(data):
    x, y, t, unit = data[0][:1], data[1][:1], 3, 2
    model = model_of(LSTM)
    traces = gate_traces(model.layer, x[:, :t])
    o, c = traces["o"][:, -1], traces["c"][:, -1]
    moved = []
    for eps in (1e-6, -1e-6):
        c_moved = c.clone()
        c_moved[0, unit] += eps
        state = o * c_moved.tanh(), c_moved  # h_t is computed from c_t and moves with it
        moved.append(loss_from(model, x, y, t, state))
    gradient = cell_gradients(model, x, y)[0, t - 1, unit].item()
    assert math.isclose(gradient, (moved[0] - moved[1]) / 2e-6, rel_tol=1e-5)


def test_what_has_no_cell_state_has_no_cell_gradients(data):
    with pytest.raises(TypeError, match="RNN has no cell state"):
        cell_gradients(model_of(RNN), *data)


def test_each_sequence_has_the_gradient_of_its_own_loss(data):
    x, y = data
    model = model_of(RNN)
    together = state_gradients(model, x, y)
    for k in range(B):
        alone = state_gradients(model, x[k : k + 1], y[k : k + 1])
        torch.testing.assert_close(together[k], alone[0])


def test_gate_traces_are_those_of_the_layer(data):
    x, _ = data
    torch.manual_seed(1)
    layer = nn.LSTM(D, H, batch_first=True).double()
    traces = gate_traces(LSTM.from_torch(layer), x)
    expected, (_, c) = layer(x)
    torch.testing.assert_close(traces["h"], expected.detach())
    torch.testing.assert_close(traces["c"][:, -1], c[0].detach())
    before = torch.cat([torch.zeros(B, 1, H), traces["c"][:, :-1]], dim=1)
    torch.testing.assert_close(traces["c"], traces["f"] * before + traces["i"] * traces["g"])
    torch.testing.assert_close(traces["h"], traces["o"] * traces["c"].tanh())
    assert all((traces[gate] > 0).all() and (traces[gate] < 1).all() for gate in "ifo")
