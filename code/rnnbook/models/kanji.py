"""An LSTM that says where a pen goes next, as a mixture of Gaussians."""

from torch import Tensor, nn

from rnnbook.data.kanji_strokes import FEATURES
from rnnbook.layers.mixture import NUMBERS, Mixture, mixture_of
from rnnbook.layers.weight_drop import WeightDropLSTM

KINDS = 3  # of movements: drawn, in the air, none any more
State = tuple[Tensor, Tensor]


class Pen(nn.Module):
    """From what is known before each movement to where it goes, and of which kind it is.

    As Graves (2013) did for handwriting. M is the number of Gaussians. Against learning the
    drawings by heart there is `weight_dropout`, as in `WeightDropLSTM`: dropout of the state
    itself would shake the hand.
    """

    def __init__(self, M: int = 10, hidden_size: int = 384, weight_dropout: float = 0.0):
        super().__init__()
        self.lstm = WeightDropLSTM(FEATURES, hidden_size, weight_dropout)
        self.head = nn.Linear(hidden_size, NUMBERS * M + KINDS)

    def forward(self, x: Tensor, state: State | None = None) -> tuple[Mixture, Tensor, State]:
        """x (B, T, 9) → mixtures (B, T), logits of the kind (B, T, 3), and the state."""
        h, state = self.lstm(x, state)  # (B, T, H)
        numbers = self.head(h).float()
        return mixture_of(numbers[..., :-KINDS]), numbers[..., -KINDS:], state
