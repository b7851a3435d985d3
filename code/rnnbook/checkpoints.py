"""Saving a run, so that it can be interrupted, and reading it back without trusting it."""

import io
from pathlib import Path
from typing import Any

import torch

from rnnbook.files import write_atomically

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
    Raises `CheckpointError` for a file that is damaged or holds anything else.
    """
    stored = io.BytesIO(path.read_bytes())
    try:
        content = torch.load(stored, weights_only=True)
        missing = keys - content.keys()
    except Exception as error:  # torch raises many kinds for a damaged file
        raise CheckpointError(f"{path} is damaged or no checkpoint; {ADVICE}") from error
    if missing:
        raise CheckpointError(f"{path} lacks {', '.join(sorted(missing))}; {ADVICE}")
    return content
