"""A build that failed fails again, one that was killed begins anew, and two take turns.

After a build with warnings Sphinx keeps the pages that it has read, and would not read, or warn,
a second time. After one that was killed it takes pages that were never written for finished. So a
build leaves a mark until it has ended well, and where a build finds one, Sphinx is made to forget
what it has read. The execution cache stays. What has lost its end otherwise, as on a disk that was
full, is made again, too.
"""

import os
from pathlib import Path

from filelock import AcquireReturnProxy, FileLock, Timeout
from sphinx.application import ENV_PICKLE_FILENAME, Sphinx
from sphinx.config import Config
from sphinx.environment import BuildEnvironment
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
    expected = app.builder.name == "linkcheck" or app.config.bookbuild_chapter  # of what is missing
    if not error and (not app._warncount or expected):
        app.bookbuild_mark.unlink()
    app.bookbuild_turn.lock.release()


def _read_again(app: Sphinx, env: BuildEnvironment, added, changed, removed) -> list[str]:
    """The pages of which what Sphinx has kept is cut off: a pickle ends with a dot."""
    old = env.found_docs - added - changed - removed
    return [name for name in old if not _ends(Path(app.doctreedir, f"{name}.doctree"), b".")]


def _write_again(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """The pages that are cut off."""
    if app.builder.format != "html":
        return []
    pages = {name: Path(app.builder.get_outfilename(name)) for name in env.found_docs}
    return [name for name, page in pages.items() if not _ends(page, b"</html>")]


def _ends(file: Path, end: bytes) -> bool:
    """Whether a file ends as it should; one that is not there yet will be written in any case."""
    if not file.exists():
        return True
    with file.open("rb") as content:
        content.seek(-min(20, file.stat().st_size), os.SEEK_END)
        return content.read().rstrip().endswith(end)


def setup(app: Sphinx) -> None:
    app.connect("env-get-outdated", _read_again)
    app.connect("env-updated", _write_again)
    app.connect("config-inited", _begin)
    app.connect("build-finished", _end, priority=900)
