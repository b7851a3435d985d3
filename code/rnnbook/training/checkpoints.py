"""Saving a run, so that it can be interrupted, and reading it back without trusting it."""

import io
import zipfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import nn

from rnnbook.errors import BookError
from rnnbook.files import check_ends, write_atomically
from rnnbook.training import distributed
from rnnbook.training.settings import History

ADVICE = "delete it to start anew"
PARTS = {"model", "optimizer", "history", "state", "random"}


class CheckpointError(BookError):
    """A checkpoint cannot be used. The message says why and what to do."""


def save(
    path: Path, model: nn.Module, optimizer: torch.optim.Adam, history: History, state: Any
) -> None:
    """Write down all that a run needs to go on, once for all its processes."""
    content = {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "history": asdict(history),
        "state": distributed.gather(state),
        "random": distributed.gather_objects(random_state()),
    }
    if distributed.is_first():
        save_checkpoint(path, content)


def resume(path: Path, model: nn.Module, optimizer: torch.optim.Adam) -> tuple[History, Any]:
    """Bring a run back to where it was saved. Returns what happened until then, and the state.

    It may go on in another number of processes; each of these has random numbers of its own then.
    Raises `CheckpointError` when the file does not fit.
    """
    content = load_checkpoint(path, PARTS)
    try:
        model.load_state_dict(content["model"])
    except Exception as error:  # torch raises many kinds
        raise CheckpointError(f"{path} belongs to another model; {ADVICE}") from error
    try:
        state_of_adam = content["optimizer"]["state"]  # its settings come from the arguments
        optimizer.load_state_dict({**optimizer.state_dict(), "state": state_of_adam})
        history, state = History(**content["history"]), distributed.own_shard(content["state"])
        _check_is_whole(history, optimizer)
        if not all(isinstance(states, dict) for states in content["random"]):
            raise TypeError("no states of random numbers")
        if len(content["random"]) == distributed.count():
            set_random_state(content["random"][distributed.rank()])
    except Exception as error:
        raise CheckpointError(f"{path} holds no run that could go on; {ADVICE}") from error
    return history, state


def _check_is_whole(history: History, optimizer: torch.optim.Adam) -> None:
    """Raise `ValueError` unless Adam has made just the steps that the history tells of."""
    numbers = [*history.losses, *history.gradient_norms, history.seconds]
    adam, averages = optimizer.state.items(), ("exp_avg", "exp_avg_sq")
    if not (
        {int(state["step"]) for _, state in adam} == {len(history.losses)}
        and len(history.losses) == len(history.gradient_norms)
        and all(isinstance(number, float) for number in numbers)
        and isinstance(history.held_out, list)
        and all(state[name].shape == p.shape for p, state in adam for name in averages)
    ):
        raise ValueError(f"{len(history.losses)} losses do not fit the steps of Adam")


def random_state() -> dict[str, torch.Tensor]:
    """The states of PyTorch's random numbers, of each kind of device that is there."""
    states = {"cpu": torch.get_rng_state()}
    if torch.cuda.is_available():
        states["cuda"] = torch.cuda.get_rng_state()
    if torch.backends.mps.is_available():
        states["mps"] = torch.mps.get_rng_state()
    return states


def set_random_state(states: dict[str, torch.Tensor]) -> None:
    """Bring the random numbers back to where `random_state` found them."""
    torch.set_rng_state(states["cpu"])
    if "cuda" in states and torch.cuda.is_available():
        torch.cuda.set_rng_state(states["cuda"])
    if "mps" in states and torch.backends.mps.is_available():
        torch.mps.set_rng_state(states["mps"])


# ------------------------------------------------------------------ files


def save_checkpoint(path: Path, content: dict[str, Any]) -> None:
    """Write tensors, numbers and text to `path`, complete or not at all. Raises `OSError`."""
    buffer = io.BytesIO()
    torch.save(content, buffer)
    write_atomically(path, buffer.getvalue())


def load_checkpoint(path: Path, keys: set[str]) -> dict[str, Any]:
    """What `save_checkpoint` wrote, which must hold `keys`, in the processor's memory.

    Reads tensors, numbers and text only; nothing that the file contains is executed.
    Raises `CheckpointError` for a file that is damaged or holds anything else, and `OSError` for
    one that cannot be read.
    """
    check_ends(path)
    stored = path.read_bytes()
    try:
        if zipfile.ZipFile(io.BytesIO(stored)).testzip():  # torch looks at no checksum itself
            raise zipfile.BadZipFile("a checksum is wrong")
        content = torch.load(io.BytesIO(stored), map_location="cpu", weights_only=True)
        missing = keys - content.keys()
    except Exception as error:  # torch raises many kinds for a damaged file
        raise CheckpointError(f"{path} is damaged or no checkpoint; {ADVICE}") from error
    if missing:
        raise CheckpointError(f"{path} lacks {', '.join(sorted(missing))}; {ADVICE}")
    return content
