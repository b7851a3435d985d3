"""Layers with long memories: their recurrences step by step, their matrix, and how they start."""

import pytest
import torch
from torch import nn

from rnnbook.layers.initialisation import chrono_start, identity_start, log_spans
from rnnbook.layers.min_gru import MinGRU
from rnnbook.layers.orthogonal import OrthogonalRNN, modrelu

B, T, D, H = 3, 7, 2, 4


@pytest.fixture
def x():
    torch.manual_seed(0)
    return torch.randn(B, T, D)


def test_modrelu_moves_a_number_away_from_zero_or_towards_it():
    z = torch.tensor([-2.0, -0.5, 0.0, 0.5, 2.0])
    torch.testing.assert_close(modrelu(z, torch.tensor(0.0)), z)
    torch.testing.assert_close(
        modrelu(z, torch.tensor(-1.0)), torch.tensor([-1.0, 0.0, 0.0, 0.0, 1.0])
    )
    torch.testing.assert_close(
        modrelu(z, torch.tensor(1.0)), torch.tensor([-3.0, -1.5, 0.0, 1.5, 3.0])
    )


def test_the_matrix_stays_orthogonal_while_it_is_trained(x):
    rnn = OrthogonalRNN(D, H).double()
    optimizer = torch.optim.SGD(rnn.parameters(), lr=0.5)
    before = rnn.matrix().detach()
    for _ in range(5):
        optimizer.zero_grad()
        rnn(x.double())[0].square().mean().backward()
        optimizer.step()
    Q = rnn.matrix()
    assert (Q - before).abs().max() > 1e-3
    torch.testing.assert_close(Q @ Q.T, torch.eye(H, dtype=torch.double), rtol=0, atol=1e-12)


def test_the_orthogonal_matrix_starts_as_rotations_of_pairs():
    torch.manual_seed(0)
    Q = OrthogonalRNN(D, 6).matrix()
    pairs = torch.block_diag(*(torch.ones(2, 2) for _ in range(3)))
    assert Q[pairs == 0].abs().max() < 1e-6
    assert all(torch.det(Q[k : k + 2, k : k + 2]) > 0.999 for k in (0, 2, 4))
    assert Q[pairs == 1].abs().min() < 0.999  # not the identity


def test_without_inputs_the_orthogonal_state_keeps_its_length():
    torch.manual_seed(0)
    rnn = OrthogonalRNN(D, H).double()
    nn.init.zeros_(rnn.b)
    h = torch.randn(B, H).double()
    states, last = rnn(torch.zeros(B, 50, D).double(), h)
    torch.testing.assert_close(states.norm(dim=2), h.norm(dim=1)[:, None].expand(B, 50))
    assert torch.equal(states[:, -1], last)


def test_the_min_gru_is_a_weighted_mean_of_its_state_and_a_candidate(x):
    layer, h = MinGRU(D, H), torch.zeros(B, H)
    states, last = layer(x)
    for t in range(T):
        z = 1 / (1 + torch.exp(-(x[:, t] @ layer.W_xz + layer.b_z)))
        n = x[:, t] @ layer.W_xn + layer.b_n
        h = (1 - z) * h + z * n
        torch.testing.assert_close(states[:, t], h)
    torch.testing.assert_close(last, h)


@pytest.mark.parametrize("kind", [MinGRU, OrthogonalRNN])
def test_a_sequence_can_be_read_in_two_parts(kind, x):
    layer = kind(D, H)
    whole, _ = layer(x)
    first, state = layer(x[:, :3])
    second, _ = layer(x[:, 3:], state)
    torch.testing.assert_close(torch.cat([first, second], dim=1), whole)


def test_the_gates_of_the_min_gru_start_with_the_spans_asked_for():
    torch.manual_seed(0)
    spans = (1 / torch.sigmoid(MinGRU(D, 1000, longest=200).b_z)).detach() - 1
    assert 1 <= spans.min() < 5 and 190 < spans.max() <= 199.01


def test_chrono_start_sets_the_sums_of_the_biases_of_two_gates_only():
    torch.manual_seed(0)
    layer = nn.LSTM(D, 500, batch_first=True)
    other = layer.bias_ih_l0[1000:].clone(), layer.bias_hh_l0[1000:].clone()
    assert chrono_start(layer, 100) is layer
    i, f = (layer.bias_ih_l0 + layer.bias_hh_l0).detach()[:1000].chunk(2)
    torch.testing.assert_close(i, -f)
    assert 1 <= f.exp().min() < 3 and 95 < f.exp().max() <= 99.01
    assert torch.equal(layer.bias_ih_l0[1000:], other[0])
    assert torch.equal(layer.bias_hh_l0[1000:], other[1])


def test_identity_start_keeps_a_state_that_is_not_negative():
    layer = identity_start(nn.RNN(D, H, nonlinearity="relu", batch_first=True))
    h = torch.rand(1, B, H)
    _, last = layer(torch.zeros(B, 30, D), h)
    torch.testing.assert_close(last, h)


def test_a_lag_that_is_too_short_is_refused():
    with pytest.raises(ValueError, match="longest lag is 2"):
        log_spans(4, 2)
