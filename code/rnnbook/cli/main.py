"""Runs one command. Every error is said in one line.

PyTorch is imported by the commands, not here, so that `--help` and a mistyped option answer at
once.
"""

import argparse
import os
import sys
from collections.abc import Sequence

from rnnbook.cli.errors import UsageError, complain
from rnnbook.cli.options import parser
from rnnbook.files import without_part


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
        what = without_part(str(error.filename or "the output"))
        return complain(f"cannot use {what}: {error.strerror or error}", 2)
    except MemoryError:
        return complain("there is not enough memory for that", 2)
    except explained_errors() as error:
        return complain(error, 2)


def explained_errors() -> tuple[type[Exception], ...]:
    """The errors whose message is written for the user. Any other is a mistake of ours."""
    from rnnbook.data.digit_image import ImageError
    from rnnbook.data.fetching.errors import DataError
    from rnnbook.records.conduct import StudyError
    from rnnbook.training.checkpoints import CheckpointError
    from rnnbook.training.distributed import ProcessError
    from rnnbook.training.model_files import RunError
    from rnnbook.training.settings import Diverged

    ours = UsageError, RunError, ProcessError, CheckpointError, Diverged
    return *ours, StudyError, DataError, ImageError


def program() -> int:
    """Run the command of this process. Where an output is closed (`>&-`), nobody reads it."""
    sys.stdout = sys.stdout or os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")
    sys.stderr = sys.stderr or os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")
    sys.stdin = sys.stdin or os.fdopen(os.open(os.devnull, os.O_RDONLY))
    sys.stdout.reconfigure(errors="replace")  # a console may lack a character of the text
    sys.stdin.reconfigure(errors="replace")
    return main()
