"""Small made-up tasks, each of which needs one kind of memory and can have any length.

Signs are +1 or -1 with equal probability. Nothing is stored: a generator gives the sequences.
"""

import torch
from torch import Tensor


def signs(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Independent signs, +1.0 or -1.0."""
    return torch.randint(0, 2, shape, generator=generator) * 2.0 - 1


def first_sign(num_sequences: int, T: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Which sign came first? x (N, T, 1) are signs; y (N,) is 1 where the first is +1, else 0.

    The answer is needed T - 1 steps after it was seen; every step in between brings another sign.
    """
    x = signs((num_sequences, T, 1), generator)
    return x, (x[:, 0, 0] > 0).long()


SILENT, MINUS, PLUS = 0, 1, 2  # the answers of `store_and_recall`


def store_and_recall(
    num_sequences: int, T: int, generator: torch.Generator, rate: float = 0.1
) -> tuple[Tensor, Tensor]:
    """Store a sign when told to, say it when asked, and be silent otherwise.

    x (N, T, 3) holds at each step a sign, and two flags, 0 or 1: "store" and "recall". y (N, T)
    is SILENT (0), except where "recall" is 1: there it says which sign was stored last, MINUS
    (1) or PLUS (2). The first sign is always stored; each later step is a "store" or a "recall"
    with the probability `rate` each.
    """
    shape = (num_sequences, T)
    sign = signs(shape, generator)
    draw = torch.rand(shape, generator=generator)
    store = draw < rate
    store[:, 0] = True
    recall = (draw > 1 - rate) & ~store
    steps = torch.arange(T).expand(shape)
    last_store = torch.where(store, steps, 0).cummax(dim=1).values  # (N, T)
    stored = sign.gather(1, last_store)
    x = torch.stack([sign, store.float(), recall.float()], dim=2)
    y = torch.where(recall, torch.where(stored > 0, PLUS, MINUS), SILENT)
    return x, y
