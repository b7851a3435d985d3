"""Reads the frames of a sound and says at each of them which sign is heard, or none."""

from functools import partial

import torch
from torch import Tensor, nn

from rnnbook.layers.bidirectional import Bidirectional


class FrameReader(nn.Module):
    """Layers of LSTMs over frames, with an answer at each frame.

    With `both_ways` each layer reads from the beginning and from the end, with half of
    `hidden_size` for each direction, which must then be even; without, an answer is there as soon
    as its frame is. V is the number of signs, that for "none" included. In training, normal noise
    of standard deviation `noise` is added to the frames; `dropout` acts between layers and before
    the answer.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        V: int,
        layers: int = 2,
        both_ways: bool = True,
        dropout: float = 0.0,
        noise: float = 0.0,
    ):
        super().__init__()
        lstm = partial(nn.LSTM, batch_first=True)
        make = partial(Bidirectional, lstm) if both_ways else lstm
        sizes = [input_size] + (layers - 1) * [hidden_size]
        self.layers = nn.ModuleList(make(size, hidden_size) for size in sizes)
        self.both_ways, self.noise = both_ways, noise
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(hidden_size, V)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Frames x (B, T, D), of which the first lengths (B,) count → logits (B, T, V)."""
        if self.training:
            x = x + self.noise * torch.randn_like(x)
        for layer in self.layers:
            h = layer(x, lengths) if self.both_ways else layer(x)[0]  # (B, T, H)
            x = self.dropout(h)
        return self.head(x)
