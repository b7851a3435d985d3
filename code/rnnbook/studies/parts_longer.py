"""Is a part of an LSTM needed, or does the LSTM learn faster with it?

The task, the test and the sizes are those of `rnnbook.studies.parts`. Two more changes get what
all kinds got there, 600 steps and twenty seeds: the tanh behind the cell state is left out, or
peepholes are added. The LSTMs without an input gate and without a forget gate, which had learned
least after 600 steps and were still getting better, train eight times as long, at two rates each,
five seeds.

Fixed before any run: rates, steps and seeds, and the question: does the median of a
kind, at one of its rates, come down to that of the whole LSTM after 600 steps?
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from rnnbook.data.tasks import store_a_number
from rnnbook.layers import ablations
from rnnbook.studies import parts
from rnnbook.training.batches import MiniBatches
from rnnbook.training.settings import Settings
from rnnbook.training.side_by_side import side_by_side, train_side_by_side

THREADS = 1  # the tensors are small
STEPS, SEEDS = 4800, range(5)
CELLS: dict[str, Callable[[int], nn.Module]] = parts.CELLS | {
    "no output tanh": lambda H: ablations.NoOutputTanh(3, H),
    "peepholes": lambda H: ablations.Peepholes(3, H),
}
RATES = (1e-2, 3e-3)
RUNS: dict[str, dict[str, Any]] = {
    cell: {"cell": cell, "steps": parts.STEPS, "lr": parts.LR, "seeds": [*parts.SEEDS]}
    for cell in ("no output tanh", "peepholes")
}
RUNS |= {
    f"{cell}, rate {lr}": {"cell": cell, "steps": STEPS, "lr": lr, "seeds": [*SEEDS]}
    for cell in ("no forget gate", "no input gate")
    for lr in RATES
}


def network(cell: str, seed: int) -> nn.Module:
    """A new network of a kind, on its own."""
    H = parts.units(CELLS[cell])
    torch.manual_seed(seed)
    return parts.Teller(CELLS[cell](H))


def run(settings: dict[str, Any], stop: int | None = None) -> dict[str, Any]:
    """Train the networks of one kind, all seeds side by side; see `rnnbook.studies`."""
    generator = torch.Generator().manual_seed(1)
    examples = store_a_number(20_000, parts.T, generator, parts.RATE)
    test = store_a_number(1000, parts.T, generator, parts.RATE)
    networks = side_by_side([network(settings["cell"], seed) for seed in settings["seeds"]])
    batches = [MiniBatches(*examples, parts.BATCH, seed) for seed in settings["seeds"]]
    looks = []
    losses = train_side_by_side(
        networks,
        batches,
        parts.losses_of,
        Settings(steps=settings["steps"], lr=settings["lr"]),
        evaluate=lambda model: looks.append(parts.left(model, *test)["left"]),
        evaluate_every=settings["steps"] // 12,
        stop=stop,
    )
    return {
        "units": networks.layer.hidden_size,
        "left": looks,
        "trace": [sum(row) / len(row) for row in losses],
    }
