"""What is borne of a server, for every source."""

from dataclasses import dataclass

from rnnbook.data.fetching.errors import SourceError

SILENCE = 10.0  # seconds
SECONDS = 300.0  # for one answer
LARGEST = 64_000_000  # bytes; the largest file of the book has 54 million


@dataclass(frozen=True)
class Limits:
    """The longest silence and the longest answer in seconds, the largest answer in bytes.

    What is packed may have as many bytes before it is unpacked, and as many afterwards.
    """

    silence: float = SILENCE
    seconds: float = SECONDS
    largest: int = LARGEST

    def check_size(self, content: bytes | bytearray) -> None:
        """Raise `SourceError` for what is too large."""
        if len(content) > self.largest:
            raise SourceError(f"sent more than {self.largest:,} bytes, which no file of ours has")


USUAL = Limits()
