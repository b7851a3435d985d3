"""An LSTM that forgets some of its recurrent weights in each batch, so as not to overfit."""

import torch
from torch import Tensor, nn
from torch.nn.functional import dropout


class WeightDropLSTM(nn.LSTM):
    """`nn.LSTM` of one layer, with dropout on the recurrent weights while it trains.

    In each batch, every recurrent weight is 0 with the probability `weight_dropout`, at all steps
    of all sequences alike; the others are larger by 1 / (1 - weight_dropout). Called DropConnect
    by Wan et al. (2013); for the recurrent weights of an LSTM it is from Merity et al. (2018).
    Takes x (B, T, D), and the state as `nn.LSTM(…, batch_first=True)` does.
    """

    def __init__(self, input_size: int, hidden_size: int, weight_dropout: float):
        super().__init__(input_size, hidden_size, batch_first=True)
        self.weight_dropout = weight_dropout

    def forward(
        self, x: Tensor, state: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """x (B, T, D) → hidden states (B, T, H) and the state (h, c), each (1, B, H)."""
        if state is None:
            state = (x.new_zeros(1, len(x), self.hidden_size),) * 2
        weight_hh = dropout(self.weight_hh_l0, self.weight_dropout, self.training)
        weights = self.weight_ih_l0, weight_hh, self.bias_ih_l0, self.bias_hh_l0
        h, h_T, c_T = torch.lstm(
            x,
            state,
            weights,
            has_biases=True,
            num_layers=1,
            dropout=0.0,  # between layers
            train=self.training,
            bidirectional=False,
            batch_first=True,
        )
        return h, (h_T, c_T)
