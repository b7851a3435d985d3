"""Studies carried out by processes of this machine and by a cluster: complete, clean, the same."""

import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Timer

import pytest

from built import ROOT
from rnnbook.records.cluster import cluster
from rnnbook.records.runs import StudyError
from waiting import PATIENCE, wait_until

SECONDS = PATIENCE / 1000
NARROW = '''"""Runs that leave a mark when they begin, and may be told to wait, or to die."""

import os
import time
from pathlib import Path

from rnnbook.progress import progress_bar

THREADS = 1
RUNS = {f"run {k}": {"k": k} for k in range(4)}
MARKS = Path(os.environ["MARKS"])


def run(settings, stop=None):
    import torch  # here, so that the command itself need not wait for it

    k = settings["k"]
    die = MARKS / f"die {k}"
    if die.exists():
        die.unlink()
        os._exit(1)
    list(progress_bar([k]))  # as trainings have one
    (MARKS / f"{os.getpid()} {k}").touch()
    while (MARKS / f"wait {k}").exists():
        time.sleep(0.01)
    torch.manual_seed(k)
    return {"found": torch.randn(3).tolist(), "threads": torch.get_num_threads(),
            "trace": torch.rand(30).tolist()}
'''
WIDE = NARROW.replace("THREADS = 1", "THREADS = 2").replace("range(4)", "range(2)")


class Book:
    """A copy of the library with two small studies, and the command that makes their records."""

    def __init__(self, folder: Path):
        ours = shutil.ignore_patterns("*.json", "__pycache__")
        self.package, self.marks = folder / "rnnbook", folder / "marks"
        shutil.copytree(ROOT / "code/rnnbook", self.package, ignore=ours)
        for name, text in (("narrow", NARROW), ("wide", WIDE)):
            (self.package / f"studies/{name}.py").write_text(text)
        self.marks.mkdir()
        self.environment = {**os.environ, "PYTHONPATH": str(folder), "MARKS": str(self.marks)}

    @contextmanager
    def begin(self, *arguments: str) -> Iterator[subprocess.Popen]:
        """The command, begun in a group of processes of its own, as in a terminal."""
        command = [sys.executable, "-m", "rnnbook", "study", *arguments]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        process = subprocess.Popen(command, env=self.environment, process_group=0, **pipes)
        end = Timer(SECONDS, process.kill)  # whatever happens, it ends
        end.start()
        try:
            with process:
                yield process
        finally:
            end.cancel()

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """Exit code, output and errors of the command."""
        with self.begin(*arguments) as process:
            out, err = process.communicate()
        return process.returncode, out, err

    def record(self, name: str) -> dict:
        """A record, without what depends on the clock."""
        path = self.package / f"records/{name}.json"
        text = path.read_text() if path.exists() else '{"runs": {}}'
        record = json.loads(re.sub(r'"date": "[-0-9]+"', '"date": ""', text))
        for run in record["runs"].values():
            del run["seconds"]
            if run.get("machine") == record["machine"]:  # but for the date
                del run["machine"]
        return record

    def forget(self) -> None:
        for path in [*self.package.glob("records/*.json"), *self.marks.iterdir()]:
            path.unlink()

    def workers(self) -> set[int]:
        """The processes that have begun a run."""
        return {int(path.name.split()[0]) for path in self.marks.glob("[0-9]*")}


def is_gone(process: int) -> bool:
    try:
        status = Path(f"/proc/{process}/stat").read_text() if Path("/proc/self").exists() else ""
        os.kill(process, 0)
    except (ProcessLookupError, FileNotFoundError):
        return True
    return status.rpartition(")")[2].split()[:1] == ["Z"]  # nobody has asked for its exit code


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    return Book(tmp_path_factory.mktemp("library"))


@pytest.fixture
def book(library):
    yield library
    library.forget()


@pytest.fixture(scope="module")
def alone(library):
    """The records of both studies, as one worker makes them."""
    assert library.run("narrow", "wide", "--workers", "1")[0] == 0
    assert len(library.workers()) == 1
    records = {name: library.record(name) for name in ("narrow", "wide")}
    assert [run["threads"] for run in records["wide"]["runs"].values()] == [2, 2]
    library.forget()
    return records


