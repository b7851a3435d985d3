"""`make lint`: what oxlint finds in the programs of the live figures and in that of the pages.

The files of a live figure are one program, as the site has it (`rnnbook.demos.kinds.program`); so a
name that no file of it defines is found, and one that no program uses.
"""

import json
import subprocess
import sys
import sysconfig
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

from built import ROOT
from rnnbook.demos import kinds

PAGES = sorted((ROOT / "book/_static").glob("*.js"))
RULES = {
    "env": {"browser": True, "es2024": True},
    "categories": {"correctness": "error", "suspicious": "error"},
    "rules": {
        "no-undef": "error",
        # Matters of taste: where a function stands, names that are used again, sorting in place.
        "unicorn/consistent-function-scoping": "off",
        "no-shadow": "off",
        "unicorn/no-array-reverse": "off",
        "unicorn/no-array-sort": "off",
    },
}
UNUSED = "eslint(no-unused-vars)"


class Finding(NamedTuple):
    """What oxlint says of a place, by the rule of that name."""

    file: str
    line: int
    rule: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message} {self.rule}"


def lint(*paths: Path) -> list[Finding]:
    """What oxlint finds in files, by RULES."""
    tool = Path(sysconfig.get_path("scripts"), "oxlint")
    with tempfile.TemporaryDirectory() as folder:
        rules = Path(folder, "rules.json")
        rules.write_text(json.dumps(RULES))
        command = [tool, "--config", rules, "--format", "json", *paths]
        said = subprocess.run(command, capture_output=True, encoding="utf-8").stdout
    return [
        Finding(
            one["filename"], one["labels"][0]["span"]["line"], one.get("code", ""), one["message"]
        )
        for one in json.loads(said)["diagnostics"]
    ]


def places(text: str) -> dict[str, range]:
    """The lines of a program that each file of its own takes."""
    found = {}
    for path in sorted(kinds.JS.glob("*.js")):
        before, own, _ = text.partition(path.read_text("utf-8"))
        if own:
            first = before.count("\n") + 1
            found[path.name] = range(first, first + own.count("\n") + 1)
    return found


def findings() -> list[Finding]:
    """What is wrong in the program of any live figure, and what is used in none of them."""
    programs = {kind: kinds.program(kind) for kind in kinds.KINDS}
    found: dict[Finding, set[str]] = defaultdict(set)
    homes = {kind: places(text) for kind, text in programs.items()}
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder, f"{kind}.js") for kind in programs]
        for path, text in zip(paths, programs.values(), strict=True):
            path.write_text(text, "utf-8")
        for one in lint(*paths):
            kind = Path(one.file).stem
            for name, lines in homes[kind].items():
                if one.line in lines:
                    line = one.line - lines.start + 1
                    found[one._replace(file=name, line=line)].add(kind)
    return sorted(
        one
        for one, having in found.items()
        if one.rule != UNUSED or having == {kind for kind in homes if one.file in homes[kind]}
    )


def main() -> int:
    found = findings() + lint(*PAGES)
    print("\n".join(map(str, found)) or "oxlint finds nothing in the JavaScript.")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
