"""Processes on this machine that carry out runs, and that end with the one that began them."""

import os
import signal
from collections.abc import Callable, Generator
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from threading import RLock, Thread
from typing import Any

from tqdm import tqdm

from rnnbook import machine
from rnnbook.records.queue import Pool


def processes(number: int) -> Pool:
    """A pool of so many processes, whose runs do not have more threads than there are cores."""
    return Pool(Processes(), lambda: number, max(number, machine.cores()))


class Processes(Executor):
    """As many processes as calls go on at once. If one dies, it takes one call along, no more."""

    def __init__(self):
        self.workers: list[Worker] = []

    def submit(self, function: Callable[..., Any], /, *arguments: Any) -> Future:
        """Let a process that has nothing to do call a function; a new one, if there is none."""
        for worker in [worker for worker in self.workers if worker.is_dead()]:
            worker.end()
            self.workers.remove(worker)
        worker = next((worker for worker in self.workers if worker.is_free()), None)
        if not worker:
            self.workers.append(worker := Worker())
        return worker.submit(function, *arguments)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End all processes; with `wait`, when they have done what they were given."""
        for worker in self.workers:
            worker.pool.shutdown() if wait else worker.end()


class Worker:
    """One process. It ends when this one does, however that ends, or closes its side of a pipe."""

    def __init__(self):
        context = get_context("spawn")
        self.theirs, self.ours = context.Pipe(duplex=False)
        self.pool = ProcessPoolExecutor(1, context, _obey, (self.theirs,))
        self.call: Future | None = None  # what it was given

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future:
        with _without_interruption():  # before it has left our group (`_obey`)
            self.call = self.pool.submit(function, *arguments)
        return self.call

    def is_free(self) -> bool:
        return self.call is None or self.call.done()

    def is_dead(self) -> bool:
        return (
            self.is_free() and bool(self.call) and isinstance(self.call.exception(), BrokenExecutor)
        )

    def end(self) -> None:
        """End the process at once."""
        self.ours.close()
        self.pool.shutdown()


def _obey(parent: Connection) -> None:
    """Prepare a process: Ctrl-C is for the one that began it, with which it will end."""
    if hasattr(os, "setpgrp"):
        os.setpgrp()
    tqdm.set_lock(RLock())  # its own would be found, and complained of, when this process is killed
    Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: Connection) -> None:
    """Wait until the other side of a pipe is closed; then end this process and all it has begun."""
    try:
        parent.recv()
    except (EOFError, OSError):
        if hasattr(os, "killpg"):
            os.killpg(0, signal.SIGKILL)
        os._exit(1)


@contextmanager
def _without_interruption() -> Generator[None]:
    """Let Ctrl-C wait; processes that are begun meanwhile never hear of it."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
