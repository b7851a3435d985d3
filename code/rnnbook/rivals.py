"""Two language models that compete with the LSTM: a stack of minGRUs and a small transformer.

Both are built from the same block: normalise, mix the time steps, add; normalise, let a small
perceptron change each step by itself, add. They differ in what mixes the steps. As the models of
`rnnbook.models` do, they map (ids, state) to (logits, state); the transformer keeps no state.

Left out: dropout (neither sees the text often enough to need it here) and, in the transformer,
keeping keys and values while it writes.
"""

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from rnnbook.longmemory import MinGRU

# ------------------------------------------------------------------ what mixes the time steps


class CausalAttention(nn.Module):
    """Self-attention with several heads, in which no step looks at later ones.

    After Vaswani et al. (2017). Each head compares the query of a step with the keys of this and
    all earlier steps, and takes the mean of their values, weighted by the softmax of the results.
    """

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.query_key_value = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)

    def forward(self, x: Tensor, state: None = None) -> tuple[Tensor, None]:
        """x (B, T, width) → (B, T, width), and no state."""
        q, k, v = (
            part.unflatten(2, (self.heads, -1)).transpose(1, 2)  # (B, heads, T, width / heads)
            for part in self.query_key_value(x).chunk(3, dim=2)
        )
        scores = q @ k.transpose(2, 3) / math.sqrt(q.shape[3])  # (B, heads, T, T)
        later = torch.ones(scores.shape[2:], dtype=torch.bool, device=x.device).triu(1)
        weights = scores.masked_fill(later, -math.inf).softmax(dim=3)
        return self.out((weights @ v).transpose(1, 2).flatten(2)), None


class ConvolvedMinGRU(nn.Module):
    """A weighted sum of the last four steps, channel by channel, then a minGRU.

    A minGRU decides from the present input alone what to write; the sum lets it see the inputs
    just before as well. The state is the last three inputs and that of the minGRU.
    """

    def __init__(self, width: int):
        super().__init__()
        self.weights = nn.Parameter(torch.empty(4, width).uniform_(-0.5, 0.5))
        self.layer = MinGRU(width, width)

    def forward(self, x: Tensor, state: Any = None) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """x (B, T, width) → states (B, T, width), and the state to go on from."""
        past, h = state or (x.new_zeros(len(x), 3, x.shape[2]), None)
        x = torch.cat([past, x], dim=1)  # (B, 3 + T, width)
        T = x.shape[1] - 3
        mixed = sum(self.weights[k] * x[:, k : k + T] for k in range(4))
        states, h = self.layer(mixed, h)
        return states, (x[:, -3:], h)


# ------------------------------------------------------------------ blocks and models


class Block(nn.Module):
    """What mixes the steps, then a perceptron at each step; both add to what they read."""

    def __init__(self, mixer: nn.Module, width: int):
        super().__init__()
        self.norm_1 = nn.LayerNorm(width, bias=False)
        self.mixer = mixer
        self.norm_2 = nn.LayerNorm(width, bias=False)
        self.perceptron = nn.Sequential(
            nn.Linear(width, 4 * width, bias=False),
            nn.GELU(),
            nn.Linear(4 * width, width, bias=False),
        )

    def forward(self, x: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        """x (B, T, width) → (B, T, width), and the mixer's state."""
        mixed, state = self.mixer(self.norm_1(x), state)
        x = x + mixed
        return x + self.perceptron(self.norm_2(x)), state


class MinGRUStack(nn.Module):
    """A language model of blocks with minGRUs (after Feng et al., 2024)."""

    def __init__(self, vocabulary_size: int, width: int = 160, layers: int = 3):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary_size, width)
        self.blocks = nn.ModuleList(Block(ConvolvedMinGRU(width), width) for _ in range(layers))
        self.norm = nn.LayerNorm(width, bias=False)
        self.head = nn.Linear(width, vocabulary_size)

    def forward(self, ids: Tensor, state: Any = None) -> tuple[Tensor, tuple]:
        """ids (B, T) → logits (B, T, vocabulary_size), and the state to go on from."""
        x, states = self.embedding(ids), []  # (B, T, width)
        for block, of_block in zip(self.blocks, state or [None] * len(self.blocks), strict=True):
            x, of_block = block(x, of_block)
            states.append(of_block)
        return self.head(self.norm(x)), tuple(states)


class Transformer(nn.Module):
    """A small language model of blocks with attention: a GPT (Radford et al., 2019).

    The default size is that of nanoGPT's settings for a processor. Learned positions, no biases;
    the embedding also serves as the output layer. It reads `window` characters at most, and each
    call begins anew.
    """

    def __init__(
        self,
        vocabulary_size: int,
        width: int = 128,
        layers: int = 4,
        heads: int = 4,
        window: int = 64,
    ):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary_size, width)
        self.position = nn.Embedding(window, width)
        self.blocks = nn.ModuleList(
            Block(CausalAttention(width, heads), width) for _ in range(layers)
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
        x = self.embedding(ids) + self.position.weight[:T]  # (B, T, width)
        for block in self.blocks:
            x, _ = block(x)
        return self.norm(x) @ self.embedding.weight.T, None


# ------------------------------------------------------------------ a measure


@torch.no_grad()
def overlapping_loss(model: nn.Module, ids: Tensor, window: int, new: int) -> float:
    """Mean loss, in nats per character, over ids (N,) read in windows that overlap.

    Each window goes on `new` characters after the one before, and only its last `new` predictions
    count, which have at least window - new + 1 characters to go by; of the first window, all.
    What does not fill a window is left out.
    """
    model.eval()
    x, y = ids[:-1].unfold(0, window, new), ids[1:].unfold(0, window, new)  # (windows, window)
    losses = torch.cat(
        [
            cross_entropy(model(x_part)[0].transpose(1, 2), y_part, reduction="none")
            for x_part, y_part in zip(x.split(64), y.split(64), strict=True)
        ]
    )  # (windows, window)
    counted = torch.cat([losses[0, :-new], losses[:, -new:].flatten()])
    return counted.mean().item()
