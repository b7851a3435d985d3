"""`python -m rnnbook`: fetch the data, train the two models of the book, and use them.

Errors are reported in one line. PyTorch is imported by the commands, not here, so that
`--help` and a mistyped option answer at once.
"""

import argparse
import hashlib
import math
import os
import shlex
import sys
from collections.abc import Callable, Sequence
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch.nn import Module

    from rnnbook.data.shakespeare import Text

CHECKPOINT_EVERY = 100  # steps
RUNS = {"mnist": Path("runs/mnist.pt"), "shakespeare": Path("runs/shakespeare.pt")}


class UsageError(ValueError):
    """What was asked for is not possible. The message says why and what to do."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code. Raises `SystemExit` as `argparse` does."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    options = parser().parse_args(arguments, argparse.Namespace(arguments=arguments))
    try:
        options.command(options)
        sys.stdout.flush()
        return 0
    except KeyboardInterrupt as stop:
        return complain(f"interrupted{stop}", 130)
    except BrokenPipeError:  # whoever read our output has had enough: `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for the last flush
        return 141
    except OSError as error:
        what = error.filename or "the output"
        return complain(f"cannot use {what}: {error.strerror or error}", 2)
    except explained_errors() as error:
        return complain(error, 2)


def complain(what: object, exit_code: int) -> int:
    """Say it in one line, whatever the message holds: no control character is passed on."""
    words = "".join(c if c.isprintable() else " " for c in str(what)).split()
    print(f"rnnbook: {' '.join(words)}", file=sys.stderr)
    return exit_code


def explained_errors() -> tuple[type[Exception], ...]:
    """The errors whose message is written for the user. Any other is a mistake of ours."""
    from rnnbook.checkpoints import CheckpointError
    from rnnbook.data.fetch import DataError
    from rnnbook.images import ImageError
    from rnnbook.runs import RunError
    from rnnbook.study import StudyError

    ours = UsageError, RunError, StudyError, CheckpointError, DataError, ImageError
    return *ours, FloatingPointError


# ------------------------------------------------------------------ the commands


def data(options: argparse.Namespace) -> None:
    """Fetch both data sets, and say where they are and which text it is."""
    from rnnbook.data.fetch import cache_folder
    from rnnbook.data.mnist import load_mnist
    from rnnbook.data.shakespeare import load_shakespeare

    mnist = load_mnist()
    print(f"MNIST: {len(mnist.train_images):,} + {len(mnist.test_images):,} digits")
    text = load_shakespeare()
    print(f"Shakespeare: {len(text.text):,} characters, {text.source}")
    print(f"Both are in {cache_folder()}")


def train_mnist(options: argparse.Namespace) -> None:
    """Train the classifier of digits as its chapter does, and test it."""
    from rnnbook import recipes
    from rnnbook.data.mnist import load_mnist
    from rnnbook.training import accuracy

    mnist = load_mnist()
    images, labels = mnist.train_images, mnist.train_labels
    split = len(images) * 11 // 12  # the last 5,000 are held out, as in the chapter
    model, settings = recipes.digit_classifier(options.seed), given(options, "epochs", "seed")
    train = partial(
        recipes.train_digits,
        model,
        images[:split],
        labels[:split],
        evaluate=lambda model: accuracy(model, images[split:], labels[split:]),
        measure="held-out accuracy",
        **settings,
    )
    trained = run(options, {"kind": "mnist", **settings}, model, train)
    right = accuracy(trained, mnist.test_images, mnist.test_labels)
    print(f"accuracy on all {len(mnist.test_images):,} test digits: {right:.2%}")


def train_shakespeare(options: argparse.Namespace) -> None:
    """Train the model of characters as its chapter does, and measure its loss."""
    from rnnbook import recipes
    from rnnbook.data.text import Vocabulary
    from rnnbook.long_training import long_character_model, train_long
    from rnnbook.studies import pair
    from rnnbook.training import carried_loss

    text = read_text(options.text, at_least=2 * recipes.STREAMS * recipes.WINDOW)
    vocabulary = Vocabulary(text.text)
    ids = vocabulary.encode(text.train)
    settings = given(options, "steps", "seed")
    if options.long:
        settings = {"steps": pair.RUNS["two"]["steps"], **settings}
        model = long_character_model(len(vocabulary), options.seed)
        train = partial(train_long, model, ids, **settings)
        settings["long"] = True
    else:
        held_out = min(50_000, len(ids) // 20)  # the first ones, as in the chapter
        model = recipes.character_model(len(vocabulary), options.seed)
        train = partial(
            recipes.train_shakespeare,
            model,
            ids[held_out:],
            evaluate=lambda model: carried_loss(model, ids[:held_out]),
            **settings,
        )
    settings = {"kind": "shakespeare", **settings, "text": text.sha256[:12]}
    trained = run(options, settings, model, train, "".join(vocabulary.characters))
    print(f"measuring the loss on {len(text.validation):,} characters …", flush=True)
    loss = carried_loss(trained, vocabulary.encode(text.validation))
    print(f"loss on all {len(text.validation):,} validation characters: {loss:.4f} nats each")


def given(options: argparse.Namespace, *names: str) -> dict[str, Any]:
    """The options of these names that were given; for the others the recipe decides."""
    return {name: getattr(options, name) for name in names if getattr(options, name) is not None}


def read_text(path: Path | None, at_least: int) -> "Text":
    """Shakespeare, or the text in a file, which must be long enough to train on."""
    from rnnbook.data.shakespeare import Text, load_shakespeare
    from rnnbook.files import check_ends

    if path is None:
        return load_shakespeare()
    check_ends(path)
    try:
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is no text in UTF-8; save it as plain text, UTF-8") from error
    if len(text) < at_least:
        raise UsageError(
            f"{path} holds {len(text):,} characters; give a text of {at_least:,} or more"
        )
    return Text(text, str(path), hashlib.sha256(text.encode()).hexdigest())


def run(
    options: argparse.Namespace,
    settings: dict[str, Any],
    model: "Module",
    train: Callable[..., Any],
    characters: str = "",
) -> "Module":
    """Begin a run or go on with it until it is finished. Returns the model that was saved."""
    from rnnbook import runs

    path = options.output
    try:
        with runs.alone(path):
            if runs.begin(path, settings, resume=options.resume, force=options.force):
                print(f"{path} is finished already")
            else:
                train(checkpoint=runs.checkpoint_of(path), checkpoint_every=CHECKPOINT_EVERY)
                runs.finish(path, settings, model, characters)
                print(f"saved {path}")
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"; go on with: {command_to_resume(options)}") from None
    return runs.load_model(path, settings["kind"])[0]


def command_to_resume(options: argparse.Namespace) -> str:
    """The command that was given, as one that goes on."""
    words = [word for word in options.arguments if word not in ("--resume", "--force")]
    return shlex.join(["python", "-m", "rnnbook", *words, "--resume"])


def classify(options: argparse.Namespace) -> None:
    """Print the class of each picture, and its three likeliest classes."""
    import torch

    from rnnbook.files import check_ends
    from rnnbook.images import read_digit
    from rnnbook.runs import load_model

    for path in options.images:
        check_ends(path)
    images = torch.stack([read_digit(path) for path in options.images])  # (N, 28, 28)
    model, _ = load_model(options.model, "mnist")
    with torch.no_grad():
        probabilities = model(images)[0].softmax(dim=1)  # (N, 10)
    for path, row in zip(options.images, probabilities, strict=True):
        likeliest = row.argsort(descending=True)[:3].tolist()
        print(f"{path}: {likeliest[0]}  ({', '.join(f'{k}: {row[k]:.1%}' for k in likeliest)})")


def sample(options: argparse.Namespace) -> None:
    """Print the prompt and what the model writes after it, each character when it is drawn."""
    from rnnbook.data.text import Vocabulary
    from rnnbook.ensemble import Ensemble
    from rnnbook.runs import load_model
    from rnnbook.sampling import stream

    models, known = zip(*(load_model(path, "shakespeare") for path in options.model), strict=True)
    if len(set(known)) > 1:
        raise UsageError("the models do not know the same characters; average models of one text")
    model, characters = Ensemble(models) if len(models) > 1 else models[0], known[0]
    how = given(options, "temperature", "top_k", "seed")
    pieces = stream(model, Vocabulary(characters), options.prompt, **how)
    try:
        first = next(pieces)
    except ValueError as error:  # the prompt is empty, or holds what the model does not know
        raise UsageError(error) from error
    for piece in chain([options.prompt, first], islice(pieces, options.length - 1)):
        print(piece, end="", flush=True)
    if piece != "\n":
        print()


def conduct_studies(options: argparse.Namespace) -> None:
    """Carry out what the records of studies do not have yet, or confirm them."""
    from rnnbook import study

    for name in options.names:
        if name not in study.names():
            known = ", ".join(study.names())
            raise UsageError(f"there is no study {name!r}; there are: {known}")
    for name in options.names:
        record = study.confirm(name) if options.confirm else study.conduct(name)
        print(f"{name}: {study.origin(record)}", flush=True)


def run_bench(options: argparse.Namespace) -> None:
    """Print how fast training runs on this machine, as JSON."""
    import json

    from rnnbook.bench import bench

    print(json.dumps(bench(), indent=2))


# ------------------------------------------------------------------ their options


class Parser(argparse.ArgumentParser):
    """Answers a mistake in one line instead of with a page of usage."""

    def error(self, message: str):
        sys.exit(complain(f"{message}; see {self.prog} --help", 2))


def whole(low: int, high: int = 2**31 - 1) -> Callable[[str], int]:
    """A type of option: a whole number in a range."""

    def convert(text: str) -> int:
        if not (text.isdecimal() and low <= int(text) <= high):
            raise argparse.ArgumentTypeError(f"{text!r} is no whole number from {low} to {high}")
        return int(text)

    return convert


def temperature(text: str) -> float:
    """A type of option: 0, or a number by which logits can be divided without overflow."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if value == 0 or 0.01 <= value <= 100:
        return value
    raise argparse.ArgumentTypeError(f"{text!r} is no temperature; give 0, or 0.01 to 100")


