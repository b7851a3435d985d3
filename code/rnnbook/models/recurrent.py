"""Models around a recurrent layer: one answer for a sequence, or one at every step.

The layer may be any that maps x (B, T, D) and a state to hidden states (B, T, H) and the next
state: those of `rnnbook.layers.recurrent`, or PyTorch's `nn.RNN`, `nn.LSTM`, `nn.GRU` with
`batch_first=True` and one direction. It must have `input_size` and `hidden_size`. The models hand
its state through as it is: (B, H) from our cells, (layers, B, H) from PyTorch's.
"""

from typing import Any

from torch import Tensor, nn


class SequenceClassifier(nn.Module):
    """Reads a whole sequence and says to which class it belongs (many to one)."""

    def __init__(self, layer: nn.Module, num_classes: int):
        super().__init__()
        self.layer = layer
        self.head = nn.Linear(layer.hidden_size, num_classes)

    def forward(self, x: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        """x (B, T, D) → logits (B, num_classes) after the last step, and the layer's state."""
        h, state = self.layer(x, state)  # (B, T, H)
        return self.head(h[:, -1]), state


class SequenceLabeller(nn.Module):
    """Reads a sequence and gives an answer at every step (many to many, aligned)."""

    def __init__(self, layer: nn.Module, num_classes: int):
        super().__init__()
        self.layer = layer
        self.head = nn.Linear(layer.hidden_size, num_classes)

    def forward(self, x: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        """x (B, T, D) → logits (B, T, num_classes), and the layer's state."""
        h, state = self.layer(x, state)  # (B, T, H)
        return self.head(h), state


class CharacterModel(nn.Module):
    """Reads characters and says, after each one, what comes next (many to many).

    `layer.input_size` is the size of the embedding. `dropout` acts on the embedded characters
    and on the hidden states, not between time steps (Zaremba et al., 2014).
    """

    def __init__(self, layer: nn.Module, vocabulary_size: int, dropout: float = 0.0):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary_size, layer.input_size)
        self.layer = layer
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(layer.hidden_size, vocabulary_size)

    def forward(self, ids: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        """ids (B, T) → logits (B, T, vocabulary_size), and the layer's state to go on from."""
        x = self.dropout(self.embedding(ids))  # (B, T, D)
        h, state = self.layer(x, state)  # (B, T, H)
        return self.head(self.dropout(h)), state
