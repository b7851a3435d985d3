"""The LSTM that drops recurrent weights: one of PyTorch's, with fewer weights while it trains."""

import pytest
import torch
from torch import nn

from rnnbook.layers.weight_drop import WeightDropLSTM

D, H, B, T = 3, 40, 2, 5


@pytest.fixture
def layer():
    torch.manual_seed(0)
    return WeightDropLSTM(D, H, weight_dropout=0.25)


@pytest.fixture
def x():
    return torch.randn(B, T, D, generator=torch.Generator().manual_seed(1))


def plain(weights: dict[str, torch.Tensor]) -> nn.LSTM:
    lstm = nn.LSTM(D, H, batch_first=True)
    lstm.load_state_dict(weights)
    return lstm


def test_when_it_does_not_train_it_is_the_lstm_of_pytorch(layer, x):
    layer.eval()
    lstm = plain(layer.state_dict())
    h, state = layer(x)
    expected, expected_state = lstm(x)
    assert torch.equal(h, expected)
    again, _ = layer(x, state)
    assert torch.equal(again, lstm(x, expected_state)[0])


def test_when_it_trains_it_is_an_lstm_with_a_quarter_of_the_recurrent_weights_missing(layer, x):
    torch.manual_seed(7)
    h, _ = layer(x)
    h.square().sum().backward()
    missing = layer.weight_hh_l0.grad == 0
    assert missing.float().mean().item() == pytest.approx(0.25, abs=0.02)  # of 6,400
    weights = layer.state_dict()
    weights["weight_hh_l0"] = weights["weight_hh_l0"].masked_fill(missing, 0) / 0.75
    assert torch.allclose(h, plain(weights)(x)[0], atol=1e-6)
    assert (layer.weight_ih_l0.grad != 0).all()


def test_each_batch_misses_others(layer, x):
    assert not torch.equal(layer(x)[0], layer(x)[0])