def parser() -> Parser:
    """The commands and their options."""
    top = Parser(
        prog="python -m rnnbook",
        description="Fetch the data of the book, train its two models, and use them.",
        epilog="Exit codes: 0 done, 2 not possible (one line says why), 130 interrupted.",
    )
    commands = top.add_subparsers(metavar="COMMAND", required=True)
    add_command(commands, "data", data, "fetch and verify MNIST and Shakespeare")
    train = commands.add_parser("train", help="train a model and test it", description=TRAIN)
    models = train.add_subparsers(metavar="MODEL", required=True)
    add_train_options(add_command(models, "mnist", train_mnist, "read a digit"), "mnist")
    command = add_command(models, "shakespeare", train_shakespeare, "write, a character at a time")
    add_train_options(command, "shakespeare")
    add_classify_options(add_command(commands, "classify", classify, "read a digit in a picture"))
    add_sample_options(add_command(commands, "sample", sample, "let the trained model write"))
    command = add_command(commands, "study", conduct_studies, "make the records of studies")
    command.add_argument("names", nargs="+", metavar="NAME", help="of a module of rnnbook.studies")
    what = "run the first steps of every run again and, if the losses agree, say so in the record"
    command.add_argument("--confirm", action="store_true", help=what)
    add_command(commands, "bench", run_bench, "measure how fast training runs here")
    return top


