"""A small transformer that reads characters: the rival of the recurrent networks.

Left out: keeping keys and values while it writes.
"""

import math

from torch import Tensor, nn

from rnnbook.layers.attention import CausalAttention
from rnnbook.layers.rotary import RotaryAttention
from rnnbook.models.block import Block


class Transformer(nn.Module):
    """A small language model of blocks with attention: a GPT (Radford et al., 2019).

    The default size is that of nanoGPT's settings for a processor. Learned positions, no biases;
    the embedding also serves as the output layer. It reads `window` characters at most, and each
    call begins anew. `dropout` acts on the embedded characters and on what each block adds.
    """

    def __init__(
        self,
        vocabulary_size: int,
        width: int = 128,
        layers: int = 4,
        heads: int = 4,
        window: int = 64,
        dropout: float = 0.0,
    ):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary_size, width)
        self.position = nn.Embedding(window, width)
        self.dropout = nn.Dropout(dropout)
        self.blocks = nn.ModuleList(
            Block(CausalAttention(width, heads), width, dropout) for _ in range(layers)
        )
        self.norm = nn.LayerNorm(width, bias=False)
        self._start(layers)

    def _start(self, layers: int) -> None:
        """Weights start small, and those that add to the stream smaller still, as in GPT-2."""
        for name, p in self.named_parameters():
            if "norm" not in name:
                adds = name.endswith(("out.weight", "perceptron.2.weight"))
                nn.init.normal_(p, std=0.02 / math.sqrt(2 * layers) if adds else 0.02)

    def forward(self, ids: Tensor, state: None = None) -> tuple[Tensor, None]:
        """ids (B, T) → logits (B, T, vocabulary_size), and no state.

        Raises `ValueError` when T is above the window.
        """
        T, window = ids.shape[1], self.position.num_embeddings
        if window < T:
            raise ValueError(f"{T} characters are more than the window of {window}")
        x = self.dropout(self.embedding(ids) + self.position.weight[:T])  # (B, T, width)
        for block in self.blocks:
            x, _ = block(x)
        return self.norm(x) @ self.embedding.weight.T, None


class RotaryTransformer(Transformer):
    """The same with rotary places (Su et al., 2021), as most language models have them today.

    Nothing is added to the embedding, and there is no longest sequence.
    """

    def __init__(self, vocabulary_size: int, width: int = 128, layers: int = 4, heads: int = 4):
        super().__init__(vocabulary_size, width, layers, heads, window=1)
        del self.position
        for block in self.blocks:
            block.mixer = RotaryAttention(width, heads)
        self._start(layers)

    def forward(self, ids: Tensor, state: None = None) -> tuple[Tensor, None]:
        """ids (B, T) → logits (B, T, vocabulary_size), and no state."""
        x = self.embedding(ids)  # (B, T, width)
        for block in self.blocks:
            x, _ = block(x)
        return self.norm(x) @ self.embedding.weight.T, None
