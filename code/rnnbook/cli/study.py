"""The command `study`: makes the records of studies, or tells which of them hold."""

import argparse
import sys
import traceback
from collections.abc import Iterator
from contextlib import closing

from rnnbook.cli.errors import UsageError
from rnnbook.errors import BookError
from rnnbook.machine import cores
from rnnbook.progress import say
from rnnbook.records import conduct
from rnnbook.records.cluster import cluster
from rnnbook.records.jobs import Difference
from rnnbook.records.processes import processes
from rnnbook.records.runs import module

KEPT = "what was found is kept, the same command goes on"
AS_IT_WAS = "each record that is not in the table is as it was"


def study(options: argparse.Namespace) -> None:
    """Carry out what the records of studies do not have yet, or confirm them."""
    names = _chosen(options, conduct.names())
    begin, show, done, kept = conduct.conduct, _made, "completed", KEPT
    if options.confirm:
        begin, show, done, kept = conduct.confirm, _confirmed, "confirmed", AS_IT_WAS
    with closing(begin(names, _pool(options, names))) as outcomes:
        try:
            failed = sum(outcome.error is not None for outcome in show(outcomes, names))
        except KeyboardInterrupt:
            raise KeyboardInterrupt(f"; {kept}") from None
    if failed:
        raise conduct.StudyError(f"{failed} of {len(names)} records could not be {done}")


def _chosen(options: argparse.Namespace, known: list[str]) -> list[str]:
    """The names of the studies that were asked for, each once."""
    if bool(options.names) == options.all:
        raise UsageError("give the names of studies, or --all")
    for name in options.names:
        if name not in known:
            raise UsageError(f"there is no study {name!r}; there are: {', '.join(known)}")
    return known if options.all else list(dict.fromkeys(options.names))


def _pool(options: argparse.Namespace, names: list[str]):
    """Who carries out the runs of studies."""
    if options.scheduler is not None:
        return cluster(options.scheduler)
    number = options.workers or cores()
    if (threads := max(number, *(module(name).THREADS for name in names))) > cores():
        what = f"{threads} threads share {cores()} cores: what a study times will take longer"
        print(f"rnnbook: {what}", file=sys.stderr)
    return processes(number)


def _made(outcomes, names: list[str]) -> Iterator:
    """Say of each record where its runs were made."""
    for outcome in outcomes:
        said = _why(outcome.error) if outcome.error else outcome.record.origin()
        say(f"{outcome.name}: {said}")
        yield outcome


def _confirmed(outcomes, names: list[str]) -> Iterator:
    """Say of each record, in a row of a table, whether it holds."""
    width = max(map(len, names))
    say(f"{'study':{width}}  runs  its record")
    for outcome in outcomes:
        said = "holds"
        if outcome.error:
            differs = isinstance(outcome.error, Difference)
            said = f"{'differs' if differs else 'not run'}: {_why(outcome.error)}"
        say(f"{outcome.name:{width}}  {len(module(outcome.name).RUNS):4}  {said}")
        yield outcome


def _why(error: Exception) -> str:
    """An error in one line; of one that nobody has foreseen, all that is known is shown, too."""
    if isinstance(error, BookError):
        return str(error)
    traceback.print_exception(error)
    return f"{type(error).__name__}: {error}"