TRAIN = (
    "Train a model as the book does, write it to FILE, and measure it on data that it was not "
    f"trained on. Every {CHECKPOINT_EVERY} steps the run is saved beside FILE; when it was "
    "interrupted, --resume goes on from there and ends with the same weights, bit for bit. "
    "A FILE that exists is not replaced, unless --force says so."
)


def add_command(commands: Any, name: str, function: Callable, what: str) -> Parser:
    description = f"{what[0].upper()}{what[1:]}."
    command = commands.add_parser(name, help=what, description=description, allow_abbrev=False)
    command.set_defaults(command=function)
    return command


def add_train_options(command: Parser, kind: str) -> None:
    command.description = TRAIN
    add = command.add_argument
    if kind == "mnist":
        add("--epochs", type=whole(1), metavar="N", help="of training (as in the book)")
    else:
        add("--steps", type=whole(1), metavar="N", help="of training (as in the book)")
        add("--text", type=Path, metavar="FILE", help="train on a text of your own, in UTF-8")
        what = "one of the two models of the chapter on the long training (`make long`)"
        add("--long", action="store_true", help=what)
    add("--seed", type=whole(0), default=0, metavar="N", help="of the random numbers (%(default)s)")
    add(
        "--output",
        type=Path,
        default=RUNS[kind],
        metavar="FILE",
        help="where to write the model (%(default)s)",
    )
    existing = command.add_mutually_exclusive_group()
    existing.add_argument(
        "--resume", action="store_true", help="go on with a run that was interrupted"
    )
    existing.add_argument("--force", action="store_true", help="begin anew and replace FILE")


def add_classify_options(command: Parser) -> None:
    what = "one digit, dark on light or light on dark, in any format that Pillow reads"
    command.add_argument("images", type=Path, nargs="+", metavar="IMAGE", help=what)
    what = "what `train mnist` wrote (%(default)s)"
    command.add_argument("--model", type=Path, default=RUNS["mnist"], metavar="FILE", help=what)


def add_sample_options(command: Parser) -> None:
    add = command.add_argument
    add("--prompt", default="\n", metavar="TEXT", help="what the text begins with (a new line)")
    add(
        "--length",
        type=whole(1),
        default=500,
        metavar="N",
        help="characters to write (%(default)s)",
    )
    what = "below 1, likely characters become likelier; 0: always the likeliest (%(default)s)"
    add("--temperature", type=temperature, default=1.0, metavar="X", help=what)
    add("--top-k", type=whole(1), metavar="K", help="draw from the K likeliest characters (all)")
    add("--seed", type=whole(0), default=0, metavar="N", help="of the random numbers (%(default)s)")
    what = "what `train shakespeare` wrote (%(default)s); of several, the mean probabilities count"
    default = [RUNS["shakespeare"]]
    add("--model", type=Path, nargs="+", default=default, metavar="FILE", help=what)


def program() -> int:
    """Run the command of this process. Where an output is closed (`>&-`), nobody reads it."""
    sys.stdout = sys.stdout or os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")
    sys.stderr = sys.stderr or os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")
    sys.stdout.reconfigure(errors="replace")  # a console may lack a character of the text
    return main()


if __name__ == "__main__":
    sys.exit(program())
