"""What `python -m rnnbook train` writes: a model file, and beside it a checkpoint while it runs.

A model file holds weights, the characters that the model knows (for names a tuple of two, letters
and kana; for pictures a list of words and characters; for digits, speech and kanji none) and the
settings of its run, among them the name of its recipe. It is there from the start, without weights
until the run is finished: an interrupted run can only go on with the settings of its beginning.
"""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from torch import Tensor, nn

from rnnbook.data.words import SIGNS
from rnnbook.files import remove_parts
from rnnbook.training.checkpoints import ADVICE, CheckpointError, load_checkpoint, save_checkpoint
from rnnbook.training.recipes import RECIPES

KEYS = {"settings", "weights", "characters"}
ALPHABETS = {"shakespeare": 1, "shakespeare-long": 1, "names": 2}  # of characters, by recipe
Characters = str | tuple[str, ...] | list[str]  # one alphabet, or several; or words


class RunError(ValueError):
    """A run cannot be begun, gone on with or used. The message says why and what to do."""


def checkpoint_of(path: Path) -> Path:
    """The checkpoint of the run whose model file is `path`."""
    return Path(f"{path}.checkpoint")


@contextmanager
def alone(path: Path) -> Generator[None]:
    """Inside, no other process trains the model of the file `path`.

    That is held by an empty file beside it, `.lock`, which stays. Raises `RunError` when another
    process trains it, and when its folder cannot be written.
    """
    if path.exists() and not path.is_file():
        raise RunError(f"{path} is a folder or a device; give --output the name of a file")
    lock = FileLock(f"{path}.lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
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
        save_checkpoint(path, {"settings": settings, "weights": None, "characters": ""})
    except OSError as error:
        raise _unwritable(path, error) from error
    return False


def _finished(path: Path, settings: dict[str, Any]) -> bool:
    begun = _read(path, "give another --output")
    old = begun["settings"]
    changes = [name for name in old | settings if old.get(name) != settings.get(name)]
    if changes:
        raise RunError(
            f"{path} was begun with another choice of {' and '.join(changes)} ({_list(old)}); "
            "give the same options, or --force to begin anew"
        )
    return begun["weights"] is not None


def _list(settings: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in settings.items())


def _read(path: Path, advice: str) -> dict[str, Any]:
    """The content of a model file. Raises `RunError` when it is not what this module writes."""
    try:
        saved = load_checkpoint(path, KEYS)
    except CheckpointError as error:
        raise RunError(str(error).replace(ADVICE, advice)) from error
    if not _is_model(**{key: saved[key] for key in KEYS}):
        raise RunError(f"{path} holds no model of this book; {advice}")
    return saved


def _is_model(settings: Any, weights: Any, characters: Any) -> bool:
    """Whether the parts of a model file are of the kinds, and fit each other, as `finish` does."""
    return (
        isinstance(settings, dict)
        and all(isinstance(entry, str | int) for entry in [*settings, *settings.values()])
        and settings.get("recipe") in RECIPES
        and _are_alphabets(_tuple(characters))
        and (weights is None or _fit(settings["recipe"], _tuple(characters)))
        and (weights is None or _are_weights(weights))
    )


def _tuple(characters: Any) -> tuple:
    return characters if isinstance(characters, tuple) else (characters,)


def _are_alphabets(characters: tuple) -> bool:
    """Whether these are texts in which each character, or word, is there once, in order."""
    if _are_words(characters):
        (words,) = characters
        return all(isinstance(one, str) for one in words) and words == sorted(set(words))
    return all(isinstance(one, str) and one == "".join(sorted(set(one))) for one in characters)


def _fit(recipe: str, alphabets: tuple[str, ...]) -> bool:
    """Whether a recipe has such alphabets: of words, of characters, or none."""
    if recipe == "pictures":
        return _are_words(alphabets)
    if recipe in ALPHABETS:
        right_number = len(alphabets) == ALPHABETS[recipe]
        return right_number and all(isinstance(one, str) and one for one in alphabets)
    return alphabets == ("",)


def _are_words(alphabets: tuple) -> bool:
    return len(alphabets) == 1 and isinstance(alphabets[0], list)


def sizes(characters: Characters) -> tuple[int, ...]:
    """What the `model` of a recipe takes: how many characters there are; without any, nothing.

    Where there are several alphabets, or words, each has its signs besides.
    """
    if isinstance(characters, tuple):
        return tuple(SIGNS + len(alphabet) for alphabet in characters)
    if isinstance(characters, list):
        return (SIGNS + len(characters),)
    return (len(characters),) if characters else ()


def _are_weights(content: Any) -> bool:
    return isinstance(content, dict) and all(
        isinstance(name, str) and isinstance(weight, Tensor) and bool(weight.isfinite().all())
        for name, weight in content.items()
    )


def finish(path: Path, settings: dict[str, Any], model: nn.Module, characters: Characters) -> None:
    """Write the weights into the model file and remove the checkpoint."""
    content = {"settings": settings, "weights": model.state_dict(), "characters": characters}
    save_checkpoint(path, content)
    checkpoint_of(path).unlink(missing_ok=True)


def load_model(path: Path, *recipes: str) -> tuple[nn.Module, Characters]:
    """The trained model in a model file, in evaluation mode, and the characters it knows.

    `recipes` are the names of those that it may have been trained by. Raises `RunError` when there
    is no such model.
    """
    advice = f"train a model: python -m rnnbook train {recipes[0]}"
    if not path.exists():
        raise RunError(f"there is no {path}; {advice}")
    saved = _read(path, advice)
    recipe, characters = saved["settings"]["recipe"], saved["characters"]
    if recipe not in recipes:
        raise RunError(f"{path} was trained on {recipe}; {advice}")
    if saved["weights"] is None:
        raise RunError(
            f"{path} is not finished: it is being trained, or was interrupted; go on with --resume"
        )
    model = RECIPES[recipe]().model(*sizes(characters))
    try:
        model.load_state_dict(saved["weights"])
    except RuntimeError as error:
        raise RunError(f"{path} was trained by another recipe; {advice}") from error
    return model.eval(), characters
