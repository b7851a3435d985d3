"""Five ways to compute one linear recurrence: equal states, equal gradients, right gradients."""

import pytest
import torch

from rnnbook.layers import linear_recurrence

pytestmark = pytest.mark.usefixtures("one_thread")


WAYS = {
    "loop": linear_recurrence.loop,
    "scan": linear_recurrence.scan,
    "chunked": lambda decay, u: linear_recurrence.chunked(decay, u, size=6),
    "convolution": linear_recurrence.convolution,
    "by hand": linear_recurrence.by_hand,
}


@pytest.fixture
def inputs():
    """λ (3,) inside the unit circle and u (2, 12, 3), in double precision."""
    generator = torch.Generator().manual_seed(0)
    size = 0.5 + 0.49 * torch.rand(3, generator=generator, dtype=torch.float64)
    angle = 6.28 * torch.rand(3, generator=generator, dtype=torch.float64)
    u = torch.randn(2, 12, 3, generator=generator, dtype=torch.complex128)
    return torch.polar(size, angle).requires_grad_(), u.requires_grad_()


def in_python(decay, u):
    """The recurrence in complex numbers of Python, one by one."""
    h = torch.zeros_like(u)
    for b in range(u.shape[0]):
        for k in range(u.shape[2]):
            state = 0j
            for t in range(u.shape[1]):
                state = complex(decay[k]) * state + complex(u[b, t, k])
                h[b, t, k] = state
    return h


@pytest.mark.parametrize("way", WAYS)
def test_every_way_gives_the_states_of_the_recurrence(way, inputs):
    decay, u = (x.detach() for x in inputs)
    torch.testing.assert_close(WAYS[way](decay, u), in_python(decay, u), rtol=0, atol=1e-12)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("steps", [3, 5, 8, 9, 17])
def test_the_lengths_around_powers_of_two(way, steps):
    """Where one pass of the doubling, more or less, would be missed."""
    generator = torch.Generator().manual_seed(0)
    decay = 0.9 * torch.polar(*torch.rand(2, 3, generator=generator, dtype=torch.float64))
    u = torch.randn(2, steps, 3, generator=generator, dtype=torch.complex128)
    h = linear_recurrence.chunked(decay, u, steps) if way == "chunked" else WAYS[way](decay, u)
    torch.testing.assert_close(h, in_python(decay, u), rtol=0, atol=1e-9)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("λ", [0, -0.5])
def test_what_has_no_logarithm_is_computed_or_refused(way, λ):
    """A real λ, as a student may give it."""
    decay, u = torch.full((3,), λ, dtype=torch.float64), torch.rand(2, 6, 3).double()
    if way in ("chunked", "convolution"):
        with pytest.raises(ValueError, match="0, or real and negative"):
            WAYS[way](decay, u)
        if λ:
            decay = decay.to(torch.complex128)
            torch.testing.assert_close(
                WAYS[way](decay, u.to(decay.dtype)), in_python(decay, u + 0j)
            )
    else:
        torch.testing.assert_close(WAYS[way](decay, u) + 0j, in_python(decay, u + 0j))


@pytest.mark.parametrize("way", WAYS)
def test_every_way_has_the_gradients_of_finite_differences(way, inputs):
    assert torch.autograd.gradcheck(WAYS[way], inputs)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("steps", [1, 2])
def test_one_and_two_steps(way, steps, inputs):
    """Where loops that begin at the second step have nothing to do, or a single thing."""
    decay, u = (x.detach() for x in inputs)
    u = u[:, :steps].contiguous()
    size = {"size": steps} if way == "chunked" else {}
    h = getattr(linear_recurrence, way.replace(" ", "_"))(decay, u, **size)
    torch.testing.assert_close(h[:, 0], u[:, 0])
    if steps == 2:
        torch.testing.assert_close(h[:, 1], u[:, 1] + decay * u[:, 0])


def test_the_inputs_are_left_as_they_were(inputs):
    decay, u = (x.detach() for x in inputs)
    before = u.clone()
    for way in WAYS.values():
        way(decay, u)
    assert torch.equal(u, before)


def test_chunks_that_do_not_fit_are_refused(inputs):
    with pytest.raises(ValueError, match="12 steps do not divide into chunks of 5"):
        linear_recurrence.chunked(*inputs, size=5)


def test_a_long_memory_neither_overflows_nor_forgets():
    """786 steps with ``|λ|`` just below 1, in float32: the first input is still there."""
    decay = torch.tensor([0.999 + 0j], dtype=torch.complex64)
    u = torch.zeros(1, 786, 1, dtype=torch.complex64)
    u[0, 0, 0] = 1
    for way in WAYS.values():
        assert abs(way(decay, u)[0, -1, 0].item() - 0.999**785) < 1e-4
