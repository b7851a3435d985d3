"""A recurrence with a factor that changes: the scan against the loop, in value and in gradient."""

import pytest
import torch

from rnnbook.layers import gated_recurrence, min_gru

pytestmark = pytest.mark.usefixtures("one_thread")

KINDS = [torch.float64, torch.complex128]


def inputs(steps, kind):
    """λ and u, (2, steps, 3), both of which want gradients."""
    generator = torch.Generator().manual_seed(steps)
    decay, u = 0.7 * torch.randn(2, 2, steps, 3, generator=generator, dtype=kind)
    return decay.requires_grad_(), u.requires_grad_()


def states_and_gradients(function, *tensors):
    states = function(*tensors)
    generator = torch.Generator().manual_seed(0)
    towards = torch.randn(states.shape, generator=generator, dtype=states.dtype)
    return states, *torch.autograd.grad(states, tensors, towards)


def test_the_loop_on_a_line_worked_by_hand():
    decay, u = torch.tensor([[[9.0], [2.0], [0.5]]]), torch.tensor([[[1.0], [3.0], [-1.0]]])
    assert gated_recurrence.loop(decay, u).flatten().tolist() == [1, 5, 1.5]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("steps", [*range(1, 20), 31, 32, 33, 100])
def test_the_scan_has_the_states_and_the_gradients_of_the_loop(steps, kind):
    decay, u = inputs(steps, kind)
    expected = states_and_gradients(gated_recurrence.loop, decay, u)
    found = states_and_gradients(gated_recurrence.scan, decay, u)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("steps", [1, 2, 7, 12])
def test_the_gradients_of_the_scan_are_those_of_finite_differences(steps, kind):
    assert torch.autograd.gradcheck(gated_recurrence.scan, inputs(steps, kind))


def test_one_factor_for_all_steps_is_a_special_case():
    """As the chapter uses it: expanded, so that its gradient is summed."""
    decay, u = torch.tensor([0.9, -0.5]).double().requires_grad_(), inputs(9, torch.float64)[1]
    u = u[..., :2].detach()

    def last(way, λ):
        return way(λ.expand_as(u), u)[:, -1].sum()

    expected, found = (
        torch.autograd.grad(last(way, decay), decay)[0]
        for way in (gated_recurrence.loop, gated_recurrence.scan)
    )
    torch.testing.assert_close(found, expected)


def test_the_inputs_are_left_as_they_were():
    tensors = [tensor.detach() for tensor in inputs(12, torch.float64)]
    before = [tensor.clone() for tensor in tensors]
    gated_recurrence.scan(*tensors)
    assert all(map(torch.equal, tensors, before))


@pytest.mark.parametrize("steps", [1, 2, 3, 64, 784, 1000])
def test_the_rounds_are_few_and_so_are_the_additions(steps):
    """2 log2 T rounds at most, and fewer than 2T additions for each unit."""
    rounds = gated_recurrence.rounds(torch.ones(1, steps, 1))
    assert len(rounds) == 2 * (steps.bit_length() - 1)
    for later, earlier, factor in rounds:
        sizes = {len(range(steps)[later]), len(range(steps)[earlier]), factor.shape[1]}
        assert len(sizes) == 1
    assert sum(factor.shape[1] for *_, factor in rounds) < 2 * steps


def test_a_min_gru_has_the_same_states_and_gradients_with_and_without_a_loop():
    torch.manual_seed(0)
    z, n = torch.rand(2, 50, 3).double().requires_grad_(), torch.randn(2, 50, 3).double()
    h = torch.randn(2, 3).double().requires_grad_()
    n.requires_grad_()
    expected = states_and_gradients(min_gru.by_steps, z, n, h)
    found = states_and_gradients(min_gru.by_scan, z, n, h)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other)


def test_a_long_sequence_is_read_as_its_short_parts_are():
    """On both sides of the length from which the minGRU scans."""
    torch.manual_seed(0)
    layer = min_gru.MinGRU(2, 3)
    x = torch.randn(2, min_gru.LONG, 2)
    whole, last = layer(x)
    first, state = layer(x[:, :40])
    second, end = layer(x[:, 40:], state)
    torch.testing.assert_close(torch.cat([first, second], dim=1), whole)
    torch.testing.assert_close(end, last)
