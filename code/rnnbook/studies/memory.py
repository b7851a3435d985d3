"""How far back can it remember? The adding and the copying problem at long lags.

Every kind of cell has 64 units and meets the same sequences; in the copying problem there is an
orthogonal network with 128, too, about as many parameters as an LSTM. No sequence is seen twice,
so the loss of a training batch, taken before the step, is a loss on new data; the result of a run
is its mean over the last steps, to be compared with that of a constant on the same sequences.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from rnnbook.data.tasks import NUM_SYMBOLS, adding, copying, copying_floor
from rnnbook.layers.initialisation import chrono_start, identity_start, set_forget_bias
from rnnbook.layers.min_gru import MinGRU
from rnnbook.layers.orthogonal import OrthogonalRNN
from rnnbook.models.recurrent import SequenceClassifier, SequenceLabeller
from rnnbook.training.batches import FreshBatches
from rnnbook.training.loop import train
from rnnbook.training.objectives import Objective, classification, regression
from rnnbook.training.settings import Diverged, Settings

THREADS = 1  # the tensors are small
SEEDS = range(1, 4)
BATCH, LAST = 32, 100  # LAST: over how many steps at the end the loss is averaged
EVERY = 25  # steps that are averaged for a point of the curve

# A kind of cell is made from its input size, its number of units and the longest lag.
CELLS: dict[str, Callable[[int, int, int], nn.Module]] = {
    "simple RNN": lambda D, H, T: nn.RNN(D, H, batch_first=True),
    "IRNN": lambda D, H, T: identity_start(
        nn.RNN(D, H, nonlinearity="relu", batch_first=True), input_std=0.001
    ),
    "orthogonal RNN": lambda D, H, T: OrthogonalRNN(D, H),
    "orthogonal RNN, 128 units": lambda D, H, T: OrthogonalRNN(D, 2 * H),
    "LSTM, forget bias 1": lambda D, H, T: set_forget_bias(nn.LSTM(D, H, batch_first=True)),
    "LSTM, chrono start": lambda D, H, T: chrono_start(nn.LSTM(D, H, batch_first=True), T),
    "GRU": lambda D, H, T: nn.GRU(D, H, batch_first=True),
    "minGRU": lambda D, H, T: MinGRU(D, H, T),
}
GATED = list(CELLS)[4:]
KINDS = [kind for kind in CELLS if "128" not in kind]  # those with 64 units

PROBLEMS = (  # task, lag, kinds of cells, steps
    ("adding", 50, ["LSTM, forget bias 1"], 600),
    ("adding", 50, ["LSTM, forget bias 1"], 2000),
    ("adding", 200, KINDS, 2000),
    ("adding", 600, ["LSTM, chrono start", "GRU", "minGRU"], 2000),
    ("copying", 200, list(CELLS), 1500),
)

# What had not learned in those steps was given more: 8,000, once at each of these rates,
TRIED = {
    ("adding", "orthogonal RNN"): (3e-4, 1e-3, 3e-3),
    ("adding", "LSTM, forget bias 1"): (3e-3, 1e-2),
    ("copying", "LSTM, chrono start"): (3e-3, 1e-2, 3e-2),
    ("copying", "GRU"): (3e-3, 1e-2),
    ("copying", "minGRU"): (1e-2,),
}
# and some then, with three other seeds, so many steps at the best of them.
LONG = {
    ("adding", "orthogonal RNN"): (3e-3, 8000),
    ("adding", "LSTM, forget bias 1"): (1e-2, 8000),
    ("copying", "GRU"): (1e-2, 12_000),
}


def settings(task: str, T: int, cell: str, steps: int, seed: int) -> dict[str, Any]:
    """One run. The learning rates were chosen by hand, after a few short trials."""
    lr = 1e-3
    if cell == "IRNN":
        lr = 1e-4  # higher rates were no better
    elif task == "adding" and cell in GATED:
        lr = 1e-2
    return {"task": task, "T": T, "cell": cell, "lr": lr, "steps": steps, "seed": seed}


RUNS = {
    f"{task} {T}, {cell}, {steps} steps, seed {seed}": settings(task, T, cell, steps, seed)
    for task, T, cells, steps in PROBLEMS
    for cell in cells
    for seed in SEEDS
}
RUNS |= {
    f"{task} 200, {cell}, rate {lr:g}, seed 0": settings(task, 200, cell, 8000, 0) | {"lr": lr}
    for (task, cell), rates in TRIED.items()
    for lr in rates
}
RUNS |= {
    f"{task} 200, {cell}, {steps} steps, seed {seed}": settings(task, 200, cell, steps, seed)
    | {"lr": lr}
    for (task, cell), (lr, steps) in LONG.items()
    for seed in SEEDS
}


def problem(task: str, T: int) -> tuple[Callable, Objective, int]:
    """The function that makes sequences of a task, its objective, and its input size."""
    if task == "adding":
        return lambda n, generator: adding(n, T, generator), regression, 2
    return lambda n, generator: copying(n, T, generator), classification, NUM_SYMBOLS + 2


def model(task: str, T: int, cell: str) -> nn.Module:
    """A new model for a task: one number after the last step, or a symbol at every step."""
    _, _, D = problem(task, T)
    layer = CELLS[cell](D, 64, T)
    if task == "adding":
        return SequenceClassifier(layer, 1)
    return SequenceLabeller(layer, NUM_SYMBOLS + 1)


def without_memory(task: str, T: int, seed: int, steps: range) -> list[float]:
    """The loss, at each of these steps of a run, of the best answer that remembers no input.

    In the adding problem that is the constant 1, on the same sequences as the run; in the copying
    problem it is the floor, whatever the sequences are.
    """
    if task == "copying":
        return [copying_floor(T)] * len(steps)
    batches = FreshBatches(problem(task, T)[0], BATCH, seed)
    return [(batches.batch(step).y - 1).square().mean().item() for step in steps]


def run(settings: dict[str, Any], stop: int | None = None) -> dict[str, Any]:
    """Train one cell; see `rnnbook.studies`. Where it explodes, "final" is None."""
    task, T, seed = settings["task"], settings["T"], settings["seed"]
    torch.manual_seed(seed)
    network = model(task, T, settings["cell"])
    make, objective, _ = problem(task, T)
    chosen = Settings(steps=settings["steps"], lr=settings["lr"], objective=objective, seed=seed)
    try:
        losses = train(network, FreshBatches(make, BATCH, seed), chosen, stop=stop).losses
        final = round(sum(losses[-LAST:]) / len(losses[-LAST:]), 7)
    except Diverged as error:
        losses, final = error.history.losses, None
    starts = range(0, len(losses) - EVERY + 1, EVERY)
    return {
        "parameters": sum(p.numel() for p in network.parameters()),
        "curve": [round(sum(losses[k : k + EVERY]) / EVERY, 6) for k in starts],
        "final": final,
        "trace": losses,
    }
