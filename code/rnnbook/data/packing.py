"""The book's own mirror: the files of all data sets as they are used, packed, with their licences.

`python -m rnnbook data --pack FOLDER` writes them. Put where RNNBOOK_MIRROR leads, they are asked
for before any other source. The same files are written each time, to the last bit.
"""

import gzip
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from rnnbook.data.emoji_names import emoji_names_file
from rnnbook.data.fetching.errors import DataError
from rnnbook.data.kanji import kanji_file
from rnnbook.data.mnist import SHA256, mnist_file
from rnnbook.data.names import names_file
from rnnbook.data.pictures import drawings_file
from rnnbook.data.shakespeare import rebuilt_file, reference_file
from rnnbook.data.speech import recordings_file
from rnnbook.files import write_atomically

LICENCES = "LICENCES.txt"


def pack(folder: Path) -> list[Path]:
    """Write all files into a folder, each packed by gzip, and their licences; return the paths.

    Left out is the reference text of Shakespeare where no mirror has it. Raises `DataError` when
    another one cannot be had, and `OSError` when the folder cannot be written.
    """
    packed = {f"{path.name}.gz": gzip.compress(path.read_bytes(), 9, mtime=0) for path in _files()}
    packed[LICENCES] = Path(__file__).with_name(LICENCES).read_bytes()
    for name, content in packed.items():
        write_atomically(folder / name, content)
    return [folder / name for name in packed]


def _files() -> Iterator[Path]:
    yield from map(mnist_file, SHA256)
    yield rebuilt_file()
    with suppress(DataError):  # `load_shakespeare` can do without it, too
        yield reference_file()
    yield from (names_file(), recordings_file(), drawings_file(), emoji_names_file(), kanji_file())
