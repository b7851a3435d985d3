"""Studies: experiments that merely count. They run once and are recorded; the chapters show them.

A study is a module of `rnnbook.studies` with

- THREADS, how many threads of PyTorch one run uses (the runs share the cores);
- RUNS, a dictionary from the name of each run to its settings;
- run(settings, stop=None), which carries one out and returns what is to be kept: numbers and
  lists of numbers, among them "trace", the loss of each step, of which the first TRACE are kept.
  With `stop` it ends after so many steps and need return no more than the trace.

The record, book/studies/NAME.json, holds the settings and results of every run, the seconds it
took, the machine, the date, and the digest of the code that made it. `python -m rnnbook study NAME`
makes it, and goes on where it was interrupted. When that code has been changed since, in a way that
should not matter, `--confirm` runs the first steps of every run again and compares their losses.
"""

import hashlib
import json
import math
import os
import sysconfig
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from importlib import import_module
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path
from pkgutil import iter_modules
from textwrap import fill
from types import ModuleType
from typing import Any

from rnnbook import definitions, machine
from rnnbook.files import write_atomically
from rnnbook.progress import progress_bar

RECORDS = Path(__file__).parents[2] / "book" / "studies"
if not RECORDS.exists():  # the package was installed without its repository, as in Colab
    RECORDS = Path(sysconfig.get_path("data"), "share", "rnnbook", "studies")
TRACE = 20  # steps
# 20 steps of float32: another processor may round otherwise, and the difference grows.
BOUND = 2e-3  # between two losses, as a share of the recorded one


class StudyError(ValueError):
    """A record cannot be confirmed. The message says why and what to do."""


def names() -> list[str]:
    """The names of all studies."""
    folders = find_spec("rnnbook.studies").submodule_search_locations
    return sorted(module.name for module in iter_modules(folders))


def load(name: str) -> dict[str, Any]:
    """The record of a study. Raises `FileNotFoundError` when it was never carried out."""
    return json.loads(_path(name).read_text("utf-8"))


def digest() -> str:
    """The digest of all records, on which the chapters that show one depend."""
    records = sorted(RECORDS.glob("*.json"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in records)).hexdigest()


def origin(record: dict[str, Any]) -> str:
    """Lines that say when, where and with which code a record was made, and confirmed."""
    where, count = record["machine"], len(record["runs"])
    minutes = sum(run["seconds"] for run in record["runs"].values()) / 60
    parts = [
        f"{count} run{'s' * (count != 1)}, {minutes:.0f} core-minutes, recorded on {where['date']} "
        f"({where['processor']}, PyTorch {where['torch']}) with code {record['code'][:7]}"
    ]
    if confirmed := record.get("confirmed"):
        parts.append(
            f"the first {TRACE} steps of every run made again, and confirmed, on "
            f"{confirmed['date']} with code {confirmed['code'][:7]}"
        )
    parts.append("the code is the same today" if is_current(record) else CHANGED)
    return fill("; ".join(parts), width=76, break_on_hyphens=False)


CHANGED = "THE CODE HAS CHANGED SINCE"


def is_current(record: dict[str, Any]) -> bool:
    """Whether the code of today has made or confirmed a record."""
    known = {record["code"], record.get("confirmed", {}).get("code")}
    return code_digest(record["study"]) in known


def code_digest(name: str) -> str:
    """The digest of all definitions that a run of a study reaches.

    The settings of the runs do not count: the record has them.
    """
    return definitions.code_digest(f"rnnbook.studies.{name}", ["run", "THREADS"])


def conduct(name: str, executor: Executor | None = None) -> dict[str, Any]:
    """Carry out the runs of a study that its record does not have yet, and return the record.

    A record made by other code, or with other settings, is begun anew. By default, as many runs
    go side by side, each in a process of its own, as the cores allow.
    """
    study = _module(name)
    record = _begin(name, study)
    left = [run for run in study.RUNS if run not in record["runs"]]
    code = code_digest(name)
    added = {} if code == record["code"] else {"code": code}  # to a record that was confirmed
    for run, result in _side_by_side(_carry_out, name, left, study.THREADS, executor):
        record["runs"][run] = {**result, **added}
        record["machine"] = _machine(study)
        _write(name, study, record)
    return record


def confirm(name: str, executor: Executor | None = None) -> dict[str, Any]:
    """Run the first steps of every run of a record again, and note in it that they agree.

    The record keeps its results and what it was made with. Raises `StudyError`, and changes
    nothing, when a run is missing or one loss differs by more than BOUND.
    """
    study, record = _module(name), load(name)
    if {run: result["settings"] for run, result in record["runs"].items()} != study.RUNS:
        raise StudyError(
            f"the record of {name} does not have the runs of today; make it: study {name}"
        )
    for run, trace in _side_by_side(replay, name, list(study.RUNS), study.THREADS, executor):
        if difference := first_difference(record["runs"][run]["trace"], trace):
            raise StudyError(
                f"{name} is not confirmed: {run}, {difference}; the record is as it was"
            )
    record["confirmed"] = {**_machine(study), "code": code_digest(name)}
    _write(name, study, record)
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
    import torch

    study = _module(name)
    threads = torch.get_num_threads()
    torch.set_num_threads(study.THREADS)
    try:
        return study.run(study.RUNS[run], stop=TRACE)["trace"][:TRACE]
    finally:
        torch.set_num_threads(threads)


def _side_by_side(
    task: Callable[[str, str], Any],
    name: str,
    runs: list[str],
    threads: int,
    executor: Executor | None,
) -> Iterator[tuple[str, Any]]:
    """Each run and what `task` returns for it, as they end; as many at once as cores allow."""
    workers = max(1, (os.cpu_count() or 1) // threads)
    with (
        executor or ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool,
        progress_bar(total=len(runs), unit="run") as bar,
    ):
        waiting = {pool.submit(task, name, run): run for run in runs}
        try:
            for future in as_completed(waiting):
                yield waiting[future], future.result()
                bar.update()
        except BaseException:  # what was not begun is not worth waiting for
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _begin(name: str, study: ModuleType) -> dict[str, Any]:
    fresh = {"study": name, "code": code_digest(name), "machine": {}, "runs": {}}
    record = load(name) if _path(name).exists() else fresh
    same_settings = all(
        study.RUNS.get(run) == result["settings"] for run, result in record["runs"].items()
    )
    return record if is_current(record) and same_settings else fresh


def _carry_out(name: str, run: str) -> dict[str, Any]:
    import torch  # here, so that a digest can be had without waiting for it

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
    described = {**machine.describe(), "threads": study.THREADS}
    del described["megabytes"]
    described["torch"] = described["torch"].split("+")[0]  # not which build
    return described


def _write(name: str, study: ModuleType, record: dict[str, Any]) -> None:
    runs = record["runs"]
    record["runs"] = {run: runs[run] for run in study.RUNS if run in runs}  # in their order
    lines = [f"  {json.dumps(run)}: {json.dumps(result)}" for run, result in record["runs"].items()]
    head = json.dumps({key: value for key, value in record.items() if key != "runs"})[:-1]
    content = f'{head}, "runs": {{\n' + ",\n".join(lines) + "\n}}\n"
    write_atomically(_path(name), content.encode())


def _path(name: str) -> Path:
    return RECORDS / f"{name}.json"


def _module(name: str) -> ModuleType:
    return import_module(f"rnnbook.studies.{name}")
