"""A build that failed fails again, one that was killed begins anew, and two take turns.

After a build with warnings Sphinx keeps the pages that it has read, and would not read, or warn,
a second time. After one that was killed it takes pages that were never written for finished. So a
build leaves a mark until it has ended well, and where a build finds one, Sphinx is made to forget
what it has read. The execution cache stays.
"""

from pathlib import Path

from filelock import AcquireReturnProxy, FileLock, Timeout
from sphinx.application import ENV_PICKLE_FILENAME, Sphinx
from sphinx.config import Config
from sphinx.util import logging

logger = logging.getLogger(__name__)


def turn(folder: Path) -> AcquireReturnProxy:
    """Wait for another build in a folder to end, and keep others waiting until the end of `with`.

    The lock of a process that ends in whatever way is free.
    """
    lock = FileLock(folder / ".turn", is_singleton=True)
    try:
        return lock.acquire(timeout=0)
    except Timeout:
        logger.info("waiting for another build in %s to end", folder)
        return lock.acquire()


def _begin(app: Sphinx, config: Config) -> None:
    app.bookbuild_turn = turn(app.outdir.parent)
    app.bookbuild_mark = app.outdir.parent / "unfinished"
    if app.bookbuild_mark.exists():
        Path(app.doctreedir, ENV_PICKLE_FILENAME).unlink(missing_ok=True)
    app.bookbuild_mark.touch()


def _end(app: Sphinx, error: Exception | None) -> None:
    if not error and (not app._warncount or app.builder.name == "linkcheck"):  # of broken links
        app.bookbuild_mark.unlink()
    app.bookbuild_turn.lock.release()


def setup(app: Sphinx) -> None:
    app.connect("config-inited", _begin)
    app.connect("build-finished", _end, priority=900)
