"""`TransformerPair` with rotary places: nothing is added to an embedding."""

from torch import Tensor

from rnnbook.layers.rotary import RotaryAttention, RotaryMultiHeadAttention
from rnnbook.models.transformer_pair import TransformerPair


class RotaryPair(TransformerPair):
    """A transformer that reads and writes, whose heads know how far apart two places lie.

    Queries and keys are turned by their places (Su et al., 2021) wherever a sequence looks at
    itself, and where an answer looks at the letters. The rest, and the number of weights, is as in
    `TransformerPair`.
    """

    def __init__(
        self,
        source_size: int,
        V: int,
        width: int = 88,
        layers: int = 2,
        heads: int = 4,
        dropout: float = 0.0,
    ):
        super().__init__(source_size, V, width, layers, heads, dropout)
        for reader in self.readers:
            reader.attention = RotaryMultiHeadAttention(width, heads)
        for writer in self.writers:
            writer.written = RotaryAttention(width, heads)
            writer.read = RotaryMultiHeadAttention(width, heads)

    def placed(self, x: Tensor) -> Tensor:
        """Embeddings x (B, T, width); their places come later."""
        return self.dropout(x)
