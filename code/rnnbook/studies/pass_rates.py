"""Which learning rate and dropout suit the LSTM and the transformer, for 1 pass, 5 and 20?

The LSTM looks back by dot products. Both have about 0.45 million parameters, and all but the rate
and the dropout is the same: batches, schedule, clipping. One seed each, judged by the exact answers
of a beam of 4 on the held-out names; `rnnbook.studies.passes` then trains with the best of both.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from torch import nn

from rnnbook.data.names import load_names
from rnnbook.data.pairs import Name, Names
from rnnbook.layers.attention import DotProductAttention
from rnnbook.metrics.error_rates import character_error_rate, exact
from rnnbook.models.encoder_decoder import EncoderDecoder
from rnnbook.models.transformer_pair import TransformerPair
from rnnbook.studies.shared.names import answers_of, trained
from rnnbook.training.recipes.names import names
from rnnbook.training.recipes.recipe import Recipe

THREADS = 1
NETWORKS: dict[str, Callable[..., nn.Module]] = {
    "LSTM": lambda letters, kana, dropout: EncoderDecoder(
        letters, kana, 64, 192, DotProductAttention, dropout
    ),
    "transformer": lambda letters, kana, dropout: TransformerPair(letters, kana, dropout=dropout),
}
RATES = {  # for a network and a number of passes
    ("LSTM", 1): (3e-3, 6e-3, 12e-3, 24e-3),
    ("transformer", 1): (2e-3, 4e-3, 8e-3),
    ("LSTM", 5): (3e-3, 6e-3, 12e-3),
    ("transformer", 5): (2e-3, 4e-3, 8e-3),
}
DROPOUTS = (0.0, 0.05, 0.15)
LOWER = {("LSTM", 5): 1.5e-3, ("transformer", 5): 1e-3}  # as the lowest rates had done best
GRID = [(key, lr, dropout) for key, rates in RATES.items() for lr in rates for dropout in DROPOUTS]
# For twenty passes the rates that had done best for five, with every dropout.
LONG = {"LSTM": 3e-3, "transformer": 2e-3}
FOR_20 = [((net, 20), lr, dropout) for net, lr in LONG.items() for dropout in DROPOUTS]
RUNS = {
    f"{net}, {passes} passes, {lr:g}, dropout {dropout:g}": {
        "network": net,
        "passes": passes,
        "lr": lr,
        "dropout": dropout,
    }
    for (net, passes), lr, dropout in [
        *GRID,
        *((key, lr, 0.0) for key, lr in LOWER.items()),
        *FOR_20,
    ]
}


def run(settings: dict[str, Any], stop: int | None = None) -> dict[str, Any]:
    """Train one network; see `rnnbook.studies`."""
    known = load_names()
    model, losses = trained(recipe(**settings), known, stop=stop)
    return {"trace": losses} if stop else {**judged(model, known, known.held_out), "trace": losses}


def recipe(network: str, passes: int, lr: float, dropout: float, seed: int = 0) -> Recipe:
    """The recipe of the book for names, with another network, length, rate and dropout."""
    chosen = partial(NETWORKS[network], dropout=dropout)
    return replace(names(), network=chosen, epochs=passes, lr=lr, seed=seed)


def judged(model: nn.Module, known: Names, some: Sequence[Name]) -> dict[str, Any]:
    """The answers of a beam of 4 to some of the names, judged."""
    answers = answers_of(model, known, [name.spelling for name in some])
    right = [name.readings for name in some]
    return {
        "parameters": sum(p.numel() for p in model.parameters()),
        "exact": exact(answers, right),
        "error_rate": character_error_rate(answers, right),
    }
