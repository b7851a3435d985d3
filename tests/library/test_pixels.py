"""The readers of pixels: what they compute, by another path; and what they cannot see."""

import math

import pytest
import torch

from rnnbook.data.mnist import pixel_sequences, shuffled_order
from rnnbook.layers.linear_recurrence import LinearRecurrence
from rnnbook.models.pixel_readers import DeepReader, LinearReader, PixelPerceptron
from rnnbook.studies import pixel_lstm, pixels
from rnnbook.training.recipes.digits import digits

pytestmark = pytest.mark.usefixtures("one_thread")


READERS = {
    "perceptron": PixelPerceptron,
    "linear": lambda: LinearReader(3.0, 8),
    "deep": lambda: DeepReader(3.0, 8),
}


def test_pixels_come_row_by_row_or_in_the_order_given():
    images = torch.arange(2 * 784.0).view(2, 28, 28) / 784
    plain = pixel_sequences(images)
    assert plain.shape == (2, 784)
    assert plain[1, 28] * 0.31 + 0.13 == pytest.approx(images[1, 1, 0].item())
    order = shuffled_order(0)
    assert torch.equal(pixel_sequences(images, order)[1, 5], plain[1, order[5]])


def test_the_shuffled_order_is_one_permutation_and_depends_on_its_seed():
    order = shuffled_order(0)
    assert torch.equal(order.sort().values, torch.arange(784))
    assert torch.equal(order, shuffled_order(0))
    assert not torch.equal(order, shuffled_order(1))


@pytest.mark.parametrize("input_size", [1, 3])
def test_the_layer_is_the_recurrence_of_its_docstring(input_size):
    torch.manual_seed(0)
    layer = LinearRecurrence(input_size, 4, 2, 50, 3.0).double()
    x = torch.randn(2, 12, input_size, dtype=torch.float64)
    λ = torch.exp(-torch.exp(layer.ν) + 1j * layer.θ)
    γ = (1 - λ.abs() ** 2).sqrt()
    h, states = torch.zeros(2, 4, dtype=torch.complex128), []
    for t in range(12):
        h = λ * h + γ * (x[:, t].to(h.dtype) @ torch.view_as_complex(layer.W))
        states.append(torch.stack([h.real, h.imag], dim=2).flatten(1))
    torch.testing.assert_close(layer(x), torch.stack(states, dim=1))


@pytest.mark.parametrize("every", [2, 3, 12])
def test_states_read_off_now_and_then_are_states_of_the_whole(every):
    torch.manual_seed(0)
    layer = LinearRecurrence(2, 4, 2, 50, 3.0).double()
    x = torch.randn(3, 12, 2, dtype=torch.float64)
    all_states = layer(x)
    layer.every = every
    torch.testing.assert_close(layer(x), all_states[:, every - 1 :: every])


def test_decay_starts_in_its_range_and_stays_inside_the_circle():
    torch.manual_seed(0)
    layer = LinearRecurrence(1, 500, shortest=10, longest=1000, angle=0.5)
    steps = -1 / layer.decay().abs().log()  # to 1/e
    assert 9.9 < steps.min() < 12 and 900 < steps.max() < 1010
    assert 80 < steps.median() < 125  # the middle of the logarithms
    assert layer.decay().angle().min() >= 0 and 0.49 < layer.decay().angle().max() <= 0.5
    with torch.no_grad():
        for ν in (-5.0, 5.0):
            layer.ν.fill_(ν)
            assert 0 <= layer.decay().abs().max() < 1


@pytest.mark.parametrize("reader", READERS)
def test_a_reader_depends_on_every_pixel_and_on_no_other_image(reader):
    torch.manual_seed(0)
    model = READERS[reader]().double()
    x = torch.randn(3, 784, dtype=torch.float64, requires_grad=True)
    logits, state = model(x)
    assert logits.shape == (3, 10) and state is None
    gradient = torch.autograd.grad(logits[1].square().sum(), x)[0]
    assert (gradient[1] != 0).all()
    assert (gradient[[0, 2]] == 0).all()


