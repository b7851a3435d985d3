"""The commands and their options."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from rnnbook.cli import kanji, names, pictures, speech, train, use
from rnnbook.cli.values import Parser, digits, heat, temperature, whole

KINDS = "mnist", "shakespeare", "names", "speech", "pictures", "kanji"
MODELS = {name: Path(f"runs/{name}.pt") for name in KINDS}
TRAIN = (
    "Train a model of the book, write it to FILE, and measure it on data that it was not "
    f"trained on. Every {train.CHECKPOINT_EVERY} steps the run is saved beside FILE; when it was "
    "interrupted, --resume goes on from there and, on a processor, ends with the same weights, bit "
    "for bit. A FILE that exists is not replaced, unless --force says so. Started by `torchrun "
    "--nproc-per-node N -m rnnbook train …`, N processes share the work."
)


def parser() -> Parser:
    """The commands and their options."""
    top = Parser(
        prog="python -m rnnbook",
        description="Fetch the data of the book, train its models, and use them.",
        epilog="Exit codes: 0 done, 2 not possible (one line says why), 130 interrupted.",
    )
    commands = top.add_subparsers(metavar="COMMAND", required=True)
    data = add_command(commands, "data", use.data, "fetch and verify what the book trains on")
    what = "write all files packed into FOLDER, with their licences, for a mirror (RNNBOOK_MIRROR)"
    data.add_argument("--pack", type=Path, metavar="FOLDER", help=what)
    training = commands.add_parser("train", help="train a model and test it", description=TRAIN)
    models = training.add_subparsers(metavar="MODEL", required=True)
    add_train_options(add_command(models, "mnist", train.mnist, "read a digit"), "mnist")
    what = "write, a character at a time"
    add_train_options(add_command(models, "shakespeare", train.shakespeare, what), "shakespeare")
    add_train_options(add_command(models, "names", names.train, "write names in katakana"), "names")
    what = "write down spoken digits"
    add_train_options(add_command(models, "speech", speech.train, what), "speech")
    what = "describe pictures, in English and in Japanese"
    add_train_options(add_command(models, "pictures", pictures.train, what), "pictures")
    add_train_options(add_command(models, "kanji", kanji.train, "write kanji, by strokes"), "kanji")
    what = "read a digit in a picture"
    add_classify_options(add_command(commands, "classify", use.classify, what))
    add_sample_options(add_command(commands, "sample", use.sample, "let the trained model write"))
    what = "write names in katakana"
    add_name_options(add_command(commands, "transliterate", names.transliterate, what))
    what = "write down spoken digits, from recordings kept apart"
    add_listen_options(add_command(commands, "listen", speech.listen, what))
    what = "say what is in a picture"
    add_describe_options(add_command(commands, "describe", pictures.describe, what))
    what = "let the trained pen write kanji that do not exist, into a drawing"
    add_draw_options(add_command(commands, "draw", kanji.draw, what))
    add_study_options(add_command(commands, "study", use.study, "make the records of studies"))
    add_command(commands, "bench", use.bench, "measure how fast training runs here")
    return top


def add_command(commands: Any, name: str, function: Callable, what: str) -> Parser:
    """Add a command that calls a function with its options. `what` is its help."""
    description = f"{what[0].upper()}{what[1:]}."
    command = commands.add_parser(name, help=what, description=description, allow_abbrev=False)
    command.set_defaults(command=function)
    return command


def add_train_options(command: Parser, model: str) -> None:
    """Add the options of `train` and the name of a model."""
    command.description = TRAIN
    add = command.add_argument
    unit = "--steps" if model in ("shakespeare", "speech") else "--epochs"
    add(unit, type=whole(1), metavar="N", help="of training (what its recipe says)")
    if model == "shakespeare":
        add("--text", type=Path, metavar="FILE", help="train on a text of your own, in UTF-8")
        what = "one of the two models of the chapter on the long training (`make long`); without "
        what += "--output it is written to runs/shakespeare-long.pt"
        add("--long", action="store_true", help=what)
    if model == "names":
        what = "train on pairs of your own: a word, a tab or a comma, its reading, in each line"
        add("--pairs", type=Path, metavar="FILE", help=what)
    add("--seed", type=whole(0), default=0, metavar="N", help="of the random numbers (%(default)s)")
    what = "where to compute (%(default)s)"
    add("--device", choices=("cpu", "cuda", "mps"), default="cpu", help=what)
    what = "of the products (%(default)s)"
    add("--precision", choices=("float32", "bfloat16"), default="float32", help=what)
    what = f"where to write the model ({MODELS[model]})"
    add("--output", type=Path, metavar="FILE", help=what)
    existing = command.add_mutually_exclusive_group()
    what = "go on with a run that was interrupted"
    existing.add_argument("--resume", action="store_true", help=what)
    existing.add_argument("--force", action="store_true", help="begin anew and replace FILE")


def add_classify_options(command: Parser) -> None:
    """Add the options of `classify`."""
    what = "one digit, dark on light or light on dark, in any format that Pillow reads"
    command.add_argument("images", type=Path, nargs="+", metavar="IMAGE", help=what)
    what = "what `train mnist` wrote (%(default)s)"
    command.add_argument("--model", type=Path, default=MODELS["mnist"], metavar="FILE", help=what)


def add_sample_options(command: Parser) -> None:
    """Add the options of `sample`."""
    add = command.add_argument
    add("--prompt", default="\n", metavar="TEXT", help="what the text begins with (a new line)")
    what = "characters to write (%(default)s)"
    add("--length", type=whole(1), default=500, metavar="N", help=what)
    what = "below 1, likely characters become likelier; 0: always the likeliest (%(default)s)"
    add("--temperature", type=temperature, default=1.0, metavar="X", help=what)
    add("--top-k", type=whole(1), metavar="K", help="draw from the K likeliest characters (all)")
    add("--seed", type=whole(0), default=0, metavar="N", help="of the random numbers (%(default)s)")
    what = "what `train shakespeare` wrote (%(default)s); of several, the mean probabilities count"
    default = [MODELS["shakespeare"]]
    add("--model", type=Path, nargs="+", default=default, metavar="FILE", help=what)


def add_name_options(command: Parser) -> None:
    """Add the options of `transliterate`."""
    add = command.add_argument
    what = "in Latin letters (read from the standard input, one a line)"
    add("names", nargs="*", metavar="NAME", help=what)
    what = "how many answers the search keeps in view (%(default)s)"
    add("--beam", type=whole(1, 100), default=names.BEAM, metavar="N", help=what)
    what = "how many to show, with their probabilities if more than one (%(default)s)"
    add("--answers", type=whole(1, 100), default=1, metavar="N", help=what)
    what = "what `train names` wrote (%(default)s)"
    add("--model", type=Path, default=MODELS["names"], metavar="FILE", help=what)


def add_listen_options(command: Parser) -> None:
    """Add the options of `listen`."""
    add = command.add_argument
    what = "digits that are joined from recordings, such as 4071"
    add("strings", nargs="+", type=digits, metavar="DIGITS", help=what)
    what = "of the choice among the recordings (%(default)s)"
    add("--seed", type=whole(0), default=0, metavar="N", help=what)
    what = "what `train speech` wrote (%(default)s)"
    add("--model", type=Path, default=MODELS["speech"], metavar="FILE", help=what)


def add_describe_options(command: Parser) -> None:
    """Add the options of `describe`."""
    add = command.add_argument
    what = "in any format that Pillow reads; simple drawings, such as emoji, are what it knows"
    add("pictures", type=Path, nargs="+", metavar="PICTURE", help=what)
    what = "English or Japanese (%(default)s)"
    add("--language", choices=("en", "ja"), default="en", help=what)
    what = "how many captions the search keeps in view (%(default)s)"
    add("--beam", type=whole(1, 100), default=pictures.BEAM, metavar="N", help=what)
    what = "what `train pictures` wrote (%(default)s)"
    add("--model", type=Path, default=MODELS["pictures"], metavar="FILE", help=what)


def add_draw_options(command: Parser) -> None:
    """Add the options of `draw`."""
    add = command.add_argument
    add("--number", type=whole(1, 400), default=1, metavar="N", help="of characters (%(default)s)")
    what = "a part on the left with which they begin, such as 氵"
    add("--begin", metavar="PART", help=what)
    what = "below 1, what is likely becomes likelier (%(default)s)"
    add("--temperature", type=heat, default=0.3, metavar="X", help=what)
    add("--seed", type=whole(0), default=0, metavar="N", help="of the random numbers (%(default)s)")
    what = "where to write the drawing, as SVG (%(default)s)"
    add("--output", type=Path, default=Path("kanji.svg"), metavar="FILE", help=what)
    what = "what `train kanji` wrote (%(default)s)"
    add("--model", type=Path, default=MODELS["kanji"], metavar="FILE", help=what)


def add_study_options(command: Parser) -> None:
    """Add the options of `study`."""
    command.add_argument("names", nargs="+", metavar="NAME", help="of a module of rnnbook.studies")
    what = "run the first steps of every run again and, if the losses agree, say so in the record"
    command.add_argument("--confirm", action="store_true", help=what)
