"""An encoder reads a sequence, a decoder writes another one of any length.

Reading and writing have the form that `rnnbook.decoding.search` needs of any such model: `encode`,
`start`, `step`; training calls `forward`, which takes the steps of the right answer in one go.
Left out: several layers, and feeding what was seen back into the decoder (Luong et al., 2015),
without which all steps of an answer that is known are computed at once.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

START = END = 0  # one sign, before the first character of an answer and after the last
State = tuple[Tensor, Tensor]  # h and c, each (B, H)


class Memory(NamedTuple):
    """What an encoder has read: all that the decoder knows of the source."""

    states: Tensor  # (B, S, H), after each letter, of both directions
    keys: Tensor | None  # what the attention compares its queries with
    mask: Tensor  # (B, S), False at padding
    last: State  # the last states of both directions, side by side


class EncoderDecoder(nn.Module):
    """A two-way LSTM reads, an LSTM writes; with `attention` it looks back at each step.

    Without attention, all that the decoder knows is the state in which the encoder ends (Sutskever
    et al., 2014; Cho et al., 2014); with it, the mean of the encoder's states, weighted anew at
    each step (Bahdanau et al., 2015). `attention` makes a layer from the sizes of a query and of
    the memory, such as `rnnbook.layers.attention.AdditiveAttention`. `source_size` and `V` are the
    numbers of letters and of answers, signs included; `hidden_size` must be even. `dropout` acts on
    embeddings and on what the answer is taken from. With `neighbours`, a convolution adds to each
    letter's embedding what the letters beside it change: "s" before "h" is another sound.
    """

    def __init__(
        self,
        source_size: int,
        V: int,
        embedding_size: int,
        hidden_size: int,
        attention: Callable[[int, int], nn.Module] | None = None,
        dropout: float = 0.0,
        neighbours: bool = False,
    ):
        super().__init__()
        H = hidden_size
        self.read_embedding = nn.Embedding(source_size, embedding_size, padding_idx=0)
        self.encoder = nn.LSTM(embedding_size, H // 2, batch_first=True, bidirectional=True)
        self.write_embedding = nn.Embedding(V, embedding_size)
        self.decoder = nn.LSTM(embedding_size, H, batch_first=True)
        self.attention = attention(H, H) if attention else None
        self.mix = nn.Linear(2 * H, H) if attention else None
        self.head = nn.Linear(H, V)
        self.dropout = nn.Dropout(dropout)
        D = embedding_size
        self.neighbours = nn.Conv1d(D, D, 3, padding=1) if neighbours else None

    def encode(self, source: Tensor, lengths: Tensor) -> Memory:
        """Read source (B, S), of which each row has its length (B,); the rest is padding."""
        x = self.read_embedding(source)  # (B, S, D), 0 at padding
        if self.neighbours:
            x = x + torch.relu(self.neighbours(x.transpose(1, 2))).transpose(1, 2)
        states, last = read(self.encoder, self.dropout(x), lengths)
        mask = torch.arange(source.shape[1], device=source.device) < lengths[:, None]
        keys = self.attention.keys(states) if self.attention else None
        return Memory(states, keys, mask, last)

    def start(self, memory: Memory) -> State:
        """The decoder begins in the state in which the encoder has ended."""
        return memory.last

    def decode(
        self, previous: Tensor, state: State, memory: Memory
    ) -> tuple[Tensor, State, Tensor | None]:
        """Take T steps, each after the character before it, previous (B, T).

        Returns logits (B, T, V), the next state, and where it looked, (B, T, S), or None.
        """
        x = self.dropout(self.write_embedding(previous))  # (B, T, D)
        h, (h_T, c_T) = self.decoder(x, (state[0][None], state[1][None]))  # (B, T, H)
        weights = None
        if self.attention and self.mix:
            seen, weights = self.attention(h, memory.keys, memory.states, memory.mask)
            h = torch.tanh(self.mix(torch.cat([h, seen], dim=2)))  # (B, T, H)
        return self.head(self.dropout(h)), (h_T[0], c_T[0]), weights

    def step(self, previous: Tensor, state: State, memory: Memory) -> tuple[Tensor, State]:
        """One step after the characters previous (B,): logits (B, V) and the next state."""
        logits, state, _ = self.decode(previous[:, None], state, memory)
        return logits[:, 0], state

    def forward(self, source: Tensor, lengths: Tensor, previous: Tensor) -> Tensor:
        """Logits (B, T, V) at each step of an answer that is known (teacher forcing).

        `previous` (B, T) is START and the answer without its last character.
        """
        memory = self.encode(source, lengths)
        return self.decode(previous, self.start(memory), memory)[0]

    def alignment(self, source: Tensor, lengths: Tensor, previous: Tensor) -> Tensor:
        """Where it looks at each step of a known answer: weights (B, T, S), 0 at padding.

        Raises `ValueError` for a model without attention.
        """
        if not self.attention:
            raise ValueError("this model has no attention: it looks nowhere")
        memory = self.encode(source, lengths)
        return self.decode(previous, self.start(memory), memory)[2]  # pyrefly: ignore[bad-return]


def read(layer: nn.LSTM, x: Tensor, lengths: Tensor) -> tuple[Tensor, State]:
    """Run a layer over x (B, S, D), in which each row ends after its length (B,).

    Both directions pass over the padding. Returns states (B, S, H), 0 at padding, and the last
    states h and c, (B, H) each, those of the two directions side by side.
    """
    if (lengths == x.shape[1]).all():  # nothing to pack, which is quicker
        states, last = layer(x)
    else:
        packed = pack_padded_sequence(x, lengths.cpu(), batch_first=True, enforce_sorted=False)
        states, last = layer(packed)
        states, _ = pad_packed_sequence(states, batch_first=True, total_length=x.shape[1])
    return states, tuple(part.transpose(0, 1).flatten(1) for part in last)
