"""The commands that train a model: alone, or as one of the processes of `torchrun`."""

import argparse
import codecs
import hashlib
import os
import shlex
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch.nn import Module

from rnnbook.cli.errors import UsageError
from rnnbook.cli.options import CHECKPOINT_EVERY
from rnnbook.cli.output import in_one_line
from rnnbook.data.mnist import load_mnist
from rnnbook.data.shakespeare import HELD_OUT, Text, load_shakespeare
from rnnbook.data.vocabulary import Vocabulary
from rnnbook.errors import called
from rnnbook.files import check_ends, without_part
from rnnbook.metrics.evaluation import accuracy, carried_loss
from rnnbook.progress import is_watched
from rnnbook.training import distributed, model_files
from rnnbook.training.batches import Batch, Batches
from rnnbook.training.objectives import has_bfloat16
from rnnbook.training.recipes.all_recipes import RECIPES
from rnnbook.training.recipes.recipe import Recipe
from rnnbook.training.recipes.shakespeare import STREAMS, WINDOW

MOST_BYTES = 100_000_000  # of a text: in training, each takes up to 30 bytes of memory
UTF_16 = codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE  # with which such a file begins
CONTROLS = [chr(i) for i in [*range(32), 127] if chr(i) not in "\t\n\f\r"]
SOON = 5  # seconds after which a training says how fast it is
AS_TEXT = "save it as plain text, UTF-8"


def mnist(options: argparse.Namespace) -> None:
    """Train the classifier of digits as its chapter does, and test it."""
    data = load_mnist()

    def test(model: Module) -> str:
        right = accuracy(model, data.test_images, data.test_labels)
        return f"accuracy on all {len(data.test_images):,} test digits: {right:.2%}"

    run(
        options,
        "mnist",
        data.kept,
        test,
        evaluate=lambda model: accuracy(model, *data.held_out),
        measure="held-out accuracy",
    )


