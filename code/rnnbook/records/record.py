"""A record of a study: settings and results of every run, where, when and with which code.

It is the file NAME.json beside this module, made by `python -m rnnbook study NAME` and never edited
by hand.
"""

import hashlib
import json
from collections import defaultdict
from dataclasses import asdict, dataclass, field
from pathlib import Path
from textwrap import fill
from typing import Any

from rnnbook.dependencies import definitions
from rnnbook.files import write_atomically

RECORDS = Path(__file__).parent
TRACE = 20  # steps whose losses a record keeps of every run
CHANGED = "THE CODE HAS CHANGED SINCE"


@dataclass
class Record:
    """What a study has found.

    A run that was added later or elsewhere also has the "machine" and the "code" that have made it.

    Attributes:
        study: the name of the study, a module of `rnnbook.studies`.
        code: the digest of the code that made the record.
        machine: what it was made on, and when; `rnnbook.machine` describes it.
        confirmed: the same of the last time when its first steps were made again; "code", too.
        runs: for each run its settings, seconds, first losses ("trace"), and what it returned.
    """

    study: str
    code: str = ""
    machine: dict[str, Any] = field(default_factory=dict)
    confirmed: dict[str, Any] | None = None
    runs: dict[str, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def load(cls, name: str) -> "Record":
        """The record of a study. Raises `FileNotFoundError` when it was never carried out."""
        return cls(**json.loads(path_of(name).read_text("utf-8")))

    def find(self, **settings: Any) -> list[dict[str, Any]]:
        """The runs that have these settings, in their order; none, if there is none."""
        wanted = settings.items()
        return [run for run in self.runs.values() if wanted <= run["settings"].items()]

    def values(self, result: str, **settings: Any) -> list[Any]:
        """One result of each run that has these settings, as `record.values("loss", seed=0)`.

        Raises `KeyError` when there is no such run, or it has no such result.
        """
        if not (found := self.find(**settings)):
            raise KeyError(f"no run of {self.study} has the settings {settings}")
        return [run[result] for run in found]

    def is_current(self) -> bool:
        """Whether the code of today has made or confirmed the record."""
        return code_digest(self.study) in {self.code, (self.confirmed or {}).get("code")}

    def add(self, run: str, result: dict[str, Any], machine: dict[str, Any], code: str) -> None:
        """Add a run, and what has made it where the other runs were made otherwise."""
        self.machine, self.code = self.machine or machine, self.code or code
        added = {"machine": machine} if machine != self.machine else {}
        added |= {"code": code} if code != self.code else {}
        self.runs[run] = {**result, **added}

    def origin(self) -> str:
        """Lines that say when, where and with which code the record was made, and confirmed."""
        seconds = defaultdict(list)
        for run in self.runs.values():
            where, code = run.get("machine", self.machine), run.get("code", self.code)
            made = (
                f"recorded on {where['date']} ({where['processor']}, PyTorch {where['torch']}) "
                f"with code {code[:7]}"
            )
            seconds[made].append(run["seconds"])
        parts = [
            f"{len(some)} run{'s' * (len(some) != 1)}, {sum(some) / 60:.0f} core-minutes, {made}"
            for made, some in seconds.items()
        ]
        if confirmed := self.confirmed:
            parts.append(
                f"the first {TRACE} steps of every run made again, and confirmed, on "
                f"{confirmed['date']} with code {confirmed['code'][:7]}"
            )
        parts.append("the code is the same today" if self.is_current() else CHANGED)
        return fill("; ".join(parts), width=76, break_on_hyphens=False)

    def write(self) -> None:
        """Write the record into its file, a run on each line."""
        head = {key: value for key, value in asdict(self).items() if key != "runs" and value}
        lines = [f"  {json.dumps(run)}: {json.dumps(result)}" for run, result in self.runs.items()]
        content = f'{json.dumps(head)[:-1]}, "runs": {{\n' + ",\n".join(lines) + "\n}}\n"
        write_atomically(path_of(self.study), content.encode())


def path_of(name: str) -> Path:
    """The file of a record."""
    return RECORDS / f"{name}.json"


def digest(code: str) -> str:
    """The digest of the records that the code of a chapter names, as in `Record.load("digits")`."""
    named = (path for path in sorted(RECORDS.glob("*.json")) if f'"{path.stem}"' in code)
    return hashlib.sha256(b"".join(path.read_bytes() for path in named)).hexdigest()


def code_digest(name: str) -> str:
    """The digest of all definitions that a run of a study reaches.

    The settings of the runs do not count: the record has them.
    """
    return definitions.code_digest(f"rnnbook.studies.{name}", ["run", "THREADS"])
