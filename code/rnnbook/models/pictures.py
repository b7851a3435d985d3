"""Captions for pictures: a convolutional encoder sees, a recurrent decoder says it in words.

To read and to write it has the form of `rnnbook.models.encoder_decoder`, `encode`, `start`, `step`,
so that `rnnbook.decoding.search` serves both. In the place of a length stands a language.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from rnnbook.layers.attention import multi_head_attention

SIDE = 10  # places that the encoder sees in a row, and in a column
State = tuple[Tensor, Tensor]  # h and c, each (B, H)


class Seen(NamedTuple):
    """What the encoder has seen, and the language in which it is to be said."""

    places: Tensor  # (B, S, M), a vector for each place, row by row
    language: Tensor  # (B, E), its sign


class Captioner(nn.Module):
    """Convolutions see 10 × 10 places, at which an LSTM looks at each step (Xu et al., 2015).

    Each place sees 9 × 9 pixels. The LSTM knows the words that were said, and no more: from them it
    decides where to look next. It looks with several `heads`, each of which compares and sees a
    part of the vector of a place, by products (Vaswani et al., 2017). What is found speaks for some
    words, what was said speaks for others, and these votes are added. So no place can change what
    another one means, and parts can be named in new combinations.

    With `whole`, as is usual, they can: the LSTM begins with the mean of all places, and what is
    found and what was said meet in a layer with a tanh. `V` is the number of words, signs
    included. With several `languages` one decoder speaks them all: a vector for the language is
    added to each word that it has said. `dropout` acts on words, places and votes.
    """

    def __init__(
        self,
        V: int,
        languages: int = 1,
        widths: tuple[int, int, int] = (32, 64, 96),
        embedding_size: int = 64,
        hidden_size: int = 192,
        heads: int = 4,
        dropout: float = 0.0,
        whole: bool = False,
    ):
        super().__init__()
        H, M = hidden_size, widths[-1]
        self.heads, self.whole = heads, whole
        self.encoder = convolutional_encoder(*widths)
        self.position = nn.Parameter(torch.zeros(SIDE * SIDE, M))  # added to what is at a place
        if whole:
            self.begin = nn.Linear(M, 2 * H)
        self.embedding = nn.Embedding(V, embedding_size)
        self.language = nn.Embedding(languages, embedding_size)
        self.decoder = nn.LSTM(embedding_size, H, batch_first=True)
        self.query = nn.Linear(H, M)
        self.found, self.said = nn.Linear(M, H, bias=False), nn.Linear(H, H)
        self.head = nn.Linear(H, V)
        self.dropout = nn.Dropout(dropout)

    def encode(self, pictures: Tensor, languages: Tensor) -> Seen:
        """Look at pictures (B, 3, 40, 40), uint8, to be described in languages (B,)."""
        x = self.encoder(pictures.float() / 127.5 - 1)  # (B, M, 10, 10)
        places = x.flatten(2).transpose(1, 2) + self.position
        return Seen(self.dropout(places), self.language(languages))

    def start(self, seen: Seen) -> State:
        """The LSTM begins with nothing; with `whole`, with the mean of all places."""
        if self.whole:
            h, c = torch.tanh(self.begin(seen.places.mean(dim=1))).chunk(2, dim=1)
            return h, c
        nothing = seen.places.new_zeros(len(seen.places), self.decoder.hidden_size)
        return nothing, nothing

    def decode(self, previous: Tensor, state: State, seen: Seen) -> tuple[Tensor, State, Tensor]:
        """Take T steps, each after the word before it, previous (B, T).

        Returns logits (B, T, V), the next state, and where it looked, (B, heads, T, S).
        """
        x = self.dropout(self.embedding(previous) + seen.language[:, None])  # (B, T, E)
        h, (h_T, c_T) = self.decoder(x, (state[0][None], state[1][None]))  # (B, T, H)
        found, weights = self.find(h, seen.places)
        votes = self.found(found) + self.said(h)  # (B, T, H)
        if self.whole:
            votes = torch.tanh(votes)
        return self.head(self.dropout(votes)), (h_T[0], c_T[0]), weights

    def find(self, h: Tensor, places: Tensor) -> tuple[Tensor, Tensor]:
        """What is found after h (B, T, H) at places (B, S, M): (B, T, M), and the weights."""
        everywhere = torch.ones((), dtype=torch.bool, device=h.device)
        return multi_head_attention(self.query(h), places, places, everywhere, self.heads)

    def step(self, previous: Tensor, state: State, seen: Seen) -> tuple[Tensor, State]:
        """One step after the words previous (B,): logits (B, V) and the next state."""
        logits, state, _ = self.decode(previous[:, None], state, seen)
        return logits[:, 0], state

    def forward(self, pictures: Tensor, languages: Tensor, previous: Tensor) -> Tensor:
        """Logits (B, T, V) at each step of a caption that is known (teacher forcing)."""
        seen = self.encode(pictures, languages)
        return self.decode(previous, self.start(seen), seen)[0]

    def alignment(self, pictures: Tensor, languages: Tensor, previous: Tensor) -> Tensor:
        """Where each head looks at each step of a known caption: weights (B, heads, T, 10, 10)."""
        seen = self.encode(pictures, languages)
        weights = self.decode(previous, self.start(seen), seen)[2]
        return weights.unflatten(3, (SIDE, SIDE))


def convolutional_encoder(first: int, second: int, third: int) -> nn.Sequential:
    """Convolutions from (B, 3, 40, 40) to (B, third, 10, 10); the first two halve the sides.

    Each is followed by batch normalisation (Ioffe and Szegedy, 2015) and a ReLU. The last one
    mixes the channels of each place alone.
    """
    sizes = [(3, first, 5, 2), (first, second, 3, 2), (second, third, 1, 1)]
    layers = [
        (nn.Conv2d(a, b, size, stride, size // 2, bias=False), nn.BatchNorm2d(b), nn.ReLU())
        for a, b, size, stride in sizes
    ]
    return nn.Sequential(*(part for layer in layers for part in layer))


def covered(pixels: Tensor, places: Tensor) -> Tensor:
    """A picture (3, 40, 40) whose 4 × 4 pixels in the middle of some places (n,) are white."""
    hidden = torch.zeros(SIDE * SIDE, dtype=torch.bool)
    hidden[places] = True
    hidden = hidden.view(SIDE, SIDE).repeat_interleave(4, dim=0).repeat_interleave(4, dim=1)
    hidden = pad(hidden, (0, 2, 0, 2))[2:, 2:]  # the middle of place i is pixel 4 i
    return pixels.masked_fill(hidden, 255)


def inked(pixels: Tensor) -> Tensor:
    """At which places something is drawn in the middle, on a picture (3, 40, 40): (100,)."""
    drawn = (pixels < 250).any(dim=0)
    middles = pad(drawn, (2, 0, 2, 0))[:40, :40].view(SIDE, 4, SIDE, 4)
    return middles.any(dim=3).any(dim=1).flatten()
