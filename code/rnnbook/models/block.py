"""The block of which deep language models are stacked.

Normalise, mix the time steps, add; normalise, let a small perceptron change each step by itself,
add. What mixes the steps is attention in a transformer, and a minGRU in a stack of these.
"""

from typing import Any

from torch import Tensor, nn


class Block(nn.Module):
    """What mixes the steps, then a perceptron at each step; both add to what they read.

    `dropout` acts on what is added.
    """

    def __init__(self, mixer: nn.Module, width: int, dropout: float = 0.0):
        super().__init__()
        self.norm_1 = nn.LayerNorm(width, bias=False)
        self.mixer = mixer
        self.norm_2 = nn.LayerNorm(width, bias=False)
        self.perceptron = perceptron(width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        """x (B, T, width) → (B, T, width), and the mixer's state."""
        mixed, state = self.mixer(self.norm_1(x), state)
        x = x + self.dropout(mixed)
        return x + self.dropout(self.perceptron(self.norm_2(x))), state


def perceptron(width: int) -> nn.Sequential:
    """What each step goes through by itself, in a hidden layer that is four times as wide."""
    return nn.Sequential(
        nn.Linear(width, 4 * width, bias=False),
        nn.GELU(),
        nn.Linear(4 * width, width, bias=False),
    )
