"""What one run of a study is, wherever it is carried out: here, in another process, elsewhere."""

import os
from importlib import import_module
from threading import Lock
from types import ModuleType
from typing import Any

from rnnbook import machine
from rnnbook.errors import BookError
from rnnbook.records.record import TRACE, code_digest

# Seeds and threads of PyTorch are those of a process: two threads of one take turns.
ALONE = Lock()


class StudyError(BookError):
    """A record cannot be made or confirmed. The message says why and what to do."""


def module(name: str) -> ModuleType:
    """The module of a study."""
    return import_module(f"rnnbook.studies.{name}")


def carry_out(name: str, run: str, code: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Carry out a run on the threads of its study. Returns what is recorded of it, and where.

    `code` is the digest of the study. Raises `StudyError` when the code here has another.
    """
    check(name, code)
    import torch  # here, as below, so that a digest can be had without waiting for it

    study = module(name)
    with ALONE:
        torch.set_num_threads(study.THREADS)
        begin = core_seconds()
        result = study.run(study.RUNS[run])
        seconds = round(core_seconds() - begin, 1)
    result["trace"] = [round(loss, 6) for loss in result["trace"][:TRACE]]
    return {"settings": study.RUNS[run], "seconds": seconds, **result}, facts(study)


def first_steps(name: str, run: str, code: str) -> tuple[list[float], dict[str, Any]]:
    """Make the trace of a run again. Returns it, and where; raises `StudyError` as `carry_out`."""
    check(name, code)
    return replay(name, run), facts(module(name))


def replay(name: str, run: str) -> list[float]:
    """The trace of a run, made again now, on the threads of its study."""
    import torch

    study = module(name)
    with ALONE:
        threads = torch.get_num_threads()
        torch.set_num_threads(study.THREADS)
        try:
            return study.run(study.RUNS[run], stop=TRACE)["trace"][:TRACE]
        finally:
            torch.set_num_threads(threads)


def check(name: str, code: str) -> None:
    """Raise `StudyError` when this process would carry out a study with other code."""
    if (here := code_digest(name)) != code:
        raise StudyError(
            f"a worker has other code of {name} ({here[:7]}, not {code[:7]}); "
            "let all have the same, and do not change it meanwhile"
        )


def core_seconds() -> float:
    """Seconds that the cores spent on this process and its children, without any waiting."""
    return sum(os.times()[:4])


def facts(study: ModuleType) -> dict[str, Any]:
    """What a record keeps of the machine of a run: its kind and its releases, not its name."""
    described: dict[str, Any] = {**machine.describe(), "threads": study.THREADS}
    del described["megabytes"]
    described["torch"] = described["torch"].split("+")[0]  # not which build
    return described
