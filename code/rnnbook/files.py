"""Writing a file so that it is there complete, or not at all, and reading only what ends."""

import errno
import glob
import os
import re
from pathlib import Path
from secrets import token_hex


def write_atomically(path: Path, content: bytes) -> None:
    """Write `content` beside `path`, then move it into place.

    A reader of `path` sees the old file or the new one, never a part of it, however many write
    it at once. If writing fails, the partial file is removed and the `OSError`, which names a file,
    is raised again.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = _part_of(path)
    try:
        with open(part, "xb") as file:  # x: not through a link that lies there
            file.write(content)
            file.flush()
            os.fsync(file.fileno())  # or a crash of the machine could leave an empty file
        os.replace(part, path)
    except BaseException as error:  # Ctrl-C, too
        part.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename is None:  # as where the disk is full
            error.filename = str(path)
        raise


def check_writable(path: Path) -> None:
    """Raise `OSError` where `write_atomically` could not write `path`, if only for its long name.

    Makes the folder of `path`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = _part_of(path)
    part.touch(exist_ok=False)
    part.unlink()


def _part_of(path: Path) -> Path:
    """Where to write what will be `path`: no other writer's."""
    return path.with_name(f"{path.name}.{token_hex(8)}.part")


def remove_parts(path: Path) -> None:
    """Remove what killed writers of `path` left behind. Nobody may be writing it meanwhile."""
    for part in path.parent.glob(f"{glob.escape(path.name)}.{'[0-9a-f]' * 16}.part"):
        part.unlink(missing_ok=True)


def without_part(path: str) -> str:
    """The path of a file, for that of a part of it that could not be written; others stay."""
    return re.sub(r"\.[0-9a-f]{16}\.part$", "", path)


def check_ends(path: Path) -> None:
    """Raise `OSError` for a device or a pipe, which may be read for ever, or waited for."""
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise OSError(errno.EINVAL, "it is a device or a pipe; give a file", str(path))
