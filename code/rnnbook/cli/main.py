"""Runs one command. Every error is said in one line.

The module of a command, and PyTorch with it, is imported when the command runs, so that `--help`
and a mistyped option answer at once.
"""

import argparse
import os
import signal
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pkgutil import resolve_name

from rnnbook.cli.commands import parser
from rnnbook.cli.errors import complain, is_out_of_memory
from rnnbook.cli.output import replace_what_is_lacking
from rnnbook.errors import BookError
from rnnbook.files import without_part

NO_MEMORY = "there is not enough memory for that; end other programs, or use a larger machine"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code. Raises `SystemExit` as `argparse` does."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    options = parser().parse_args(arguments, argparse.Namespace(arguments=arguments))
    try:
        with ended_at_once():
            command = resolve_name(options.command)
        code = command(options)
        sys.stdout.flush()
        return code or 0
    except KeyboardInterrupt as stop:
        return complain(f"interrupted{stop}", 130)
    except BrokenPipeError:  # whoever read our output has had enough: `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for the last flush
        return 141
    except OSError as error:
        what = without_part(str(error.filename or "the output"))
        return complain(f"cannot use {what}: {error.strerror or error}", 2)
    except MemoryError:
        return complain(NO_MEMORY, 2)
    except BookError as error:
        return complain(error, 2)
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise  # a mistake of ours
        return complain(NO_MEMORY, 2)


@contextmanager
def ended_at_once() -> Generator[None]:
    """Ctrl-C ends the process here: while PyTorch is loaded, an exception may be lost in it."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.default_int_handler:  # in the background it is ignored, and stays so
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def program() -> int:
    """Run the command of this process. Where an output is closed (`>&-`), nobody reads it."""
    sys.stdout = sys.stdout or os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")
    sys.stderr = sys.stderr or os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")
    sys.stdin = sys.stdin or os.fdopen(os.open(os.devnull, os.O_RDONLY))
    sys.stdin.reconfigure(errors="replace")  # pyrefly: ignore[missing-attribute]
    lost = replace_what_is_lacking()
    try:
        return main()
    finally:
        if message := lost():
            complain(message, 0)
