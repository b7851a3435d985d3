"""Runs the chapters that are not in the cache of executions, before Sphinx reads them from it.

They run side by side, as many at once as there are cores, and memory for; each gets its share of
the threads. A chapter that measures time runs alone, after the others: `bookbuild: {alone: true}`
in its front matter. The longest begin first: `seconds` there says about how long it takes.

Sphinx's own way, reading pages in several processes, is not used, since the cache loses records
when two processes write to it. Here kernels are processes already, threads wait for them, and
the main thread alone writes.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import psutil
from jupyter_cache import get_cache
from jupyter_cache.base import JupyterCacheAbstract
from nbclient import NotebookClient
from nbformat import NotebookNode
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError
from sphinx.util import logging
from traitlets.config import Config

from bookbuild import cache, published
from bookbuild.store import RESULTS, is_kept, keep, key
from rnnbook import machine

logger = logging.getLogger(__name__)

MEMORY = 2e9  # bytes that a chapter may need
EVERY = 15  # seconds: how often we say at which cells the chapters are, if none ends
# What a kernel and its client say to each other is encrypted where the kernel can do that: from its
# release 7.3 on ipykernel warns on standard error if it is not.
ENCRYPTED = Config({"KernelManager": {"transport_encryption": "auto"}})


@dataclass
class Chapter:
    """A chapter that is to be executed."""

    name: str
    path: Path
    notebook: NotebookNode
    client: NotebookClient | None = None
    at: str = "starting"  # or the cell that it is at
    seconds: float = 0.0  # that its execution took
    results: bytes | None = None  # of its trainings
    killed: bool = False

    @property
    def wishes(self) -> dict:
        """What its front matter says to us."""
        return self.notebook.metadata.get("bookbuild", {})

    def run(self, config, threads: int) -> None:
        """Execute the chapter in a kernel of its own. Raises what a cell raises, or nbclient."""
        logger.info("%s: executing", self.name)
        begin = perf_counter()
        self.client = NotebookClient(
            self.notebook,
            config=ENCRYPTED,
            timeout=config.execution_timeout,
            allow_errors=config.execution_allow_errors,
            coalesce_streams=True,  # a line that was sent in two parts stays one line
            shutdown_kernel="immediate",  # one that is let end may complain of closed sockets
            record_timing=False,  # what it adds to a cell would count as another cell
            resources={"metadata": {"path": str(self.path.parent)}},
            on_cell_start=self._note,
        )
        settings = {"OMP_NUM_THREADS": str(threads), "RNNBOOK_BUILD": "1"}  # no progress bars
        with TemporaryDirectory() as folder:
            results = Path(folder, RESULTS)
            settings["RNNBOOK_RESULTS"] = str(results)
            self.client.execute(env={**os.environ, **settings})
            self.results = results.read_bytes() if results.exists() else None
        self.seconds = perf_counter() - begin

    def _note(self, cell: NotebookNode, cell_index: int) -> None:
        if self.killed:  # before its kernel was there
            raise InterruptedError(self.name)
        self.at = f"cell {cell_index + 1} of {len(self.notebook.cells)}"

    def kill(self) -> None:
        """End its kernel, so that nobody waits for it."""
        self.killed = True
        with suppress(AttributeError):  # none is running
            self.client.km.provisioner.process.kill()  # pyrefly: ignore[missing-attribute]


def execute(chapters: list[Chapter], config, store: JupyterCacheAbstract) -> dict[str, str]:
    """Execute chapters and put the sound ones into `store`. Returns the failures of the others."""
    failures, ended = {}, 0
    chapters = sorted(chapters, key=lambda chapter: -chapter.wishes.get("seconds", 0))
    for alone, most in ((False, places()), (True, 1)):
        group = [chapter for chapter in chapters if chapter.wishes.get("alone", False) == alone]
        for chapter, future in _side_by_side(group, min(most, len(group)) or 1, config):
            if error := future.exception():
                failures[chapter.name] = str(error)
            else:
                keep(store, chapter.notebook, chapter.seconds, chapter.results)
            ended += 1
            outcome = "failed" if error else f"executed in {chapter.seconds:.0f} s"
            logger.info("%s: %s (%d of %d)", chapter.name, outcome, ended, len(chapters))
    return failures


def places() -> int:
    """How many chapters can run at once on this machine; BOOKBUILD_JOBS, if set, is the most."""
    wanted = int(os.environ.get("BOOKBUILD_JOBS", machine.cores()))
    return max(1, min(wanted, machine.cores(), int(psutil.virtual_memory().available / MEMORY)))


def _side_by_side(chapters: list[Chapter], jobs: int, config) -> Iterator[tuple[Chapter, Future]]:
    """Each chapter with its outcome, as they end. When we are interrupted, all are."""
    threads = max(1, machine.cores() // jobs)
    pool = ThreadPoolExecutor(jobs)
    waiting = {pool.submit(chapter.run, config, threads): chapter for chapter in chapters}
    try:
        while waiting:
            ended, _ = wait(waiting, timeout=EVERY, return_when=FIRST_COMPLETED)
            for future in ended:
                yield waiting.pop(future), future
            if not ended:
                running = [chapter for future, chapter in waiting.items() if future.running()]
                logger.info("; ".join(f"{chapter.name} {chapter.at}" for chapter in running))
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        for chapter in chapters:
            chapter.kill()
        raise
    pool.shutdown()


# ------------------------------------------------------------------ in Sphinx


def _execute_stale(app: Sphinx, env: BuildEnvironment, names: list[str]) -> None:
    config = env.mystnb_config
    store = get_cache(config.execution_cache_path)
    stale = []
    for name in names:
        if notebook := cache.notebook(app, name):
            app.bookbuild_keys[name] = key(store, notebook)
            if not is_kept(store, notebook):
                stale.append(Chapter(name, Path(env.doc2path(name)), notebook))
    if app.config.bookbuild_chapter:
        others = [chapter for chapter in stale if chapter.name != app.config.bookbuild_chapter]
        config.execution_excludepatterns = [f"{chapter.name}.md" for chapter in others]
        stale = [chapter for chapter in stale if chapter not in others]
    taken = published.take(app, {chapter.name: chapter.notebook for chapter in stale}, store)
    stale = [chapter for chapter in stale if chapter.name not in taken]
    if len(stale) > 1:  # or a chapter that waited for another's data would say so in its output
        logger.info("fetching the data, as far as they are not here yet")
        if subprocess.run([sys.executable, "-m", app.config.bookbuild_package, "data"]).returncode:
            raise ExtensionError("the data that the chapters need cannot be had")
    failures = app.bookbuild_failed = execute(stale, config, store)
    app.bookbuild_executed = {chapter.name for chapter in stale} - failures.keys()
    for name, trace in failures.items():
        logger.error("%s: executing it failed\n%s", env.doc2path(name), trace)
    if failures:
        raise ExtensionError(f"executing failed: {', '.join(failures)}")


def setup(app: Sphinx) -> None:
    app.bookbuild_executed, app.bookbuild_failed = set(), {}
    app.connect("env-before-read-docs", _execute_stale)