def shakespeare(options: argparse.Namespace) -> None:
    """Train the model of characters as its chapter does, and measure its loss."""
    text = read_text(options.text, at_least=2 * STREAMS * WINDOW)
    vocabulary = Vocabulary(text.text)
    ids = vocabulary.encode(text.train)
    held_out = min(HELD_OUT, len(ids) // 20)  # the first ones, as in the chapter

    def test(model: Module) -> str:
        print(f"measuring the loss on {len(text.validation):,} characters …", flush=True)
        loss = carried_loss(model, vocabulary.encode(text.validation))
        return f"loss on all {len(text.validation):,} validation characters: {loss:.4f} nats each"

    run(
        options,
        "shakespeare-long" if options.long else "shakespeare",
        (ids if options.long else ids[held_out:],),
        test,
        vocabularies=[vocabulary],
        origin={"text": text.sha256[:12]},
        evaluate=None if options.long else lambda model: carried_loss(model, ids[:held_out]),
    )


def read_text(path: Path | None, at_least: int) -> Text:
    """Shakespeare, or the text in a file, which must be long enough to train on."""
    if path is None:
        return load_shakespeare()
    check_ends(path)
    if (size := path.stat().st_size) > MOST_BYTES:
        raise UsageError(
            f"{path} has {size:,} bytes; give a text of {MOST_BYTES:,} or fewer, a part of it"
        )
    try:
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        found = "UTF-16, not" if error.object.startswith(UTF_16) else "no text"
        raise UsageError(f"{path} is {found} in UTF-8; {AS_TEXT}") from error
    if "\0" in text:
        raise UsageError(f"{path} holds NULs, as UTF-16 does, or what is no text; {AS_TEXT}")
    if 100 * sum(map(text.count, CONTROLS)) > len(text):
        raise UsageError(f"{path} holds many control characters and is no text; {AS_TEXT}")
    if len(text) < at_least:
        raise UsageError(
            f"{path} holds {len(text):,} characters; give a text of {at_least:,} or more"
        )
    return Text(text, str(path), hashlib.sha256(text.encode()).hexdigest())


def run(
    options: argparse.Namespace,
    name: str,
    data: tuple[Any, ...],
    test: Callable[[Module], str],
    *,
    vocabularies: Sequence[Vocabulary] = (),
    origin: dict[str, str] | None = None,
    evaluate: Callable[[Module], float] | None = None,
    measure: str = "held-out loss",
) -> None:
    """Train by a recipe until the run is finished, and say how good the saved model is.

    `vocabularies` are those that the recipe declares, and `origin` says, for the model's file,
    what it was trained on; `evaluate` and `measure` are as for `train`.
    """
    check_device(options.device)
    check_precision(options.precision, options.device)
    lengths = {unit: getattr(options, unit, None) for unit in ("epochs", "steps")}
    changes = {unit: number for unit, number in lengths.items() if number}  # else the recipe's
    changes |= {"seed": options.seed, "precision": options.precision}
    settings = {"recipe": name, **changes, **(origin or {})}
    recipe = replace(RECIPES[name](), **changes, device=options.device)
    path = options.output or Path(f"runs/{name}.pt")

    with explained(options), distributed.join(options.device), ExitStack() as inside:

        def begin() -> bool:
            inside.enter_context(model_files.alone(path))
            how = {"resume": options.resume, "force": options.force}
            return model_files.begin(path, settings, **how)

        if distributed.from_first(begin):
            say(f"{in_one_line(path)} is finished already")
        else:
            model = recipe.model(*map(len, vocabularies))
            reported(recipe).train(
                model,
                *data,
                evaluate=evaluate,
                measure=measure,
                checkpoint=model_files.checkpoint_of(path),
                checkpoint_every=CHECKPOINT_EVERY,
            )
            distributed.from_first(lambda: model_files.finish(path, settings, model, vocabularies))
            say(f"saved {in_one_line(path)}")
        if distributed.is_first():
            print(test(model_files.load_model(path, name)[0]))


def reported(recipe: Recipe) -> Recipe:
    """The same recipe, whose training says from where it goes on, and soon how fast it is."""

    def batches(*data: Any) -> Reported:
        made = recipe.batches(*data)
        return Reported(made, recipe.total_steps(made))

    return replace(recipe, batches=batches)


class Reported:
    """Batches that tell of the steps that they are asked for: of the first, if it is not the first
    of the run, and where nobody sees a progress bar, of that after SOON seconds.
    """

    def __init__(self, batches: Batches, total: int):
        self.batches, self.total = batches, total
        self.first, self.begin, self.is_new = 0, 0.0, True  # until its speed was said

    def __len__(self) -> int:
        return len(self.batches)  # pyrefly: ignore[bad-argument-type]

    def batch(self, step: int) -> Batch:
        if not self.begin:
            self.first, self.begin = step, time.perf_counter()
            if step:
                say(f"going on after step {step:,} of {self.total:,}")
        seconds = time.perf_counter() - self.begin
        if self.is_new and step > self.first and seconds >= SOON:
            self.is_new = False
            left = (self.total - step) * seconds / (step - self.first)
            if not is_watched():
                say(f"step {step:6,} of {self.total:,}   about {left:,.0f} s to go")
        return self.batches.batch(step)


@contextmanager
def explained(options: argparse.Namespace) -> Generator[None]:
    """Inside, what interrupts a training says how to go on with it."""
    try:
        yield
    except distributed.ProcessEnded as error:
        raise UsageError(f"{error}; go on with: {command_to_resume(options)}") from error
    except OSError as error:
        if error.filename is None:  # it is not the model or its checkpoint that cannot be written
            raise
        what = f"cannot use {without_part(str(error.filename))} ({error.strerror or error})"
        advice = f"make room for it, then go on with: {command_to_resume(options)}"
        raise UsageError(f"{what}; {advice}") from error
    except KeyboardInterrupt:
        if os.environ.get("RANK", "0") != "0":  # the first process says it for all
            raise SystemExit(130) from None
        raise KeyboardInterrupt(f"; go on with: {command_to_resume(options)}") from None


def say(what: str) -> None:
    """Print it, once for all processes."""
    if distributed.is_first():
        print(what, flush=True)


def check_device(device: str) -> None:
    """Raise `UsageError` when the machine lacks a device."""
    there = {
        "cpu": True,
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
    }
    if not there[device]:
        found = ", ".join(name for name in there if there[name])
        raise UsageError(f"PyTorch finds no device {device!r} on this machine; it finds: {found}")


def check_precision(precision: str, device: str) -> None:
    """Raise `UsageError` when the processor cannot train in a precision."""
    if precision == "bfloat16" and device == "cpu" and not has_bfloat16():
        raise UsageError("PyTorch has no bfloat16 on this processor; leave out --precision")


def command_to_resume(options: argparse.Namespace) -> str:
    """The command that was given, as one that goes on."""
    words = [word for word in options.arguments if word not in ("--resume", "--force")]
    program = called().split()
    if processes := os.environ.get("LOCAL_WORLD_SIZE"):
        program = ["torchrun", "--nproc-per-node", processes, "-m", "rnnbook"]
    return shlex.join([*program, *words, "--resume"])
