"""Results of trainings that somebody else has waited for.

While the book is built, `train` writes what each longer training ended with into the file that the
variable RNNBOOK_RESULTS names. A notebook gets this file with `use`; from then on a training that
begins as one of those did is not gone on with: its weights and its history are taken from the file.
"Begins as" means: the same settings, and for three steps the same losses and gradients, which no
other data, model or start would give.
"""

import io
import math
import os
from collections.abc import Callable
from copy import deepcopy
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import nn
from tqdm import tqdm

from rnnbook.data.fetching.cache import obtain
from rnnbook.data.fetching.errors import DataError, SourceError
from rnnbook.data.fetching.mirrors import Mirror
from rnnbook.files import write_atomically
from rnnbook.training.settings import History, Settings

BEGINNING = 3  # steps by which a training is known
SHORTEST = 2.0  # seconds: who trains for less can as well train again
VARIABLE = "RNNBOOK_RESULTS"

_used: list[dict[str, Any]] = []
_written: list[dict[str, Any]] = []


def use(address: str, sha256: str) -> None:
    """Let `train` take its results from a file at an address, which must have this SHA-256.

    If it cannot be had, that is printed, and everything is trained here.
    """
    forget()
    try:
        name = f"results-{sha256[:16]}-{address.rpartition('/')[2]}"
        content = obtain(name, sha256, [Mirror(address)]).read_bytes()
    except (DataError, SourceError, OSError) as error:
        print(f"The results of the page cannot be had ({error}). Everything is trained here.")
    else:
        _used.extend(torch.load(io.BytesIO(content), weights_only=True))


def forget() -> None:
    """Let `train` train, whatever was said before."""
    _used.clear()


def find(
    model: nn.Module,
    settings: Settings,
    total: int,
    begun: History,
    evaluate: Callable[[nn.Module], float] | None = None,
) -> History | None:
    """Bring a training that has just `begun` to its end, if there are results of the same one.

    The model gets their weights, which `evaluate` must find as good as it was said of them, and
    PyTorch's random numbers the state that they were in. Returns their history; None if there are
    no such results.
    """
    for kept in _used:
        if kept["about"] != _about(model, settings, total):
            continue
        history = History(**kept["history"])
        if _begins(history, begun) and _ends(history, kept["weights"], model, evaluate):
            model.load_state_dict(kept["weights"])
            torch.set_rng_state(kept["random"])
            for line in history.log:
                tqdm.write(line)
            tqdm.write(
                "(It began as the training of the page did; the rest of that one, which took "
                f"{history.seconds:.0f} s, was taken over. To train here: results.forget())"
            )
            return history
    return None


def keep(model: nn.Module, settings: Settings, total: int, history: History) -> None:
    """Write down what a training ended with, if that is asked for and it was no short one."""
    path = os.environ.get(VARIABLE)
    if not path or history.seconds < SHORTEST:
        return
    result = {
        "about": _about(model, settings, total),
        "weights": {name: tensor.clone() for name, tensor in model.state_dict().items()},
        "history": asdict(history),
        "random": torch.get_rng_state(),
    }
    _written.append(result)
    buffer = io.BytesIO()
    torch.save(_written, buffer)
    write_atomically(Path(path), buffer.getvalue())


def _about(model: nn.Module, settings: Settings, total: int) -> dict[str, Any]:
    """What must be equal; what a function does shows in the losses, but for the slow schedule."""
    return {
        "shapes": {name: list(tensor.shape) for name, tensor in model.state_dict().items()},
        "steps": total,
        "rates": [settings.lr * settings.schedule(k / 8) for k in range(8)],
        "others": [settings.clip, *settings.betas, settings.seed, settings.precision],
    }


def _begins(history: History, begun: History) -> bool:
    """Whether a history begins as another training has begun, but for rounding."""
    here = [*begun.losses, *begun.gradient_norms]
    there = [*history.losses[:BEGINNING], *history.gradient_norms[:BEGINNING]]
    return all(map(_is_close, here, there))


def _ends(history: History, weights: dict, model: nn.Module, evaluate: Callable | None) -> bool:
    """Whether the last thing that a history tells of its weights is found of them here, too."""
    if not (evaluate and history.held_out):
        return not (evaluate or history.held_out)
    trained = deepcopy(model)
    trained.load_state_dict(weights)
    with torch.random.fork_rng(devices=[]):
        return _is_close(evaluate(trained), history.held_out[-1][1])


def _is_close(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=1e-3, abs_tol=1e-6)
