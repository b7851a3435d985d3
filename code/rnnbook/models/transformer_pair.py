"""A transformer that reads one sequence and writes another: the rival of `encoder_decoder`.

Nothing in it is recurrent. To read and to write it has the same form, `encode`, `start`, `step`, so
that `rnnbook.decoding.search` serves both. Left out: keeping keys and values while it writes.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from rnnbook.layers.attention import CausalAttention, MultiHeadAttention
from rnnbook.models.block import perceptron


class Read(NamedTuple):
    """What an encoder has read."""

    states: Tensor  # (B, S, width), of each letter
    mask: Tensor  # (B, S), False at padding


class TransformerPair(nn.Module):
    """An encoder and a decoder of layers that look (Vaswani et al., 2017).

    Every letter looks at all letters; every character of the answer at those before it, and at the
    letters. `source_size` and `V` are the numbers of letters and of answers, signs included;
    `layers` is the number of those that read, and of those that write. `dropout` acts on the
    embeddings and on what each layer adds. As is usual today, and other than in 2017, each layer
    normalises what it reads and not what it adds to.
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
        super().__init__()
        self.read_embedding = nn.Embedding(source_size, width)
        self.readers = nn.ModuleList(Reader(width, heads, dropout) for _ in range(layers))
        self.read_norm = nn.LayerNorm(width, bias=False)
        self.write_embedding = nn.Embedding(V, width)
        self.writers = nn.ModuleList(Writer(width, heads, dropout) for _ in range(layers))
        self.write_norm = nn.LayerNorm(width, bias=False)
        self.head = nn.Linear(width, V)
        self.dropout = nn.Dropout(dropout)

    def encode(self, source: Tensor, lengths: Tensor) -> Read:
        """Read source (B, S), of which each row has its length (B,); the rest is padding."""
        mask = torch.arange(source.shape[1], device=source.device) < lengths[:, None]
        x = self.placed(self.read_embedding(source))  # (B, S, width)
        for layer in self.readers:
            x = layer(x, mask)
        return Read(self.read_norm(x), mask)

    def start(self, memory: Read) -> tuple[Tensor]:
        """The state is what has been written: (B, T), at first nothing."""
        B, device = len(memory.mask), memory.mask.device
        return (torch.zeros(B, 0, dtype=torch.long, device=device),)

    def step(
        self, previous: Tensor, state: tuple[Tensor], memory: Read
    ) -> tuple[Tensor, tuple[Tensor]]:
        """One step after the characters previous (B,): logits (B, V) and the next state."""
        written = torch.cat([state[0], previous[:, None]], dim=1)
        logits, _ = self.decode(written, memory)
        return logits[:, -1], (written,)

    def decode(self, previous: Tensor, memory: Read) -> tuple[Tensor, Tensor]:
        """T steps at once, each after the character before it, previous (B, T).

        Returns logits (B, T, V), and where each head looked, (B, layers, heads, T, S).
        """
        x, weights = self.placed(self.write_embedding(previous)), []  # (B, T, width)
        for layer in self.writers:
            x, looked = layer(x, memory)
            weights.append(looked)
        return self.head(self.write_norm(x)), torch.stack(weights, dim=1)

    def forward(self, source: Tensor, lengths: Tensor, previous: Tensor) -> Tensor:
        """Logits (B, T, V) at each step of an answer that is known (teacher forcing)."""
        return self.decode(previous, self.encode(source, lengths))[0]

    def alignment(self, source: Tensor, lengths: Tensor, previous: Tensor) -> Tensor:
        """Where each head looks at each step of a known answer: (B, layers, heads, T, S)."""
        return self.decode(previous, self.encode(source, lengths))[1]

    def placed(self, x: Tensor) -> Tensor:
        """Embeddings x (B, T, width), to each of which its place is added."""
        return self.dropout(x + positions(*x.shape[1:]).to(x))


class Reader(nn.Module):
    """A layer of the encoder: each letter looks at all letters, then a perceptron; both add."""

    def __init__(self, width: int, heads: int, dropout: float):
        super().__init__()
        self.norm_1, self.norm_2 = (nn.LayerNorm(width, bias=False) for _ in range(2))
        self.attention = MultiHeadAttention(width, heads)
        self.perceptron = perceptron(width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """x (B, S, width), mask (B, S) → (B, S, width)."""
        normed = self.norm_1(x)
        seen, _ = self.attention(normed, normed, mask)
        x = x + self.dropout(seen)
        return x + self.dropout(self.perceptron(self.norm_2(x)))


class Writer(nn.Module):
    """A layer of the decoder: it looks at what is written, at what was read, then a perceptron."""

    def __init__(self, width: int, heads: int, dropout: float):
        super().__init__()
        self.norm_1, self.norm_2, self.norm_3 = (nn.LayerNorm(width, bias=False) for _ in range(3))
        self.written = CausalAttention(width, heads)
        self.read = MultiHeadAttention(width, heads)
        self.perceptron = perceptron(width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, memory: Read) -> tuple[Tensor, Tensor]:
        """x (B, T, width) → (B, T, width), and where its heads looked, (B, heads, T, S)."""
        x = x + self.dropout(self.written(self.norm_1(x))[0])
        seen, weights = self.read(self.norm_2(x), memory.states, memory.mask)
        x = x + self.dropout(seen)
        return x + self.dropout(self.perceptron(self.norm_3(x))), weights


def positions(T: int, width: int) -> Tensor:
    """A vector for each of T places, (T, width), with which the place can be told.

    Sines and cosines of the place, from fast to slow, as in Vaswani et al. (2017); `width` is even.
    """
    exponents = torch.arange(0, width, 2, dtype=torch.float64) / width
    waves = 10_000**-exponents  # (width / 2,), in radians for each place
    angles = torch.arange(T)[:, None] * waves
    return torch.stack([angles.sin(), angles.cos()], dim=2).flatten(1)
