"""Makes the records of studies, and confirms them. `rnnbook.studies` says what a study is."""

from collections.abc import Generator, Sequence
from concurrent.futures import CancelledError, Future
from contextlib import AbstractContextManager, ExitStack, closing
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, NamedTuple

from filelock import FileLock, Timeout

from rnnbook.progress import progress_bar
from rnnbook.records.jobs import Confirming, Making
from rnnbook.records.queue import Pool, Queue, Task
from rnnbook.records.record import Record, path_of
from rnnbook.records.runs import StudyError


class Outcome(NamedTuple):
    """What became of a study: its record, or the error for which there is none."""

    name: str
    record: Record | None = None
    error: Exception | None = None


def names() -> list[str]:
    """The names of all studies."""
    folders = import_module("rnnbook.studies").__path__
    return sorted(module.name for module in iter_modules(folders) if not module.ispkg)


def conduct(names: Sequence[str], pool: Pool) -> Generator[Outcome]:
    """Carry out the runs of studies that their records do not have yet; each study as it ends.

    When a run fails, no other of its study begins; what those that have begun find is kept, and
    the other studies go on. The error of an outcome is a `StudyError` when the record was made by
    other code or with other settings, when another process makes it, when a run needs a package
    that is not installed, and when its worker died; any other is what a run has raised.
    """
    return _work(Making, names, pool)


def confirm(names: Sequence[str], pool: Pool) -> Generator[Outcome]:
    """Run the first steps of every run of records again, and note in them that they agree.

    The records keep their results and what they were made with. The error of an outcome is a
    `Difference`, and its record is as it was, when one loss differs by more than BOUND; a
    `StudyError` when a run is missing, and as for `conduct`.
    """
    return _work(Confirming, names, pool)


def _work(kind: type, names: Sequence[str], pool: Pool) -> Generator[Outcome]:
    """What became of each study, as soon as no run of it waits or goes on."""
    with ExitStack() as held:
        jobs, errors = {}, {}
        for name in names:
            try:
                held.enter_context(_locked(name))
                jobs[name] = kind(name)
            except StudyError as error:
                yield Outcome(name, error=error)
        queue = Queue(pool, kind.function, _tasks(jobs))
        ended = held.enter_context(closing(queue.ended()))
        bar = held.enter_context(progress_bar(total=len(queue.tasks), unit="run"))
        yield from (Outcome(name, job.end()) for name, job in jobs.items() if not job.left)
        for task, future in ended:
            name = task.study
            try:
                jobs[name].take(task.run, *_found(task, future, pool.died))
            except Exception as error:
                errors.setdefault(name, error)
                queue.drop(name)
            bar.set_description(name, refresh=False)
            bar.update()
            if not queue.has(name):
                error = errors.get(name)
                yield Outcome(name, None if error else jobs[name].end(), error)


def _tasks(jobs: dict[str, Any]) -> dict[Task, tuple[str, str, str]]:
    """What is to be done, and with which arguments."""
    return {
        Task(name, run, job.study.THREADS): (name, run, job.code)
        for name, job in jobs.items()
        for run in job.left
    }


def _found(task: Task, future: Future, died: type[Exception]) -> Any:
    """What a task has found. Raises its error, where it can be explained as a `StudyError`."""
    try:
        return future.result()
    except ModuleNotFoundError as error:
        package = (error.name or "what is not installed").split(".")[0]
        raise StudyError(f"{task.study} needs {package}: pip install {package}") from error
    except died as error:
        what = f"{task.run}: its worker died again and again; has it enough memory?"
        raise StudyError(what) from error
    except CancelledError as error:
        raise StudyError(f"{task.run}: the cluster was lost") from error


def _locked(name: str) -> AbstractContextManager:
    """The lock on a record, held by this process."""
    try:
        return FileLock(f"{path_of(name)}.lock").acquire(timeout=0)
    except Timeout as error:
        what = f"another process makes or confirms the record of {name}; wait until it is done"
        raise StudyError(what) from error
