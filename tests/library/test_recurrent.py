"""The cells that readers read compute what PyTorch computes, forward and backward."""

import math

import pytest
import torch
from torch import nn

from rnnbook.layers.initialisation import set_forget_bias
from rnnbook.layers.recurrent import GRU, LSTM, RNN
from rnnbook.training.recipes import shakespeare as recipes
from rnnbook.training.recipes.digits import digits

SEEDS = range(6)


def random_sizes(seed):
    """Batch, time steps, input size and hidden size, and numbers from a generator."""
    generator = torch.Generator().manual_seed(seed)
    sizes = [torch.randint(1, 9, (), generator=generator).item() for _ in range(4)]
    return sizes, lambda *shape: torch.randn(*shape, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("nonlinearity", ["tanh", "relu"])
@pytest.mark.parametrize("with_state", [False, True])
def test_rnn_equals_torch(seed, nonlinearity, with_state):
    (B, T, D, H), randn = random_sizes(seed)
    torch.manual_seed(seed)
    theirs = nn.RNN(D, H, nonlinearity=nonlinearity, batch_first=True).double()
    ours = RNN.from_torch(theirs)
    x = randn(B, T, D).requires_grad_()
    h0 = randn(B, H).requires_grad_() if with_state else None
    expected, last = theirs(x, h0[None] if with_state else None)
    outputs, h = ours(x, h0)
    torch.testing.assert_close(outputs, expected)
    torch.testing.assert_close(h, last[0])

    gradient = randn(B, T, H)
    expected.backward(gradient)
    want = {"x": x.grad, "h0": h0.grad if with_state else None}
    x.grad = None
    if with_state:
        h0.grad = None
    outputs.backward(gradient)
    torch.testing.assert_close(x.grad, want["x"])
    if with_state:
        torch.testing.assert_close(h0.grad, want["h0"])
    torch.testing.assert_close(ours.W_xh.grad, theirs.weight_ih_l0.grad.T)
    torch.testing.assert_close(ours.W_hh.grad, theirs.weight_hh_l0.grad.T)
    torch.testing.assert_close(ours.b_h.grad, theirs.bias_ih_l0.grad)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("with_state", [False, True])
def test_lstm_equals_torch(seed, with_state):
    (B, T, D, H), randn = random_sizes(seed)
    torch.manual_seed(seed)
    theirs = nn.LSTM(D, H, batch_first=True).double()
    ours = LSTM.from_torch(theirs)
    x = randn(B, T, D).requires_grad_()
    state = [randn(B, H).requires_grad_() for _ in range(2)] if with_state else []
    expected, (h_last, c_last) = theirs(x, tuple(s[None] for s in state) or None)
    outputs, (h, c) = ours(x, tuple(state) or None)
    torch.testing.assert_close(outputs, expected)
    torch.testing.assert_close(h, h_last[0])
    torch.testing.assert_close(c, c_last[0])

    gradient = randn(B, T, H)
    expected.backward(gradient)
    leaves = [x, *state]
    want = [leaf.grad for leaf in leaves]
    for leaf in leaves:
        leaf.grad = None
    outputs.backward(gradient)
    for leaf, expected_gradient in zip(leaves, want, strict=True):
        torch.testing.assert_close(leaf.grad, expected_gradient)
    for k, gate in enumerate("ifgo"):
        for name, stacked in (
            (f"W_x{gate}", theirs.weight_ih_l0),
            (f"W_h{gate}", theirs.weight_hh_l0),
            (f"b_{gate}", theirs.bias_ih_l0),
        ):
            torch.testing.assert_close(getattr(ours, name).grad, stacked.grad.chunk(4)[k].t())


def test_rnn_by_hand():
    """One unit with the weights 0.5 and −1: h_1 = tanh(0.5), h_2 = tanh(1 − h_1)."""
    rnn = RNN(1, 1)
    with torch.no_grad():
        rnn.W_xh.fill_(0.5)
        rnn.W_hh.fill_(-1.0)
        rnn.b_h.fill_(0.0)
    h, last = rnn(torch.tensor([[[1.0], [2.0]]]))
    h_1 = math.tanh(0.5)
    h_2 = math.tanh(1.0 - h_1)
    assert h.flatten().tolist() == pytest.approx([h_1, h_2])
    assert last.item() == pytest.approx(h_2)


@pytest.mark.parametrize("D", [1, 400])
@pytest.mark.parametrize("kind", [RNN, LSTM, GRU])
def test_weights_start_within_one_over_the_root_of_the_hidden_size(kind, D):
    """Whatever the input size is, as in PyTorch."""
    torch.manual_seed(0)
    layer, bound = kind(D, 100), 0.1
    assert all(p.abs().max() <= bound for n, p in layer.named_parameters() if n != "b_f")
    names = {RNN: ("W_xh", "W_hh"), LSTM: ("W_xf", "W_hf"), GRU: ("W_xz", "W_hz")}[kind]
    for name in names:  # the standard deviation of what is uniform in ±1 is 1/√3
        assert layer.get_parameter(name).std().item() == pytest.approx(bound / 3**0.5, rel=0.25)


def test_forget_bias():
    assert (LSTM(3, 4).b_f == 1).all() and (LSTM(3, 4, forget_bias=0.5).b_f == 0.5).all()
    layer = set_forget_bias(nn.LSTM(3, 4, num_layers=2, batch_first=True), 1.0)
    for k in range(2):
        total = getattr(layer, f"bias_ih_l{k}") + getattr(layer, f"bias_hh_l{k}")
        assert (total[4:8] == 1).all() and not (total[:4] == 1).any()
        assert not (total[8:] == 1).any()
    one = set_forget_bias(nn.LSTM(3, 4, batch_first=True), 1.0)
    assert (LSTM.from_torch(one).b_f == 1).all() and (LSTM.from_torch(one).b_i != 1).all()


@pytest.mark.parametrize(
    "options", [{"num_layers": 2}, {"bidirectional": True}, {"batch_first": False}, {"bias": False}]
)
def test_a_layer_that_our_cells_cannot_copy_is_refused(options):
    for ours, theirs in ((RNN, nn.RNN), (LSTM, nn.LSTM)):
        with pytest.raises(ValueError, match="expected one layer"):
            ours.from_torch(theirs(3, 4, **{"batch_first": True, **options}))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("with_state", [False, True])
def test_gru_equals_torch(seed, with_state):
    (B, T, D, H), randn = random_sizes(seed)
    torch.manual_seed(seed)
    theirs = nn.GRU(D, H, batch_first=True).double()
    ours = GRU.from_torch(theirs)
    x, gradient = randn(B, T, D).requires_grad_(), randn(B, T, H)
    h0 = randn(B, H) if with_state else None
    expected, last = theirs(x, h0[None] if with_state else None)
    outputs, h = ours(x, h0)
    torch.testing.assert_close(outputs, expected)
    torch.testing.assert_close(h, last[0])
    wanted = torch.autograd.grad(expected, [x, *theirs.parameters()], gradient)
    found = torch.autograd.grad(outputs, [x, *ours.parameters()], gradient)
    torch.testing.assert_close(found[0], wanted[0])
    names = dict(zip([name for name, _ in ours.named_parameters()], found[1:], strict=True))
    torch.testing.assert_close(torch.cat([names[f"W_x{g}"].T for g in "rzn"]), wanted[1])
    torch.testing.assert_close(torch.cat([names[f"W_h{g}"].T for g in "rzn"]), wanted[2])
    torch.testing.assert_close(torch.cat([names[f"b_{g}"] for g in "rzn"]), wanted[3])
    torch.testing.assert_close(names["b_hn"], wanted[4][2 * H :])


@pytest.mark.parametrize(
    "model",
    [
        recipe().model(5)
        for recipe in (
            digits,
            recipes.shakespeare,
            recipes.long_run,
            recipes.one_of_two,
            recipes.one_of_four,
        )
    ],
    ids=["digits", "shakespeare", "long run", "one of two", "one of four"],
)
def test_the_lstms_that_the_book_trains_begin_by_remembering(model):
    """Their forget gates, and no others, have a bias of 1."""
    both = [model.layer.bias_ih_l0, model.layer.bias_hh_l0]
    i, f, g, o = sum(bias.detach() for bias in both).chunk(4)
    assert (f == 1).all() and all(gate.abs().max() < 1 for gate in (i, g, o))
