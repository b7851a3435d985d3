"""Makes the records of studies, and confirms them. `rnnbook.studies` says what a study is."""

import math
import os
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, ProcessPoolExecutor, wait
from contextlib import AbstractContextManager
from importlib import import_module
from multiprocessing import get_context
from pkgutil import iter_modules
from types import ModuleType
from typing import Any

from filelock import FileLock, Timeout

from rnnbook import machine
from rnnbook.errors import BookError
from rnnbook.progress import progress_bar
from rnnbook.records.record import TRACE, Record, code_digest, path_of

# 20 steps of float32: another processor may round otherwise, and the difference grows.
BOUND = 2e-3  # between two losses, as a share of the recorded one


class StudyError(BookError):
    """A record cannot be made or confirmed. The message says why and what to do."""


def names() -> list[str]:
    """The names of all studies."""
    folders = import_module("rnnbook.studies").__path__
    return sorted(module.name for module in iter_modules(folders))


def conduct(name: str, executor: Executor | None = None) -> Record:
    """Carry out the runs of a study that its record does not have yet, and return the record.

    By default, as many runs go side by side, each in a process of its own, as the cores allow.
    When one fails, no other begins, and what those that have begun find is kept.
    Raises `StudyError` when the record was made by other code or with other settings, when another
    process makes it, and when a run needs a package that is not installed.
    """
    study = _module(name)
    with _locked(name):
        record, code = _begin(name, study), code_digest(name)
        left = [run for run in study.RUNS if run not in record.runs]
        for run, result in _side_by_side(_carry_out, name, left, study.THREADS, executor):
            record.add(run, result, _machine(study), code)
            record.runs = {run: record.runs[run] for run in study.RUNS if run in record.runs}
            record.write()
        return record


def confirm(name: str, executor: Executor | None = None) -> Record:
    """Run the first steps of every run of a record again, and note in it that they agree.

    The record keeps its results and what it was made with. Raises `StudyError`, and changes
    nothing, when a run is missing or one loss differs by more than BOUND; and as `conduct` does.
    """
    study = _module(name)
    with _locked(name):
        if not path_of(name).exists():
            raise StudyError(f"{name} has no record; make it: study {name}")
        record = Record.load(name)
        if {run: result["settings"] for run, result in record.runs.items()} != study.RUNS:
            raise StudyError(
                f"the record of {name} does not have the runs of today; make it: study {name}"
            )
        code = code_digest(name)
        for run, trace in _side_by_side(replay, name, list(study.RUNS), study.THREADS, executor):
            if difference := first_difference(record.runs[run]["trace"], trace):
                raise StudyError(
                    f"{name} is not confirmed: {run}, {difference}; the record is as it was"
                )
        record.confirmed = {**_machine(study), "code": code}
        record.write()
        return record


def first_difference(recorded: list[float], again: list[float]) -> str | None:
    """Where two traces differ by more than BOUND; None where they agree."""
    if len(recorded) != len(again):
        return f"{len(again)} steps instead of {len(recorded)}"
    for step, (old, new) in enumerate(zip(recorded, again, strict=True), 1):
        if not math.isclose(old, new, rel_tol=BOUND):
            return f"step {step}: the loss was {old:g} and is {new:g}"
    return None


def replay(name: str, run: str) -> list[float]:
    """The trace of a run, made again now, on the threads of its study."""
    import torch  # here, as below, so that a digest can be had without waiting for it

    study = _module(name)
    threads = torch.get_num_threads()
    torch.set_num_threads(study.THREADS)
    try:
        return study.run(study.RUNS[run], stop=TRACE)["trace"][:TRACE]
    finally:
        torch.set_num_threads(threads)


def _locked(name: str) -> AbstractContextManager:
    """The lock on a record, held by this process."""
    try:
        return FileLock(f"{path_of(name)}.lock").acquire(timeout=0)
    except Timeout as error:
        what = f"another process makes or confirms the record of {name}; wait until it is done"
        raise StudyError(what) from error


def _side_by_side(
    task: Callable[[str, str], Any],
    name: str,
    runs: list[str],
    threads: int,
    executor: Executor | None,
) -> Iterator[tuple[str, Any]]:
    """Each run and what `task` returns for it, as they end; as many at once as cores allow."""
    workers = max(1, machine.cores() // threads)
    with (
        executor or ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool,
        progress_bar(total=len(runs), unit="run") as bar,
    ):
        left, running, failed = list(runs), {}, None
        try:
            while running or (left and not failed):
                while left and not failed and len(running) < workers:
                    run = left.pop(0)
                    running[pool.submit(task, name, run)] = run
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    run = running.pop(future)
                    if isinstance(error := future.exception(), Exception):
                        failed = failed or error  # the others go on to their ends
                    else:
                        yield run, future.result()
                        bar.update()
        except BaseException:  # Ctrl-C, say
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    if isinstance(failed, ModuleNotFoundError):
        package = (failed.name or "what is not installed").split(".")[0]
        raise StudyError(f"{name} needs {package}: pip install {package}") from failed
    if failed:
        raise failed


def _begin(name: str, study: ModuleType) -> Record:
    """The record so far, an empty one if there is none."""
    if not path_of(name).exists():
        return Record(name)
    record = Record.load(name)
    if any(study.RUNS.get(run) != result["settings"] for run, result in record.runs.items()):
        raise StudyError(
            f"a run of {name} has other settings now; to begin anew, delete its record"
        )
    if not record.is_current():
        raise StudyError(
            f"the code of {name} has changed; confirm its record (study {name} --confirm) or, "
            "to begin anew, delete it"
        )
    return record


def _carry_out(name: str, run: str) -> dict[str, Any]:
    import torch

    study = _module(name)
    torch.set_num_threads(study.THREADS)
    begin = _core_seconds()
    result = study.run(study.RUNS[run])
    seconds = round(_core_seconds() - begin, 1)
    result["trace"] = [round(loss, 6) for loss in result["trace"][:TRACE]]
    return {"settings": study.RUNS[run], "seconds": seconds, **result}


def _core_seconds() -> float:
    """Seconds that the cores spent on this process and its children, without any waiting."""
    return sum(os.times()[:4])


def _machine(study: ModuleType) -> dict[str, Any]:
    described: dict[str, Any] = {**machine.describe(), "threads": study.THREADS}
    del described["megabytes"]
    described["torch"] = described["torch"].split("+")[0]  # not which build
    return described


def _module(name: str) -> ModuleType:
    return import_module(f"rnnbook.studies.{name}")
