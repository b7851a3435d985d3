"""Reading in both directions: what comes later also says what a step is.

Left out: that a layer starts from a state, and that it returns one. Of a second direction there
is no state to carry on: it begins at the end.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn


class Bidirectional(nn.Module):
    """Two layers read the same sequence, one of them from its end (Schuster and Paliwal, 1997).

    `make` makes a layer from the size of its inputs and of its state, such as `nn.LSTM` with
    `batch_first`. `hidden_size` is that of both together; raises `ValueError` if it is odd.
    """

    def __init__(self, make: Callable[[int, int], nn.Module], input_size: int, hidden_size: int):
        super().__init__()
        if hidden_size % 2:
            raise ValueError(f"two directions cannot share {hidden_size} units")
        self.forwards = make(input_size, hidden_size // 2)
        self.backwards = make(input_size, hidden_size // 2)
        self.input_size, self.hidden_size = input_size, hidden_size

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """x (B, T, D) with lengths (B,) → the states of both directions at each step, (B, T, H)."""
        ahead, _ = self.forwards(x)
        back, _ = self.backwards(reverse_padded(x, lengths))
        return torch.cat([ahead, reverse_padded(back, lengths)], dim=2)


def reverse_padded(x: Tensor, lengths: Tensor) -> Tensor:
    """Each sequence of x (B, T, D) from its end to its beginning; the padding stays behind it."""
    t = torch.arange(x.shape[1], device=x.device)
    last = lengths.to(x.device)[:, None] - 1
    source = torch.where(t <= last, last - t, t)  # (B, T)
    return x.gather(1, source[:, :, None].expand_as(x))
