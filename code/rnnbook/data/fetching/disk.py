"""Unpacking what is larger than memory should hold, onto the disk and only for a while."""

import errno
import lzma
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from typing import BinaryIO

from rnnbook.data.fetching.cache import cache_folder
from rnnbook.progress import progress_bar

CHUNK = 1 << 20  # bytes that are unpacked at once


def check_room(size: int) -> None:
    """Raise `OSError` where the disk of the cache folder has less than `size` bytes left.

    It is raised before anything is written. The folder is made if it does not exist.
    """
    folder = cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free
    if free < size:
        needed = f"{size / 1e6:,.0f} MB are needed for a minute, {free / 1e6:,.0f} MB are free"
        raise OSError(errno.ENOSPC, needed)


@contextmanager
def unpacked_xz(packed: BinaryIO, name: str, size: int) -> Generator[Path]:
    """The path of a file with the `size` bytes that are packed (xz), while the block lasts.

    The file is in the cache folder. It is removed afterwards, whatever happens; and if the
    process is killed, by the next one that fetches `name` (`rnnbook.files.remove_parts`).
    Raises `OSError` when the disk is full.
    """
    check_room(size)
    path = cache_folder() / f"{name}.{token_hex(8)}.part"
    try:
        _unpack(packed, path, size)
        yield path
    finally:
        path.unlink(missing_ok=True)


def _unpack(packed: BinaryIO, path: Path, size: int) -> None:
    with (
        lzma.open(packed) as file,
        open(path, "xb") as out,
        progress_bar(total=size, desc="unpacking", unit="B", unit_scale=True) as bar,
    ):
        while chunk := file.read(CHUNK):
            out.write(chunk)
            bar.update(len(chunk))
