"""Saving a run, so that it can be interrupted, and reading it back without trusting it."""

import io
import zipfile
from pathlib import Path
from typing import Any

import torch

from rnnbook.files import check_ends, write_atomically

ADVICE = "delete it to start anew"


class CheckpointError(ValueError):
    """A checkpoint cannot be used. The message says why and what to do."""


def save_checkpoint(path: Path, content: dict[str, Any]) -> None:
    """Write tensors, numbers and text to `path`, complete or not at all. Raises `OSError`."""
    buffer = io.BytesIO()
    torch.save(content, buffer)
    write_atomically(path, buffer.getvalue())


def load_checkpoint(path: Path, keys: set[str]) -> dict[str, Any]:
    """What `save_checkpoint` wrote, which must hold `keys`.

    Reads tensors, numbers and text only; nothing that the file contains is executed.
    Raises `CheckpointError` for a file that is damaged or holds anything else, and `OSError` for
    one that cannot be read.
    """
    check_ends(path)
    stored = path.read_bytes()
    try:
        if zipfile.ZipFile(io.BytesIO(stored)).testzip():  # torch looks at no checksum itself
            raise zipfile.BadZipFile("a checksum is wrong")
        content = torch.load(io.BytesIO(stored), weights_only=True)
        missing = keys - content.keys()
    except Exception as error:  # torch raises many kinds for a damaged file
        raise CheckpointError(f"{path} is damaged or no checkpoint; {ADVICE}") from error
    if missing:
        raise CheckpointError(f"{path} lacks {', '.join(sorted(missing))}; {ADVICE}")
    return content
