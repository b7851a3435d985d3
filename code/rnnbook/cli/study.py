"""The command that makes and confirms the records of studies."""

import argparse

from rnnbook.cli.errors import UsageError
from rnnbook.records import conduct


def study(options: argparse.Namespace) -> None:
    """Carry out what the records of studies do not have yet, or confirm them."""
    for name in options.names:
        if name not in conduct.names():
            known = ", ".join(conduct.names())
            raise UsageError(f"there is no study {name!r}; there are: {known}")
    for name in options.names:
        record = conduct.confirm(name) if options.confirm else conduct.conduct(name)
        print(f"{name}: {record.origin()}", flush=True)