@pytest.mark.parametrize("reader", READERS)
def test_the_gradients_are_those_of_finite_differences(reader):
    torch.manual_seed(0)
    model = READERS[reader]().double()
    x = torch.randn(1, 784, dtype=torch.float64)
    model(x)[0].square().sum().backward()
    for name, weights in model.named_parameters():
        place, step = tuple(s // 2 for s in weights.shape), 1e-6
        sides = []
        for sign in (1, -1):
            with torch.no_grad():
                weights[place] += sign * step
                sides.append(model(x)[0].square().sum().item())
                weights[place] -= sign * step
        expected = (sides[0] - sides[1]) / (2 * step)
        assert weights.grad[place].item() == pytest.approx(expected, rel=1e-5, abs=1e-7), name


def test_the_blocks_of_the_deep_reader_look_ahead_nowhere():
    """What they give at a step depends on the pixels up to it, and on no later one."""
    torch.manual_seed(0)
    model = DeepReader(3.0, 8)
    x = torch.randn(1, 784)
    changed = x.clone()
    changed[:, 7 * 50 :] += 1

    def heights(x):
        z = model.first(x[..., None])
        return z + model.second(z)  # (1, 112, 8)

    a, b = heights(x), heights(changed)
    torch.testing.assert_close(a[:, :50], b[:, :50])
    assert (a[:, 50] - b[:, 50]).abs().max() > 1e-3


def affine(model, x):
    """How far the logits of the mean of two images are from the mean of their logits."""
    a, b, between = (model(images)[0] for images in (x[:1], x[1:], x.mean(dim=0, keepdim=True)))
    return ((a + b) / 2 - between).abs().max().item()


def test_without_gates_the_deep_reader_is_linear_and_with_them_it_is_not():
    x = 5 * torch.randn(2, 784, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    plain, bare = (
        pixels.reader({"reader": "deep", "order": "permuted", "change": change, "seed": 0}).double()
        for change in ("", "no gates")
    )
    assert affine(plain, x) > 1e-3 and affine(bare, x) < 1e-12
    weights = zip(plain.parameters(), bare.parameters(), strict=True)
    assert all(torch.equal(*both) for both in weights)  # they begin alike


@pytest.mark.parametrize("change", ["no gates", *pixels.CHANGES])
def test_a_changed_reader_keeps_to_its_change_while_it_trains(change):
    model = pixels.reader({"reader": "deep", "order": "permuted", "change": change, "seed": 0})
    before = [block.recurrence.decay().detach() for block in (model.first, model.second)]
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    model(torch.randn(2, 784))[0].square().sum().backward()
    optimizer.step()
    after = [block.recurrence.decay().detach() for block in (model.first, model.second)]
    same = all(torch.equal(a, b) for a, b in zip(before, after, strict=True))
    assert same == (change == "fixed λ")
    assert all((a.imag == 0).all() for a in after) == (change == "real λ")


def test_the_runs_have_names_of_their_own_and_two_orders():
    assert len(pixels.RUNS) == len(pixels._settings())
    assert {settings["order"] for settings in pixels.RUNS.values()} == set(pixels.ANGLES)


def test_a_slow_decay_moves_a_tenth_as_far():
    """One step of Adam, beside one with a learning rate of its own for every λ."""
    models = []
    for _ in range(2):
        torch.manual_seed(0)
        models.append(DeepReader(math.pi))
    slow, plain = models
    pixels.slow_decay(slow)
    decays = {name for name, _ in plain.named_parameters() if name[-1] in "νθ"}
    groups = [
        {"params": [p for name, p in plain.named_parameters() if name in decays], "lr": 1e-3},
        {"params": [p for name, p in plain.named_parameters() if name not in decays], "lr": 1e-2},
    ]
    x = torch.rand(4, 784, generator=torch.Generator().manual_seed(1))
    for model, trained in ((slow, slow.parameters()), (plain, groups)):
        optimizer = torch.optim.Adam(trained, lr=1e-2)
        model(x)[0].square().sum().backward()
        optimizer.step()
    assert len(decays) == 4
    for name, parameter in plain.named_parameters():
        owner, _, last = name.rpartition(".")
        moved = getattr(slow.get_submodule(owner), last)
        torch.testing.assert_close(moved, parameter, rtol=0, atol=1e-4)


def test_the_lstm_of_the_study_says_the_mean_over_its_steps_and_is_as_large_as_the_deep_reader():
    torch.manual_seed(0)
    lstm, deep = pixel_lstm.LSTMReader(), DeepReader(3.0)
    sizes = [sum(p.numel() for p in model.parameters()) for model in (lstm, deep)]
    assert sizes[0] == pytest.approx(sizes[1], rel=0.01)
    x, W, b = torch.randn(3, 5), lstm.head.weight, lstm.head.bias
    state, logits = None, []
    for t in range(5):
        h, state = lstm.layer(x[:, t, None, None], state)
        logits.append(h[:, 0] @ W.T + b)
    torch.testing.assert_close(lstm(x)[0], torch.stack(logits).mean(dim=0))
    assert (lstm.layer.bias_ih_l0[100:200] + lstm.layer.bias_hh_l0[100:200] == 1).all()
    assert pixel_lstm.RUNS["permuted, seed 0"]["lr"] == digits().lr
