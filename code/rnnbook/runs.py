"""What `python -m rnnbook train` writes: a model file, and beside it a checkpoint while it runs.

A model file holds weights, the characters that the model knows (none for digits) and the
settings of its run. It is there from the start, without weights until the run is finished, so
that an interrupted run can only go on with the settings with which it was begun.
"""

from pathlib import Path
from typing import Any

from torch import nn

from rnnbook.checkpoints import ADVICE, CheckpointError, load_checkpoint, save_checkpoint
from rnnbook.long_training import long_character_model
from rnnbook.recipes import character_model, digit_classifier

KEYS = {"settings", "weights", "characters"}


class RunError(ValueError):
    """A run cannot be begun, gone on with or used. The message says why and what to do."""


def checkpoint_of(path: Path) -> Path:
    """The checkpoint of the run whose model file is `path`."""
    return Path(f"{path}.checkpoint")


def begin(path: Path, settings: dict[str, Any], *, resume: bool, force: bool) -> bool:
    """Begin a run, or go on with it. Returns whether it is finished already.

    A run that exists goes on with `resume`, if its settings are the same, and is replaced with
    `force`. The model file is written now, so that a folder that cannot be written is noticed
    before the training. Raises `RunError` when the run cannot be begun.
    """
    if path.is_dir():
        raise RunError(f"{path} is a folder; give --output the name of a file")
    if path.exists() and not (resume or force):
        raise RunError(f"{path} exists; --resume goes on with it, --force replaces it")
    goes_on = path.exists() and resume
    if goes_on and _finished(path, settings):
        return True
    try:
        if not goes_on:
            checkpoint_of(path).unlink(missing_ok=True)
        save_checkpoint(path, {"settings": settings, "weights": None, "characters": ""})
    except OSError as error:
        reason = error.strerror or error
        raise RunError(f"cannot write {path} ({reason}); give another --output") from error
    return False


def _finished(path: Path, settings: dict[str, Any]) -> bool:
    begun = load_checkpoint(path, KEYS)
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


def finish(path: Path, settings: dict[str, Any], model: nn.Module, characters: str) -> None:
    """Write the weights into the model file and remove the checkpoint."""
    content = {"settings": settings, "weights": model.state_dict(), "characters": characters}
    save_checkpoint(path, content)
    checkpoint_of(path).unlink(missing_ok=True)


def load_model(path: Path, kind: str) -> tuple[nn.Module, str]:
    """The trained model in a model file, in evaluation mode, and the characters it knows.

    `kind` is "mnist" or "shakespeare". Raises `RunError` when there is no such model.
    """
    advice = f"train a model: python -m rnnbook train {kind}"
    if not path.exists():
        raise RunError(f"there is no {path}; {advice}")
    try:
        saved = load_checkpoint(path, KEYS)
    except CheckpointError as error:
        raise RunError(str(error).replace(ADVICE, advice)) from error
    if saved["settings"]["kind"] != kind:
        raise RunError(f"{path} was trained on {saved['settings']['kind']}; {advice}")
    if saved["weights"] is None:
        raise RunError(f"the training of {path} was interrupted; go on with it: --resume")
    return _with_weights(path, saved, advice), saved["characters"]


def _with_weights(path: Path, saved: dict[str, Any], advice: str) -> nn.Module:
    characters, long = saved["characters"], saved["settings"].get("long", False)
    make = long_character_model if long else character_model
    model = make(len(characters)) if characters else digit_classifier()
    try:
        model.load_state_dict(saved["weights"])
    except RuntimeError as error:
        raise RunError(f"{path} was trained by another recipe; {advice}") from error
    return model.eval()
