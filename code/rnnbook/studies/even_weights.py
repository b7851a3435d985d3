"""Is it where the network looks, or only that there is more of it? A control for attention.

The networks of `rnnbook.studies.attention`, but for the weights: every letter always gets the
same. So what is seen is the plain mean of the states, at every step.
"""

from dataclasses import replace
from functools import partial
from typing import Any

from torch import Tensor, nn

from rnnbook.layers.attention import attend
from rnnbook.studies.shared.names import SEEDS, train_and_judge
from rnnbook.training.recipes.names import name_reader, names

THREADS = 1
RUNS = {f"seed {seed}": {"seed": seed} for seed in SEEDS}


class EvenAttention(nn.Module):
    """Gives all letters the same weight, in the place of an attention that compares."""

    def __init__(self, query_size: int, memory_size: int):
        super().__init__()

    def keys(self, memory: Tensor) -> Tensor:
        return memory

    def forward(
        self, queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor
    ) -> tuple[Tensor, Tensor]:
        scores = queries.new_zeros(*queries.shape[:2], keys.shape[1])  # (B, T, S)
        return attend(scores, values, mask[:, None])


def run(settings: dict[str, Any], stop: int | None = None) -> dict[str, Any]:
    """Train one network; see `rnnbook.studies`."""
    network = partial(name_reader, attention=EvenAttention)
    return train_and_judge(replace(names(), network=network, seed=settings["seed"]), stop=stop)
