"""The variants of the LSTM: each differs from it in the part that it names, and in nothing else."""

import pytest
import torch

from rnnbook.layers import ablations
from rnnbook.layers.initialisation import chrono_start, identity_start, orthogonal_start
from rnnbook.layers.recurrent import LSTM, RNN

B, T, D, H = 3, 7, 2, 4


@pytest.fixture
def x():
    return torch.randn(B, T, D, generator=torch.Generator().manual_seed(0))


def shared_weights(variant, lstm):
    lstm.load_state_dict(variant.state_dict(), strict=False)
    return lstm


@pytest.mark.parametrize(
    ("kind", "gate"),
    [
        (ablations.NoInputGate, "i"),
        (ablations.NoForgetGate, "f"),
        (ablations.NoOutputGate, "o"),
    ],
)
def test_a_gate_left_out_is_a_gate_that_is_always_open(kind, gate, x):
    torch.manual_seed(0)
    variant, lstm = kind(D, H), LSTM(D, H)
    shared_weights(variant, lstm)
    with torch.no_grad():
        getattr(lstm, f"W_x{gate}").zero_()
        getattr(lstm, f"W_h{gate}").zero_()
        getattr(lstm, f"b_{gate}").fill_(100.0)
    torch.testing.assert_close(variant(x)[0], lstm(x)[0])
    sizes = [sum(p.numel() for p in cell.parameters()) for cell in (variant, lstm)]
    assert 4 * sizes[0] == 3 * sizes[1]


def test_coupled_gates_write_what_they_forget(x):
    torch.manual_seed(0)
    variant, lstm = ablations.CoupledGates(D, H), LSTM(D, H)
    shared_weights(variant, lstm)
    with torch.no_grad():  # 1 - σ(z) is σ(-z)
        lstm.W_xi.copy_(-lstm.W_xf)
        lstm.W_hi.copy_(-lstm.W_hf)
        lstm.b_i.copy_(-lstm.b_f)
    torch.testing.assert_close(variant(x)[0], lstm(x)[0])


def test_the_chrono_start_spreads_the_lags():
    torch.manual_seed(0)
    lstm = chrono_start(LSTM(2, 500), longest=100)
    lags = lstm.b_f.exp()
    assert 1 <= lags.min() < 5 and 90 < lags.max() <= 99
    torch.testing.assert_close(lstm.b_i, -lstm.b_f)
    with pytest.raises(ValueError, match="3 or more"):
        chrono_start(LSTM(2, 5), longest=2)


def test_the_starts_of_the_simple_rnn():
    torch.manual_seed(0)
    W = orthogonal_start(RNN(2, 5)).W_hh
    torch.testing.assert_close(W @ W.T, torch.eye(5))
    rnn = identity_start(RNN(2, 5, torch.relu))
    assert torch.equal(rnn.W_hh, torch.eye(5)) and not rnn.b_h.any()


def test_without_the_output_tanh_the_cell_state_is_shown_as_it_is(x):
    torch.manual_seed(0)
    variant = ablations.NoOutputTanh(D, H)
    state = h, _ = torch.rand(B, H), 5 + torch.rand(B, H)
    shown, c = variant.step(x[:, 0], state)
    torch.testing.assert_close(shown, variant.gates(x[:, 0], h)[3] * c)
    torch.testing.assert_close(c, LSTM.step(variant, x[:, 0], state)[1])


def test_a_peephole_lets_each_gate_see_its_own_cell(x):
    """With no weights but the peepholes, a gate is what its cell makes it."""
    cell = ablations.Peepholes(D, H)
    with torch.no_grad():
        for name, p in cell.named_parameters():
            p.fill_({"p_i": 1.0, "p_f": 2.0, "p_o": 3.0, "b_g": 0.5}.get(name, 0.0))
    before = torch.linspace(-1, 1, B * H).view(B, H)
    h, c = cell.step(x[:, 0], (torch.zeros(B, H), before))
    written = torch.sigmoid(before) * torch.tanh(torch.tensor(0.5))
    torch.testing.assert_close(c, torch.sigmoid(2 * before) * before + written)
    torch.testing.assert_close(h, torch.sigmoid(3 * c) * torch.tanh(c))


def test_peepholes_that_are_zero_change_nothing(x):
    torch.manual_seed(0)
    variant, lstm = ablations.Peepholes(D, H), LSTM(D, H)
    lstm.load_state_dict(variant.state_dict(), strict=False)
    with torch.no_grad():
        for name in ("p_i", "p_f", "p_o"):
            variant.get_parameter(name).zero_()
    torch.testing.assert_close(variant(x)[0], lstm(x)[0])
