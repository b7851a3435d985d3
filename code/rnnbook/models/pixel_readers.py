"""Digits read pixel by pixel: 784 steps of one number, in order or shuffled.

Three readers, from the simplest: a perceptron that sees all pixels at once and reads nothing; one
linear recurrence over the pixels with a perceptron behind its last state; and a deep one, in
which linear recurrences and gates take turns. Each maps pixels (B, 784) to logits (B, 10) and to
None in place of a state, so that `rnnbook.training.loop.train` can train it.
"""

import math
from collections.abc import Callable

from torch import Tensor, nn
from torch.nn.functional import glu

from rnnbook.layers.linear_recurrence import LinearRecurrence

Gate = Callable[..., Tensor]  # halves a tensor along a dimension


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
    """One linear recurrence; a perceptron answers from its last state."""

    def __init__(self, angle: float, units: int = 128):
        super().__init__()
        self.recurrence = LinearRecurrence(1, units, 100, 5000, angle, every=784)
        self.head = nn.Sequential(
            nn.Linear(2 * units, 128),
            nn.ReLU(),
            nn.Linear(128, 10),
        )

    def forward(self, x: Tensor, state: None = None) -> tuple[Tensor, None]:
        """x (B, 784) → logits (B, 10)."""
        h = self.recurrence(x[..., None])  # (B, 1, 2H)
        return self.head(h[:, -1]), None


class GatedBlock(nn.Module):
    """A linear recurrence, then, at every step, a mixture of its states and a gate.

    The gate (a gated linear unit: Dauphin et al., 2017) is the only thing that is not linear: one
    half of the mixture is multiplied by the sigmoid of the other half.
    """

    def __init__(self, recurrence: LinearRecurrence, units: int, gate: Gate = glu):
        super().__init__()
        self.recurrence, self.gate = recurrence, gate
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

    def __init__(self, angle: float, units: int = 64, gate: Gate = glu):
        super().__init__()
        self.first = GatedBlock(LinearRecurrence(1, units, 10, 1000, angle, every=7), units, gate)
        self.second = GatedBlock(LinearRecurrence(units, units, 2, 200, math.pi), units, gate)
        self.head = nn.Linear(units, 10)

    def forward(self, x: Tensor, state: None = None) -> tuple[Tensor, None]:
        """x (B, 784) → logits (B, 10)."""
        z = self.first(x[..., None])  # (B, 112, units)
        z = z + self.second(z)
        return self.head(z.mean(dim=1)), None
