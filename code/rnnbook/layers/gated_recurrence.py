"""A linear recurrence whose factor changes from step to step, computed with and without a loop.

h_t = λ_t ⊙ h_{t-1} + u_t from h_0 = 0. In both functions `decay` are the λ_t and `u` the inputs,
both (B, T, H), real or complex; the result are all states, (B, T, H).
"""

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


def loop(decay: Tensor, u: Tensor) -> Tensor:
    """Step by step, as the equation says it."""
    h, states = torch.zeros_like(u[:, 0]), []
    for λ_t, u_t in zip(decay.unbind(dim=1), u.unbind(dim=1), strict=True):
        h = λ_t * h + u_t
        states.append(h)
    return torch.stack(states, dim=1)


def rounds(decay: Tensor) -> list[tuple[slice, slice, Tensor]]:
    """What a scan does: (later, earlier, factor) for each level of a tree, up and down.

    Up: each block of steps adds what the block before it ends with, and blocks grow
    twice as long. Down: blocks that were left out on the way up add the state
    before them. `factor` is the product of λ over the later block.
    """
    T = decay.shape[1]
    up, down = [], []
    length, product = 1, decay  # of a block, and of the λ in each block
    while 2 * length <= T:
        step = 2 * length
        up.append(
            (
                slice(step - 1, T, step),
                slice(length - 1, T - length, step),
                product[:, 1::2],
            )
        )
        down.append(
            (
                slice(3 * length - 1, T, step),
                slice(step - 1, T - length, step),
                product[:, 2::2],
            )
        )
        product, length = product[:, 1::2] * product[:, :-1:2], step
    return up + down[::-1]


class Scan(torch.autograd.Function):
    """The rounds, and their gradient; see `scan`."""

    @staticmethod
    def forward(ctx, decay: Tensor, u: Tensor) -> Tensor:
        h = u.clone()
        for later, earlier, factor in rounds(decay):
            h[:, later].addcmul_(factor, h[:, earlier])
        ctx.save_for_backward(decay, h)
        return h

    @staticmethod
    @once_differentiable
    def backward(ctx, from_above: Tensor) -> tuple[Tensor, Tensor]:
        decay, h = (saved.conj().resolve_conj() for saved in ctx.saved_tensors)
        g, of_decay = from_above.clone(), torch.zeros_like(h)
        for later, earlier, factor in reversed(rounds(decay)):
            g[:, earlier].addcmul_(factor, g[:, later])
        of_decay[:, 1:] = g[:, 1:] * h[:, :-1]
        return of_decay, g


def scan(decay: Tensor, u: Tensor) -> Tensor:
    """All states in about 2 log2 T rounds and fewer than 2T additions (Brent and Kung, 1982).

    The gradient takes the rounds in the opposite order, with what is later and what is earlier
    exchanged, so autograd need not remember them.
    """
    return Scan.apply(decay, u)
