"""What does looking back gain? Names, with both kinds of attention.

Everything else is as in `rnnbook.studies.names`, whose networks that read both ways, with a state
of 192 numbers, look nowhere: the recipe, the names, the seeds, and how the answers are judged.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from torch import nn

from rnnbook.layers.attention import AdditiveAttention, DotProductAttention
from rnnbook.studies.shared.names import SEEDS, train_and_judge
from rnnbook.training.recipes.names import name_reader, names

THREADS = 1
ATTENTIONS: dict[str, Callable[[int, int], nn.Module]] = {
    "dot product": DotProductAttention,
    "additive": AdditiveAttention,
}
RUNS = {
    f"{kind}, seed {seed}": {"attention": kind, "seed": seed}
    for seed in SEEDS
    for kind in ATTENTIONS
}


def run(settings: dict[str, Any], stop: int | None = None) -> dict[str, Any]:
    """Train one network; see `rnnbook.studies`."""
    network = partial(name_reader, attention=ATTENTIONS[settings["attention"]])
    return train_and_judge(replace(names(), network=network, seed=settings["seed"]), stop=stop)
