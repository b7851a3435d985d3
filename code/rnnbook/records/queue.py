"""One queue of runs over all studies that are to be made, so that no core idles between two."""

from collections.abc import Callable, Generator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from dataclasses import dataclass
from math import inf
from typing import Any, NamedTuple

PATIENCE = 10  # seconds, then it is asked whether there are more workers now


class Task(NamedTuple):
    """A run of a study, on so many threads."""

    study: str
    run: str
    threads: int


@dataclass(frozen=True)
class Pool:
    """Who carries out runs.

    Attributes:
        executor: to which they are submitted.
        places: how many of them it can carry out at once, now.
        threads: how many threads they may have together; a wider run goes alone.
        died: what a run raises whose worker has died.
        tries: how often such a run is submitted.
    """

    executor: Executor
    places: Callable[[], int]
    threads: float = inf
    died: type[Exception] = BrokenExecutor
    tries: int = 2


class Queue:
    """Tasks, each with the arguments of a function that carries it out, on a pool."""

    def __init__(self, pool: Pool, function: Callable[..., Any], tasks: dict[Task, tuple]):
        # The widest first: behind the others each would have to wait until the cores are free.
        self.waiting = sorted(tasks, key=lambda task: -task.threads)
        self.running: dict[Future, Task] = {}
        self.pool, self.function, self.tasks = pool, function, tasks
        self.begun = dict.fromkeys(tasks, 0)

    def ended(self) -> Generator[tuple[Task, Future]]:
        """The tasks as they end. Closed before, it cancels what goes on, and what waits."""
        is_over = False
        try:
            while self._fill():
                wait(self.running, PATIENCE, FIRST_COMPLETED)
                for future in [one for one in self.running if one.done()]:  # in their order
                    task = self.running.pop(future)
                    if self._has_died(future) and self.begun[task] < self.pool.tries:
                        self.waiting.insert(0, task)
                    else:
                        yield task, future
            is_over = True
        finally:
            for future in self.running:
                future.cancel()
            self.pool.executor.shutdown(wait=is_over)

    def drop(self, study: str) -> None:
        """Let no other run of a study begin."""
        self.waiting = [task for task in self.waiting if task.study != study]

    def has(self, study: str) -> bool:
        """Whether a run of a study waits or goes on."""
        return any(task.study == study for task in [*self.waiting, *self.running.values()])

    def _fill(self) -> bool:
        """Begin as many tasks as there is room for. Returns whether any goes on."""
        places = self.pool.places()
        for task in list(self.waiting):
            if len(self.running) >= places:
                break
            taken = sum(one.threads for one in self.running.values())
            if not self.running or taken + task.threads <= self.pool.threads:
                self.waiting.remove(task)
                self.begun[task] += 1
                future = self.pool.executor.submit(self.function, *self.tasks[task])
                self.running[future] = task
        return bool(self.running)

    def _has_died(self, future: Future) -> bool:
        return not future.cancelled() and isinstance(future.exception(), self.pool.died)
