"""Digits read pixel by pixel: 784 steps of one number, in order or shuffled.

Three readers, from the simplest: a perceptron that sees all pixels at once and reads nothing; one
linear recurrence over the pixels with a perceptron behind its last state; and a deep one, in
which linear recurrences and gates take turns. Each maps pixels (B, 784) to logits (B, 10) and to
None in place of a state, so that `rnnbook.training.train` can train it.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import glu

from rnnbook.recurrence import by_hand, powers

MEAN, SPREAD = 0.13, 0.31  # of the pixels of the training digits


def pixel_sequences(images: Tensor, order: Tensor | None = None) -> Tensor:
    """Images (N, 28, 28) as sequences (N, 784), row after row or in the order given.

    The numbers are shifted and scaled to have about mean 0 and standard deviation 1.
    """
    pixels = (images.flatten(1) - MEAN) / SPREAD
    return pixels if order is None else pixels[:, order]


def shuffled_order(seed: int = 0) -> Tensor:
    """One order of the 784 pixels, drawn at random, the same for every image."""
    return torch.randperm(784, generator=torch.Generator().manual_seed(seed))


class LinearRecurrence(nn.Module):
    """h_t = λ ⊙ h_{t-1} + γ ⊙ (x_t W), read off after `every` steps.

    After Orvieto et al. (2023). The H numbers λ = exp(-exp(ν) + iθ) are complex and smaller than
    1 whatever ν and θ are; γ = √(1 - ``|λ|²``) keeps the states at about the size of the inputs.
    At the start, a state fades to 1/e within exp(-ν) steps, from `shortest` to `longest` (uniform
    in the logarithm), and θ is uniform between 0 and `angle`.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        shortest: float,
        longest: float,
        angle: float,
        every: int = 1,
    ):
        super().__init__()
        self.every = every
        self.ν = nn.Parameter(
            torch.empty(hidden_size).uniform_(-math.log(longest), -math.log(shortest))
        )
        self.θ = nn.Parameter(torch.empty(hidden_size).uniform_(0, angle))
        self.W = nn.Parameter(torch.randn(input_size, hidden_size, 2) / math.sqrt(2 * input_size))

    def decay(self) -> Tensor:
        """λ, complex, (H,)."""
        return torch.polar(torch.exp(-torch.exp(self.ν)), self.θ)

    def forward(self, x: Tensor) -> Tensor:
        """x (B, T, D) → the states (B, T / every, 2H): H real parts and H imaginary ones.

        The steps between two states that are read off make one product: a chunk of inputs times
        the powers of λ.
        """
        B, T, D = x.shape
        decay = self.decay()
        γ = (1 - decay.abs() ** 2).sqrt()
        weights = powers(decay, self.every).flip(0)[:, None] * γ * torch.view_as_complex(self.W)
        matrix = torch.view_as_real(weights).flatten(0, 1).flatten(1)  # (every · D, 2H)
        u = x.reshape(B, T // self.every, self.every * D) @ matrix
        h = by_hand(decay**self.every, torch.view_as_complex(u.unflatten(2, (-1, 2))))
        return torch.view_as_real(h).flatten(2)


class PixelPerceptron(nn.Module):
    """One hidden layer over all pixels at once: no sequence, no state."""

    def __init__(self, hidden_size: int = 256):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(784, hidden_size), nn.ReLU(), nn.Linear(hidden_size, 10)
        )

    def forward(self, x: Tensor, state: None = None) -> tuple[Tensor, None]:
        """x (B, 784) → logits (B, 10)."""
        return self.layers(x), None


class LinearReader(nn.Module):
    """One linear recurrence over the pixels; a perceptron answers from its last state."""

    def __init__(self, angle: float, units: int = 128):
        super().__init__()
        self.recurrence = LinearRecurrence(1, units, 100, 5000, angle, every=784)
        self.head = nn.Sequential(nn.Linear(2 * units, 128), nn.ReLU(), nn.Linear(128, 10))

    def forward(self, x: Tensor, state: None = None) -> tuple[Tensor, None]:
        """x (B, 784) → logits (B, 10)."""
        h = self.recurrence(x[..., None])  # (B, 1, 2H)
        return self.head(h[:, -1]), None


class Block(nn.Module):
    """A linear recurrence, then, at every step, a mixture of its states and a gate.

    The gate (a gated linear unit: Dauphin et al., 2017) is the only thing that is not linear: one
    half of the mixture is multiplied by the sigmoid of the other half.
    """

    def __init__(self, recurrence: LinearRecurrence, units: int):
        super().__init__()
        self.recurrence, self.gate = recurrence, glu
        self.mix = nn.Linear(2 * len(recurrence.θ), 2 * units)

    def forward(self, x: Tensor) -> Tensor:
        """x (B, T, D) → (B, T / every, units)."""
        return self.gate(self.mix(self.recurrence(x)), dim=2)


class DeepReader(nn.Module):
    """Two linear recurrences with gates between them, one above the other.

    The first block reads 784 pixels and is read off after every seventh. The second reads these
    112 steps, and what it finds is added to what it read. The answer comes from the mean over the
    steps. `angle` is that of the first recurrence.
    """

    def __init__(self, angle: float, units: int = 64):
        super().__init__()
        self.first = Block(LinearRecurrence(1, units, 10, 1000, angle, every=7), units)
        self.second = Block(LinearRecurrence(units, units, 2, 200, math.pi), units)
        self.head = nn.Linear(units, 10)

    def forward(self, x: Tensor, state: None = None) -> tuple[Tensor, None]:
        """x (B, 784) → logits (B, 10)."""
        z = self.first(x[..., None])  # (B, 112, units)
        z = z + self.second(z)
        return self.head(z.mean(dim=1)), None
