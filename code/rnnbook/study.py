"""Studies: experiments that merely count. They run once and are recorded; the chapters show them.

A study is a module of `rnnbook.studies` with

- THREADS, how many threads of PyTorch one run uses (the runs share the cores);
- RUNS, a dictionary from the name of each run to its settings;
- run(settings, stop=None), which carries one out and returns what is to be kept: numbers and
  lists of numbers, among them "trace", the loss of each step, of which the first TRACE are kept.
  With `stop` it ends after so many steps and need return no more than the trace.

The record, book/studies/NAME.json, holds the settings and results of every run, the seconds it
took, the machine, the date, and the digest of the code that made it. `python -m rnnbook study NAME`
makes it, and goes on where it was interrupted; a test runs the first steps of a run again and
compares.
"""

import ast
import hashlib
import json
import os
import sysconfig
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType
from typing import Any

import grimp
import torch

from rnnbook import machine
from rnnbook.files import write_atomically
from rnnbook.progress import progress_bar

RECORDS = Path(__file__).parents[2] / "book" / "studies"
if not RECORDS.exists():  # the package was installed without its repository, as in Colab
    RECORDS = Path(sysconfig.get_path("data"), "share", "rnnbook", "studies")
TRACE = 20  # steps


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
    """Two lines that say when, where and with which code a record was made."""
    where, count = record["machine"], len(record["runs"])
    same = record["code"] == code_digest(record["study"])
    minutes = sum(run["seconds"] for run in record["runs"].values()) / 60
    return (
        f"{count} run{'s' * (count != 1)}, {minutes:.0f} core-minutes, "
        f"recorded on {where['date']} "
        f"({where['processor']}, PyTorch {where['torch']});\n"
        + ("the code is the same today" if same else "THE CODE HAS CHANGED SINCE")
    )


@cache
def code_digest(name: str) -> str:
    """The digest of a study's module and of all modules of the book that it imports.

    Comments, docstrings and blank lines do not count.
    """
    module = f"rnnbook.studies.{name}"
    behind = grimp.build_graph("rnnbook", cache_dir=None).find_upstream_modules(module)
    sources = [
        Path(find_spec(name).origin).read_text("utf-8") for name in sorted(behind | {module})
    ]
    trees = "\n".join(ast.dump(_without_docstrings(ast.parse(source))) for source in sources)
    return hashlib.sha256(trees.encode()).hexdigest()[:16]


def _without_docstrings(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        documented = isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        if documented and ast.get_docstring(node) is not None:
            del node.body[0]
    return tree


def conduct(name: str, executor: Executor | None = None) -> dict[str, Any]:
    """Carry out the runs of a study that its record does not have yet, and return the record.

    A record made by other code, or with other settings, is begun anew. By default, as many runs
    go side by side, each in a process of its own, as the cores allow.
    """
    study = _module(name)
    record = _begin(name, study)
    left = [run for run in study.RUNS if run not in record["runs"]]
    workers = max(1, (os.cpu_count() or 1) // study.THREADS)
    with (
        executor or ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool,
        progress_bar(total=len(study.RUNS), initial=len(record["runs"]), unit="run") as bar,
    ):
        waiting = {pool.submit(_carry_out, name, run): run for run in left}
        try:
            for future in as_completed(waiting):
                record["runs"][waiting[future]] = future.result()
                _write(name, study, record)
                bar.update()
        except BaseException:  # what was not begun is not worth waiting for
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return record


def replay(name: str, run: str) -> list[float]:
    """The trace of a run, made again now."""
    study = _module(name)
    return study.run(study.RUNS[run], stop=TRACE)["trace"][:TRACE]


def _begin(name: str, study: ModuleType) -> dict[str, Any]:
    fresh = {"study": name, "code": code_digest(name), "machine": {}, "runs": {}}
    record = load(name) if _path(name).exists() else fresh
    same_settings = all(
        study.RUNS.get(run) == result["settings"] for run, result in record["runs"].items()
    )
    return record if record["code"] == fresh["code"] and same_settings else fresh


def _carry_out(name: str, run: str) -> dict[str, Any]:
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


def _write(name: str, study: ModuleType, record: dict[str, Any]) -> None:
    record["machine"] = {**machine.describe(), "threads": study.THREADS}
    del record["machine"]["megabytes"]
    record["machine"]["torch"] = record["machine"]["torch"].split("+")[0]  # not which build
    runs = record["runs"]
    record["runs"] = {run: runs[run] for run in study.RUNS if run in runs}  # in their order
    lines = [f"  {json.dumps(run)}: {json.dumps(result)}" for run, result in record["runs"].items()]
    head = json.dumps({key: record[key] for key in ("study", "code", "machine")})[:-1]
    content = f'{head}, "runs": {{\n' + ",\n".join(lines) + "\n}}\n"
    write_atomically(_path(name), content.encode())


def _path(name: str) -> Path:
    return RECORDS / f"{name}.json"


def _module(name: str) -> ModuleType:
    return import_module(f"rnnbook.studies.{name}")
