"""How the command line says what is wrong."""

import sys

from rnnbook.cli.output import in_one_line
from rnnbook.errors import BookError


class UsageError(BookError):
    """What was asked for is not possible. The message says why and what to do."""


def complain(what: object, exit_code: int) -> int:
    """Say it in one line, whatever the message holds: no control character is passed on."""
    print(f"rnnbook: {' '.join(in_one_line(what).split())}", file=sys.stderr)
    return exit_code


def is_out_of_memory(error: RuntimeError) -> bool:
    """Whether PyTorch has found no memory.

    It has a type for the memory of GPUs alone; of that of a processor, only the name of the
    allocator in the message tells.
    """
    of_gpu = getattr(sys.modules.get("torch"), "OutOfMemoryError", ())
    return isinstance(error, of_gpu) or "DefaultCPUAllocator: " in str(error)
