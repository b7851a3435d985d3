"""A mixture of Gaussians in the plane, whose numbers a network puts out.

The method is that of mixture density networks (Bishop, 1994), with the numbers of Graves (2013):
of each Gaussian its weight, the mean and the spread to the right and down, and the correlation
of the two.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

NUMBERS = 6  # for each Gaussian
NARROWEST, WIDEST = -5.0, 5.0  # of the spread, in logarithms
STRAIGHTEST = 0.99  # the largest correlation


class Mixture(NamedTuple):
    """M Gaussians in the plane, at each of some places (…)."""

    log_weight: Tensor  # (…, M), whose exponentials add up to 1
    mean: Tensor  # (…, M, 2)
    log_spread: Tensor  # (…, M, 2), of the standard deviation
    correlation: Tensor  # (…, M)


def mixture_of(numbers: Tensor) -> Mixture:
    """The mixture that the numbers of a network (…, 6 M) describe, whatever they are."""
    weight, right, down, wide, high, slant = numbers.unflatten(-1, (NUMBERS, -1)).unbind(-2)
    return Mixture(
        weight.log_softmax(dim=-1),
        torch.stack([right, down], dim=-1),
        torch.stack([wide, high], dim=-1).clamp(NARROWEST, WIDEST),
        STRAIGHTEST * slant.tanh(),
    )


def log_density(mixture: Mixture, points: Tensor) -> Tensor:
    """The logarithm of the density of a mixture (…) at points (…, 2)."""
    z = (points[..., None, :] - mixture.mean) * (-mixture.log_spread).exp()  # (…, M, 2)
    straight = 1 - mixture.correlation**2
    across = z.square().sum(dim=-1) - 2 * mixture.correlation * z.prod(dim=-1)
    log_p = -across / (2 * straight) - 0.5 * straight.log() - mixture.log_spread.sum(dim=-1)
    return (mixture.log_weight + log_p - math.log(2 * math.pi)).logsumexp(dim=-1)


def draw_point(mixture: Mixture, temperature: float, generator: torch.Generator) -> Tensor:
    """A point (…, 2) drawn from each mixture (…).

    The temperature divides the logarithms of the weights and multiplies the variances. Near 0,
    the point is the mean of the Gaussian of the largest weight.
    """
    weight = (mixture.log_weight / temperature).softmax(dim=-1)
    chosen = torch.multinomial(weight.flatten(0, -2), 1, generator=generator)  # (N, 1)
    chosen = chosen.view(*weight.shape[:-1], 1)
    mean, log_spread = (
        part.gather(-2, chosen[..., None].expand(*chosen.shape, 2)).squeeze(-2)
        for part in (mixture.mean, mixture.log_spread)
    )
    slant = mixture.correlation.gather(-1, chosen)
    right, down = torch.randn(mean.shape, generator=generator).split(1, dim=-1)
    down = slant * right + (1 - slant**2).sqrt() * down
    return mean + temperature**0.5 * log_spread.exp() * torch.cat([right, down], dim=-1)
