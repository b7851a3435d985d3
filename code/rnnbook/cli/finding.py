"""Which model a command uses: the one that was named, one's own, or the published one."""

from pathlib import Path

from rnnbook.cli.errors import complain
from rnnbook.cli.options import MODELS
from rnnbook.weights.files import FOLDER, published, record

NAMES = {"mnist": "digits", "shakespeare": "text"}  # those that are published by another name


def model_file(given: Path | None, kind: str) -> Path:
    """The file that was named, or else what `train` wrote, or else the published one, as is said.

    Raises `WeightsError` where that is not as it was published.
    """
    own, name = MODELS[kind], NAMES.get(kind, kind)
    if given or own.exists() or name not in record():
        return given or own
    path = published(name)
    complain(f"there is no {own}, so the published model answers", 0)
    return path


def is_published(path: Path) -> bool:
    """Whether this file came with the package."""
    return path.parent == FOLDER
