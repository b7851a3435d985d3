"""The two things that are done with the record of a study: to make it, and to confirm it."""

import math
from collections.abc import Sequence
from typing import Any

from rnnbook.records import runs
from rnnbook.records.record import Record, code_digest, path_of
from rnnbook.records.runs import StudyError

# 20 steps of float32: another processor may round otherwise, and the difference grows.
BOUND = 2e-3  # between two losses, as a share of the recorded one


class Difference(StudyError):
    """A record does not hold. The message says at which step of which run."""


def first_difference(recorded: list[float], again: list[float]) -> str | None:
    """Where two traces differ by more than BOUND; None where they agree."""
    if len(recorded) != len(again):
        return f"{len(again)} steps instead of {len(recorded)}"
    for step, (old, new) in enumerate(zip(recorded, again, strict=True), 1):
        if not math.isclose(old, new, rel_tol=BOUND):
            return f"step {step}: the loss was {old:g} and is {new:g}"
    return None


class Making:
    """A record that gets the runs which it does not have yet."""

    function = staticmethod(runs.carry_out)

    def __init__(self, name: str):
        self.study, self.code = runs.module(name), code_digest(name)
        self.record = begun(name, self.study.RUNS)
        self.left = [run for run in self.study.RUNS if run not in self.record.runs]

    def take(self, run: str, result: dict[str, Any], machine: dict[str, Any]) -> None:
        record = self.record
        record.add(run, result, machine, self.code)
        record.runs = {run: record.runs[run] for run in self.study.RUNS if run in record.runs}
        record.write()

    def end(self) -> Record:
        return self.record


class Confirming:
    """A record whose first steps are made again."""

    function = staticmethod(runs.first_steps)

    def __init__(self, name: str):
        self.study, self.code, self.machines = runs.module(name), code_digest(name), []
        if not path_of(name).exists():
            raise StudyError(f"{name} has no record; make it: study {name}")
        self.record, self.left = Record.load(name), list(self.study.RUNS)
        settings = {run: result["settings"] for run, result in self.record.runs.items()}
        if settings != self.study.RUNS:
            raise StudyError(
                f"the record of {name} does not have the runs of today; make it: study {name}"
            )

    def take(self, run: str, trace: list[float], machine: dict[str, Any]) -> None:
        if difference := first_difference(self.record.runs[run]["trace"], trace):
            raise Difference(f"{run}, {difference}")
        self.machines.append(machine)

    def end(self) -> Record:
        self.record.confirmed = {**together(self.machines), "code": self.code}
        self.record.write()
        return self.record


def together(machines: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """One description of several machines; of each fact the different values, the last date."""
    found = {key: sorted({machine[key] for machine in machines}) for key in machines[0]}
    dates = {"date": found["date"][-1]}
    return {k: v[0] if len(v) == 1 else "; ".join(map(str, v)) for k, v in found.items()} | dates


def begun(name: str, settings: dict[str, dict[str, Any]]) -> Record:
    """The record so far, an empty one if there is none. Raises `StudyError` if it is of others."""
    if not path_of(name).exists():
        return Record(name)
    record = Record.load(name)
    if any(settings.get(run) != result["settings"] for run, result in record.runs.items()):
        raise StudyError(
            f"a run of {name} has other settings now; to begin anew, delete its record"
        )
    if not record.is_current():
        raise StudyError(
            f"the code of {name} has changed; confirm its record (study {name} --confirm) or, "
            "to begin anew, delete it"
        )
    return record
