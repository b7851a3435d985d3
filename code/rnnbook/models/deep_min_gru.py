"""A stack of minGRUs that reads characters.

It maps (ids, state) to (logits, state), as the models of `rnnbook.models.recurrent` do.
"""

from typing import Any

from torch import Tensor, nn

from rnnbook.layers.min_gru import ConvolvedMinGRU
from rnnbook.models.block import Block


class DeepMinGRU(nn.Module):
    """A language model of blocks with minGRUs (after Feng et al., 2024).

    `dropout` acts on the embedded characters and on what each block adds.
    """

    def __init__(
        self, vocabulary_size: int, width: int = 160, layers: int = 3, dropout: float = 0.0
    ):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary_size, width)
        self.dropout = nn.Dropout(dropout)
        self.blocks = nn.ModuleList(
            Block(ConvolvedMinGRU(width), width, dropout) for _ in range(layers)
        )
        self.norm = nn.LayerNorm(width, bias=False)
        self.head = nn.Linear(width, vocabulary_size)

    def forward(self, ids: Tensor, state: Any = None) -> tuple[Tensor, tuple]:
        """ids (B, T) → logits (B, T, vocabulary_size), and the state to go on from."""
        x, states = self.dropout(self.embedding(ids)), []  # (B, T, width)
        for block, of_block in zip(self.blocks, state or [None] * len(self.blocks), strict=True):
            x, of_block = block(x, of_block)
            states.append(of_block)
        return self.head(self.norm(x)), tuple(states)
