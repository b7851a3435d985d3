"""Writing a file so that it is there complete, or not at all."""

import os
from pathlib import Path


def write_atomically(path: Path, content: bytes) -> None:
    """Write `content` beside `path`, then move it into place.

    A reader of `path` sees the old file or the new one, never a part of it. If writing fails,
    the partial file is removed and the `OSError` is raised again.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    try:
        with open(part, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())  # or a crash of the machine could leave an empty file
        os.replace(part, path)
    except OSError:
        part.unlink(missing_ok=True)
        raise
