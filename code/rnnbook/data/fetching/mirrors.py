"""Files at an address of their own: public mirrors, and the mirror of the book."""

import gzip
import io
import os
import zlib
from dataclasses import dataclass

from rnnbook.data.fetching.errors import SourceError
from rnnbook.data.fetching.limits import USUAL, Limits


@dataclass(frozen=True)
class Mirror:
    """A file at an address; where the address ends in `.gz`, it is unpacked."""

    address: str
    limits: Limits = USUAL

    def __str__(self) -> str:
        return self.address

    def fetch(self) -> bytes:
        from rnnbook.data.fetching.client import get  # here, since it takes a third of a second

        content = get(self.address, self.limits)
        return self._unpacked(content) if self.address.endswith(".gz") else content

    def _unpacked(self, content: bytes) -> bytes:
        try:
            content = gzip.GzipFile(fileobj=io.BytesIO(content)).read(self.limits.largest + 1)
        except (OSError, EOFError, zlib.error) as error:
            raise SourceError(f"cannot be unpacked: {error}") from error
        self.limits.check_size(content)
        return content


def own_mirror(name: str) -> list[Mirror]:
    """The book's own mirror of a file: none, or the one in the folder that RNNBOOK_MIRROR names.

    It holds what `python -m rnnbook data --pack` writes, such as the files of a release on GitHub:
    https://github.com/OWNER/REPOSITORY/releases/download/data
    """
    folder = os.environ.get("RNNBOOK_MIRROR", "").rstrip("/")
    return [Mirror(f"{folder}/{name}.gz")] if folder else []
