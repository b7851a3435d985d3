"""What `python -m rnnbook train` writes: a model file, and beside it a checkpoint while it runs.

A model file holds weights, the characters or words of each vocabulary that its recipe declares, by
the name of the vocabulary, and the settings of its run, among them the name of its recipe. It is
there from the start, without weights and vocabularies until the run is finished: an interrupted run
can only go on with the settings of its beginning.
"""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from torch import nn

from rnnbook.data.vocabulary import Vocabulary
from rnnbook.errors import BookError, called
from rnnbook.files import check_writable, remove_parts
from rnnbook.training.checkpoints import ADVICE, CheckpointError, load_checkpoint, save_checkpoint
from rnnbook.training.model_content import ModelContent, checked
from rnnbook.training.recipes.all_recipes import RECIPES


class RunError(BookError):
    """A run cannot be begun, gone on with or used. The message says why and what to do."""


def checkpoint_of(path: Path) -> Path:
    """The checkpoint of the run whose model file is `path`."""
    return Path(f"{path}.checkpoint")


@contextmanager
def alone(path: Path) -> Generator[None]:
    """Inside, no other process trains the model of the file `path`.

    That is held by an empty file beside it, `.lock`, which stays. Raises `RunError` when another
    process trains it, and when the model or its checkpoint cannot be written.
    """
    if path.exists() and not path.is_file():
        raise RunError(f"{path} is a folder or a device; give --output the name of a file")
    lock = FileLock(f"{path}.lock")
    try:
        check_writable(checkpoint_of(path))  # which has the longer name
        lock.acquire(timeout=0)
    except Timeout as error:
        advice = "wait until it is done, or give another --output"
        raise RunError(f"{path} is being trained by another process; {advice}") from error
    except OSError as error:
        raise _unwritable(path, error) from error
    try:
        remove_parts(path)
        remove_parts(checkpoint_of(path))
        yield
    finally:
        lock.release()


def _unwritable(path: Path, error: OSError) -> RunError:
    return RunError(f"cannot write {path} ({error.strerror or error}); give another --output")


def begin(path: Path, settings: dict[str, Any], *, resume: bool, force: bool) -> bool:
    """Begin a run, or go on with it. Returns whether it is finished already.

    A run that exists goes on with `resume`, if its settings are the same, and is replaced with
    `force`. The model file is written now, so that a folder that cannot be written is noticed
    before the training. Raises `RunError` when the run cannot be begun.
    """
    if path.exists() and not (resume or force):
        raise RunError(f"{path} exists; --resume goes on with the same run, --force replaces it")
    goes_on = path.exists() and resume
    if goes_on and _finished(path, settings):
        return True
    try:
        if not goes_on:
            checkpoint_of(path).unlink(missing_ok=True)
        save_checkpoint(path, {"settings": settings, "weights": None, "vocabularies": {}})
    except OSError as error:
        raise _unwritable(path, error) from error
    return False


def _finished(path: Path, settings: dict[str, Any]) -> bool:
    begun = _read(path, "give another --output")
    old = begun.settings
    changes = [name for name in old | settings if old.get(name) != settings.get(name)]
    if changes:
        raise RunError(
            f"{path} was begun with another choice of {' and '.join(changes)} ({_list(old)}); "
            "give the same options, or --force to begin anew"
        )
    return begun.weights is not None


def _list(settings: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in settings.items())


def _read(path: Path, advice: str) -> ModelContent:
    """The content of a model file. Raises `RunError` when it is not what this module writes."""
    try:
        saved = load_checkpoint(path, {"settings", "weights"})
    except CheckpointError as error:
        raise RunError(str(error).replace(ADVICE, advice)) from error
    if content := checked(saved):
        return content
    raise RunError(f"{path} holds no model of this book; {advice}")


def finish(
    path: Path, settings: dict[str, Any], model: nn.Module, vocabularies: Sequence[Vocabulary] = ()
) -> None:
    """Write weights and the vocabularies that the recipe declares, and remove the checkpoint."""
    names = RECIPES[settings["recipe"]]().vocabularies
    tokens = {name: known.characters for name, known in zip(names, vocabularies, strict=True)}
    weights = model.state_dict()
    save_checkpoint(path, {"settings": settings, "weights": weights, "vocabularies": tokens})
    checkpoint_of(path).unlink(missing_ok=True)


def load_model(path: Path, *recipes: str) -> tuple[nn.Module, tuple[Vocabulary, ...]]:
    """The trained model in a model file, in evaluation mode, and the vocabularies it knows.

    `recipes` are the names of those that it may have been trained by. Raises `RunError` when there
    is no such model.
    """
    advice = f"train a model: {called()} train {recipes[0]}"
    if not path.exists():
        raise RunError(f"there is no {path}; {advice}")
    settings, weights, vocabularies = _read(path, advice)
    if settings["recipe"] not in recipes:
        raise RunError(f"{path} was trained on {settings['recipe']}; {advice}")
    if weights is None:
        raise RunError(
            f"{path} is not finished: it is being trained, or was interrupted; go on with --resume"
        )
    model = RECIPES[settings["recipe"]]().model(*map(len, vocabularies))
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        raise RunError(f"{path} was trained by another recipe; {advice}") from error
    return model.eval(), vocabularies
