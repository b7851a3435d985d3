"""The options of each command."""

from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from rnnbook.cli.values import NO_SOUND, Parser, digits, heat, temperature, whole

KINDS = "mnist", "shakespeare", "names", "speech", "pictures", "kanji"
CHECKPOINT_EVERY = 100  # steps of a training
BEAM = 4  # answers that a search keeps in view
MODELS = {name: Path(f"runs/{name}.pt") for name in KINDS}
MODEL = "what `train {}` wrote ({}; where there is none, the published model)"
TRAIN = (
    "Train a model of the book, write it to FILE, and measure it on data that it was not "
    f"trained on. Every {CHECKPOINT_EVERY} steps the run is saved beside FILE; when it was "
    "interrupted, --resume goes on from there and, on a processor, ends with the same weights, bit "
    "for bit. A FILE that exists is not replaced, unless --force says so. Started by `torchrun "
    "--nproc-per-node N -m rnnbook train …`, N processes share the work."
)

LISTEN = (
    "Write down spoken digits: of recordings that were kept apart from the training, those of "
    f"DIGITS are joined, and the model says what it hears. {NO_SOUND[0].upper()}{NO_SOUND[1:]}."
)


def add_data_options(command: Parser) -> None:
    """Add the options of `data`."""
    what = "write all files packed into FOLDER, with their licences, for a mirror (RNNBOOK_MIRROR)"
    command.add_argument("--pack", type=Path, metavar="FOLDER", help=what)


def add_train_options(command: Parser, model: str) -> None:
    """Add the options of `train` and the name of a model."""
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
    what = MODEL.format("mnist", MODELS["mnist"])
    command.add_argument("--model", type=Path, metavar="FILE", help=what)


def add_sample_options(command: Parser) -> None:
    """Add the options of `sample`."""
    add = command.add_argument
    what = "what the text begins with, read as the beginning of a paragraph (a new line)"
    add("--prompt", default="\n", metavar="TEXT", help=what)
    what = "characters to write (%(default)s)"
    add("--length", type=whole(1), default=500, metavar="N", help=what)
    what = "below 1, likely characters become likelier; 0: always the likeliest (%(default)s)"
    add("--temperature", type=temperature, default=1.0, metavar="X", help=what)
    add("--top-k", type=whole(1), metavar="K", help="draw from the K likeliest characters (all)")
    add("--seed", type=whole(0), default=0, metavar="N", help="of the random numbers (%(default)s)")
    what = MODEL.format("shakespeare", MODELS["shakespeare"])
    what += "; of several, the mean probabilities count"
    add("--model", type=Path, nargs="+", metavar="FILE", help=what)


def add_name_options(command: Parser) -> None:
    """Add the options of `transliterate`."""
    add = command.add_argument
    what = "in Latin letters (read from the standard input, one a line)"
    add("names", nargs="*", metavar="NAME", help=what)
    what = "how many answers the search keeps in view (%(default)s)"
    add("--beam", type=whole(1, 100), default=BEAM, metavar="N", help=what)
    what = "how many to show, with their probabilities if more than one (%(default)s)"
    add("--answers", type=whole(1, 100), default=1, metavar="N", help=what)
    what = "do not look names up in the dictionary that the network was trained on"
    add("--network-only", action="store_true", help=what)
    what = MODEL.format("names", MODELS["names"])
    add("--model", type=Path, metavar="FILE", help=what)


def add_listen_options(command: Parser) -> None:
    """Add the options of `listen`."""
    add = command.add_argument
    command.description = LISTEN
    what = "such as 4071: for each of them a recording is drawn, and they are joined"
    add("strings", nargs="+", type=digits, metavar="DIGITS", help=what)
    what = "of the choice among the recordings (%(default)s)"
    add("--seed", type=whole(0), default=0, metavar="N", help=what)
    what = MODEL.format("speech", MODELS["speech"])
    add("--model", type=Path, metavar="FILE", help=what)


def add_describe_options(command: Parser) -> None:
    """Add the options of `describe`."""
    add = command.add_argument
    what = "in any format that Pillow reads; it was trained on the emoji of OpenMoji, and knows no "
    what += "photographs; emoji in the style of others it often takes for something else"
    add("pictures", type=Path, nargs="+", metavar="PICTURE", help=what)
    what = "English or Japanese (%(default)s)"
    add("--language", choices=("en", "ja"), default="en", help=what)
    what = "how many captions the search keeps in view (%(default)s)"
    add("--beam", type=whole(1, 100), default=BEAM, metavar="N", help=what)
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
    add("--force", action="store_true", help="replace FILE if it exists")
    what = MODEL.format("kanji", MODELS["kanji"])
    add("--model", type=Path, metavar="FILE", help=what)


def add_study_options(command: Parser) -> None:
    """Add the options of `study`."""
    folders = import_module("rnnbook.studies").__path__
    names = sorted(module.name for module in iter_modules(folders) if not module.ispkg)
    command.epilog = f"The studies: {', '.join(names)}."
    add = command.add_argument
    add("names", nargs="*", metavar="NAME", help="of a study, see below")
    add("--all", action="store_true", help="take all studies")
    what = "run the first steps of every run again and, if the losses agree, say so in the record"
    add("--confirm", action="store_true", help=what)
    where = command.add_mutually_exclusive_group()
    what = "runs side by side, each in a process of its own (as many as there are cores)"
    where.add_argument("--workers", type=whole(1, 1000), metavar="N", help=what)
    what = "of a cluster of dask.distributed that carries out the runs, as tcp://127.0.0.1:8786"
    where.add_argument("--scheduler", metavar="ADDRESS", help=what)
