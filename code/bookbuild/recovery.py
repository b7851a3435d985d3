"""A build that failed fails again, one that was killed begins anew, and two take turns.

After a build with warnings Sphinx keeps the pages that it has read, and would not read, or warn,
a second time. After one that was killed it takes pages that were never written for finished. So it
is made to forget them; the execution cache stays.
"""

from pathlib import Path

from filelock import FileLock, Timeout
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util import logging

logger = logging.getLogger(__name__)


def turn(folder: Path) -> FileLock:
    """Wait for another build in a folder to end, and keep others waiting while this is kept.

    The lock of a process that ends in whatever way is free.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / ".turn", is_singleton=True)
    try:
        return lock.acquire(timeout=0).lock
    except Timeout:
        logger.info("waiting for another build in %s to end", folder)
        return lock.acquire().lock


def _begin(app: Sphinx, config: Config) -> None:
    cache = config.nb_execution_cache_path
    app.bookbuild_turn = turn(Path(cache).parent if cache else app.outdir.parent)
    app.bookbuild_unfinished = Path(app.doctreedir, "unfinished")
    if app.bookbuild_unfinished.exists():
        _forget(app)
    app.bookbuild_unfinished.parent.mkdir(parents=True, exist_ok=True)
    app.bookbuild_unfinished.touch()


def _end(app: Sphinx, error: Exception | None) -> None:
    if error or app._warncount:
        _forget(app)
    app.bookbuild_unfinished.unlink(missing_ok=True)
    app.bookbuild_turn.release()


def _forget(app: Sphinx) -> None:
    Path(app.doctreedir, "environment.pickle").unlink(missing_ok=True)


def setup(app: Sphinx) -> None:
    app.connect("config-inited", _begin)
    app.connect("build-finished", _end, priority=900)