def test_two_workers_find_the_same_as_one(alone, book):
    for k in (2, 3):  # of the one study, at the end
        (book.marks / f"wait {k}").touch()
    with book.begin("narrow", "wide", "--workers", "2") as process:
        wait_until(lambda: len(list(book.marks.glob("[0-9]* [23]"))) == 2)
        for path in book.marks.glob("wait*"):
            path.unlink()
        out, err = process.communicate()
    assert (process.returncode, err) == (0, "") and out.count("the code is the same today") == 2
    assert {name: book.record(name) for name in alone} == alone
    assert len(book.workers()) == 2


def interrupted(book, how: Callable[[subprocess.Popen], None]) -> tuple[int, str, str]:
    """What the command says when it ends while it has found two runs, and two go on."""
    for k in (2, 3):
        (book.marks / f"wait {k}").touch()
    with book.begin("narrow", "--workers", "2") as process:
        wait_until(lambda: len(book.record("narrow")["runs"]) == 2)
        wait_until(lambda: len(list(book.marks.glob("[0-9]* [23]"))) == 2)
        how(process)
        out, err = process.communicate()
    workers = book.workers()
    assert len(workers) >= 2
    wait_until(lambda: all(map(is_gone, workers)))
    assert list(book.record("narrow")["runs"]) == ["run 0", "run 1"]
    for path in book.marks.glob("wait*"):
        path.unlink()
    return process.returncode, out, err


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="no groups of processes on this system")
def test_ctrl_c_leaves_no_process_keeps_what_was_found_and_says_so_in_one_line(alone, book):
    code, out, err = interrupted(book, lambda process: os.killpg(process.pid, signal.SIGINT))
    assert (code, out) == (130, "")
    assert err == "rnnbook: interrupted; what was found is kept, the same command goes on\n"
    book.marks.joinpath("0 0").touch()
    assert book.run("narrow", "--workers", "2")[0] == 0
    assert book.record("narrow") == alone["narrow"]
    assert len(list(book.marks.glob("* 0"))) == 2  # the mark above, and the first time


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="no groups of processes on this system")
def test_when_the_command_is_killed_its_workers_end(book):
    assert interrupted(book, lambda process: process.kill())[0] == -signal.SIGKILL


def test_a_worker_that_dies_costs_its_run_which_another_takes(alone, book):
    (book.marks / "die 2").touch()
    assert book.run("narrow", "--workers", "2")[0] == 0
    assert book.record("narrow") == alone["narrow"]


# ------------------------------------------------------------------ a cluster


@pytest.fixture
def scheduler(book):
    """The address of a scheduler with two workers, all on this machine."""
    if not importlib.util.find_spec("distributed"):
        reason = "no dask.distributed: no cluster was tried"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    command = [sys.executable, "-c", CLUSTER]
    with subprocess.Popen(
        command, env=book.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process.stdout.readline().strip()
        finally:
            process.communicate(timeout=SECONDS)  # it ends with its standard input


CLUSTER = """
from distributed import LocalCluster
here = {"host": "127.0.0.1", "dashboard_address": None, "silence_logs": 50}
with LocalCluster(n_workers=2, threads_per_worker=1, **here) as cluster:
    print(cluster.scheduler_address, flush=True)
    input()
"""


def test_a_cluster_finds_the_same_and_survives_the_death_of_a_worker(alone, book, scheduler):
    (book.marks / "die 2").touch()
    code, out, err = book.run("narrow", "wide", "--scheduler", scheduler)
    assert (code, err) == (0, "") and out.count("the code is the same today") == 2
    assert {name: book.record(name) for name in alone} == alone
    assert not (book.marks / "die 2").exists() and len(book.workers()) >= 2


@pytest.mark.parametrize("address", ["nonsense", "tcp://127.0.0.1", "tcp://127.0.0.1:x", ""])
def test_who_is_no_scheduler_is_refused(address):
    if not importlib.util.find_spec("distributed"):
        pytest.skip("no dask.distributed")
    what = f"no scheduler answers at {address!r}; expected is tcp://HOST:PORT"
    with pytest.raises(StudyError, match=re.escape(what)):
        cluster(address)


def test_without_the_package_a_cluster_is_refused(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(StudyError, match="a cluster needs distributed: pip install"):
        cluster("tcp://127.0.0.1:1")
