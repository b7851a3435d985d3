"""The commands, by name: which function each calls, and with which options."""

from collections.abc import Callable
from typing import Any, NamedTuple

from rnnbook.cli import options
from rnnbook.cli.values import Parser
from rnnbook.errors import called


class Command(NamedTuple):
    """A command, and where the function is that it calls with its options.

    That is named, not imported: its module is first needed when the command runs.
    """

    name: str
    function: str  # a module of rnnbook.cli, and a function in it
    what: str  # its help
    add_options: Callable[[Parser], None] = lambda command: None


TRAININGS = [
    Command("mnist", "train:mnist", "read a digit"),
    Command("shakespeare", "train:shakespeare", "write, a character at a time"),
    Command("names", "names:train", "write names in katakana"),
    Command("speech", "speech:train", "write down spoken digits"),
    Command("pictures", "pictures:train", "describe pictures, in English and in Japanese"),
    Command("kanji", "kanji:train", "write kanji, by strokes"),
]
USES = [
    Command("classify", "use:classify", "read a digit in a picture", options.add_classify_options),
    Command("sample", "use:sample", "let the trained model write", options.add_sample_options),
    Command(
        "transliterate",
        "names:transliterate",
        "write names in katakana",
        options.add_name_options,
    ),
    Command(
        "listen",
        "use:listen",
        "write down spoken digits, from recordings kept apart",
        options.add_listen_options,
    ),
    Command(
        "describe", "pictures:describe", "say what is in a picture", options.add_describe_options
    ),
    Command(
        "draw",
        "kanji:draw",
        "let the trained pen write kanji that do not exist, into a drawing",
        options.add_draw_options,
    ),
    Command("study", "study:study", "make the records of studies", options.add_study_options),
    Command("bench", "use:bench", "measure how fast training runs here"),
]


def parser() -> Parser:
    """The parser of all commands; `command` is then where the function of the chosen one is."""
    top = Parser(
        prog=called(),
        description="Fetch the data of the book, train its models, and use them.",
        epilog="Exit codes: 0 done, 2 not possible (one line says why), 130 interrupted.",
    )
    commands = top.add_subparsers(metavar="COMMAND", required=True)
    what = "fetch and verify what the book trains on"
    add_command(commands, Command("data", "data:data", what, options.add_data_options))
    training = commands.add_parser(
        "train", help="train a model and test it", description=options.TRAIN
    )
    models = training.add_subparsers(metavar="MODEL", required=True)
    for command in TRAININGS:
        added = add_command(models, command)
        added.description = options.TRAIN
        options.add_train_options(added, command.name)
    for command in USES:
        add_command(commands, command)
    return top


def add_command(commands: Any, command: Command) -> Parser:
    """Add a command with its options."""
    name, function, what, add_options = command
    description = f"{what[0].upper()}{what[1:]}."
    added = commands.add_parser(name, help=what, description=description, allow_abbrev=False)
    added.set_defaults(command=f"rnnbook.cli.{function}")
    add_options(added)
    return added
