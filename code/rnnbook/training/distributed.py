"""Several processes that train one model: data-parallel, with PyTorch's own means.

`torchrun --nproc-per-node 2 -m rnnbook train …` starts the processes; `join` lets them find each
other. Each keeps the whole model and trains on its share of the rows of every batch; after the
backward pass PyTorch replaces every gradient with its mean over the processes, which is the
gradient of the whole batch. So one process and two do the same, up to rounding, and but for
dropout and noise, whose random numbers each process draws for itself, and for the batch
normalisation of `Captioner`, which each does with its own share. With one process, nothing here
does anything. Tested with two processes on one machine, on processors; with several GPUs or
machines, never. Left out: models that do not fit into one process.
"""

import os
import signal
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from rnnbook.errors import BookError
from rnnbook.training.batches import Batch, tree_map

ROWS = -2  # the dimension of a state, (…, B, H), that counts the sequences
SILENCE = timedelta(minutes=30)  # after which a process gives the others up
PATIENCE = 10  # seconds within which `torchrun` has noticed that a process has ended


class ProcessError(BookError):
    """The processes of a run cannot work together. The message says why and what to do."""


class ProcessEnded(ProcessError):
    """One of the other processes has ended before its time."""


@contextmanager
def join(device: str) -> Generator[None]:
    """Inside, this process works with those that `torchrun` has started with it, if there are any.

    Raises `ProcessEnded` when one of the others ends before its time, and `ProcessError` when they
    cannot work together.
    """
    if "LOCAL_RANK" not in os.environ:
        yield
        return
    _meet(device)
    signal.signal(signal.SIGTERM, _told_to_stop)
    try:
        yield
    except RuntimeError:
        # That another process has ended is no error of a type of its own where the processes
        # talk by gloo. `torchrun` knows: it tells all others to stop, and so raises `ProcessEnded`
        # here. If it does not, the error is one of this process.
        time.sleep(PATIENCE)
        raise
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # this process is about to end
        dist.destroy_process_group()


def _meet(device: str) -> None:
    """Find the other processes. Raises `ProcessError`."""
    if device == "mps":
        raise ProcessError(
            "several processes compute on cpu or on cuda, not on mps; give another --device, or "
            "start one process, without torchrun"
        )
    try:
        if device == "cuda":
            torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
        dist.init_process_group("nccl" if device == "cuda" else "gloo", timeout=SILENCE)
    except (ValueError, RuntimeError) as error:
        raise ProcessError(
            f"LOCAL_RANK is set, but the processes of the run do not meet ({error}); start them by "
            "torchrun, or unset LOCAL_RANK to train in one process"
        ) from error


def _told_to_stop(number: int, frame: Any) -> None:
    signal.signal(number, signal.SIG_IGN)  # once is enough
    raise ProcessEnded("another process of this run has ended")


def count() -> int:
    """How many processes train together."""
    return dist.get_world_size() if dist.is_initialized() else 1


def rank() -> int:
    """The number of this process among them, from 0."""
    return dist.get_rank() if dist.is_initialized() else 0


def is_first() -> bool:
    """Whether this process is the one that writes and prints."""
    return rank() == 0


def own_seed(seed: int) -> int:
    """A seed for each process; for the first, the one that is given."""
    return seed + 1_000_003 * rank()


def together(model: nn.Module) -> nn.Module:
    """The model, with gradients that are means over all processes."""
    return DistributedDataParallel(model) if count() > 1 else model


def mean(loss: Tensor) -> Tensor:
    """The mean of a number over all processes."""
    if count() == 1:
        return loss
    total = loss.clone()
    dist.all_reduce(total)
    return total / count()


def shard(batch: Batch) -> Batch:
    """The rows of a batch that this process trains on: always the same of those that go on.

    Raises `ProcessError` when they cannot be shared out evenly.
    """
    if count() == 1:
        return batch

    def rows(tensor: Tensor) -> Tensor:
        if len(tensor) % count():
            raise ProcessError(
                f"a batch of {len(tensor)} cannot be shared out evenly among {count()} processes"
            )
        return tensor.chunk(count())[rank()]

    return Batch(tree_map(rows, batch.x), tree_map(rows, batch.y), batch.continues)


def from_first(function: Callable[[], Any]) -> Any:
    """What a function returns in the first process, which alone calls it.

    When it raises an error there, the others end without a word.
    """
    if count() == 1:
        return function()
    answer = [None, False]
    try:
        if is_first():
            answer = [function(), True]
    finally:
        dist.broadcast_object_list(answer)
        if not (answer[1] or is_first()):
            raise SystemExit(2)
    return answer[0]


def gather(state: Any) -> Any:
    """The state of the whole batch, from the states (…, B, H) of the shares."""

    def whole(part: Tensor) -> Tensor:
        parts = [torch.empty_like(part) for _ in range(count())]
        dist.all_gather(parts, part.contiguous())
        return torch.cat(parts, dim=ROWS)

    return tree_map(whole, state) if count() > 1 else state


def gather_objects(thing: Any) -> list[Any]:
    """What each process has given, in their order."""
    if count() == 1:
        return [thing]
    things = [None] * count()
    dist.all_gather_object(things, thing)
    return things


def own_shard(state: Any) -> Any:
    """The part of the state of a whole batch that belongs to this process."""

    def part(whole: Tensor) -> Tensor:
        return whole.detach() if count() == 1 else whole.chunk(count(), dim=ROWS)[rank()].clone()

    return tree_map(part, state)
