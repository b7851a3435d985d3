"""Small faults, put into the library one at a time: do its tests notice? `make mutants`.

Each fault (they are in faults.py) is a mistake that a person could make and that leaves the code
running. A copy of the library and of its tests gets one fault, then runs the tests that should
notice it, and if these do not, all others. Fails if more than one fault goes unnoticed.

The faults are chosen by hand: a few of the kinds that change what a model learns tell more than
the thousands of changed operators that mutmut or cosmic-ray would make, and take minutes. Those
tools also know a fault by its number in its function, which changes whenever the function does.
"""

import ast
import builtins
import os
import queue
import re
import shutil
import subprocess
import sys
import tempfile
import textwrap
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from faults import FAULTS, Fault

ROOT = Path(__file__).parents[1]
PARTS = (
    "code",
    "tests",
    "tools",
    "book",
    "pyproject.toml",
    "_config.yml",
)  # what the library's tests read
AT_ONCE = 2
LIMIT = 900  # seconds; a fault may keep the tests from ending
# Fails for any change of what a study reaches, and so tells nothing of a fault.
DIGESTS = "tests/library/test_studies.py::test_a_record_was_made_or_confirmed_by_the_code_of_today"
ALL = ["-n", "2", "tests/library", f"--deselect={DIGESTS}"]


# ------------------------------------------------------------------ where a fault belongs


class Place(NamedTuple):
    """A piece of a module that a fault changes."""

    path: Path  # of the module
    nodes: list[ast.AST]  # an expression, or statements that follow each other
    names: dict[str, ast.AST]  # what the names that begin with _ stand for there


@cache
def modules() -> dict[Path, ast.Module]:
    """What the modules of the library hold."""
    paths = sorted((ROOT / "code/rnnbook").rglob("*.py"))
    return {path: ast.parse(path.read_text("utf-8")) for path in paths}


def parsed(code: str) -> list[ast.AST]:
    """Statements, or the one expression that the code is."""
    found = ast.parse(textwrap.dedent(code)).body
    return [found[0].value] if isinstance(found[0], ast.Expr) and len(found) == 1 else found


def is_free(node: Any) -> bool:
    """Whether it is a name that stands for any expression."""
    return isinstance(node, ast.Name) and len(node.id) > 1 and node.id.startswith("_")


def fits(pattern: Any, node: Any, names: dict[str, ast.AST]) -> bool:
    """Whether a piece of code is as the pattern says; notes what its free names stand for."""
    if is_free(pattern):
        known = names.setdefault(pattern.id, node)
        return isinstance(node, ast.expr) and ast.unparse(known) == ast.unparse(node)
    if isinstance(pattern, list):
        pairs = zip(pattern, node, strict=False)
        return len(pattern) == len(node) and all(fits(one, other, names) for one, other in pairs)
    if isinstance(pattern, ast.AST):
        fields = [field for field in pattern._fields if field not in ("ctx", "kind")]
        return type(pattern) is type(node) and all(
            fits(getattr(pattern, field), getattr(node, field), names) for field in fields
        )
    return pattern == node


@cache
def pieces(length: int) -> dict[type, list[tuple[Path, list[ast.AST]]]]:
    """All expressions, or all runs of so many statements, by the kind of the first."""
    found = defaultdict(list)
    for path, tree in modules().items():
        for node in ast.walk(tree):
            parts = [[node]] if isinstance(node, ast.expr) and length == 1 else []
            for block in ("body", "orelse", "finalbody"):
                if isinstance(rows := getattr(node, block, None), list):
                    parts += [rows[k : k + length] for k in range(len(rows) - length + 1)]
            for part in parts:
                found[type(part[0])].append((path, part))
    return found


def place_of(fault: Fault) -> Place:
    """The only piece of the library that is as the fault says.

    Raises:
        ValueError: there is none, or there are several.
    """
    pattern, found = parsed(fault.old), []
    for path, nodes in pieces(len(pattern))[type(pattern[0])]:
        if fits(pattern, nodes, names := {}):
            found.append(Place(path, nodes, names))
    if len(found) != 1:
        where = [f"{one.path.relative_to(ROOT)}:{one.nodes[0].lineno}" for one in found]
        raise ValueError(f"{fault.name}: expected one place in the library, found {where}")
    return found[0]


class Filled(ast.NodeTransformer):
    """Puts what they stand for in the place of free names."""

    def __init__(self, names: dict[str, ast.AST]):
        self.names = names

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return self.names.get(node.id, node)


def names_in(*code: ast.AST) -> set[str]:
    """The names that some code uses or makes."""
    return {node.id for top in code for node in ast.walk(top) if isinstance(node, ast.Name)}


def made_in(*code: ast.AST) -> set[str]:
    """The names that there are after some code, wherever in it they are made."""
    made = {*dir(builtins)}
    for node in (node for top in code for node in ast.walk(top)):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name):
                made.add(name)
            case ast.alias(name=name, asname=other):
                made.add(other or name)
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                made.add(name)
    return made


def with_fault(fault: Fault) -> tuple[Path, str]:
    """A module, and its source with the fault in it.

    Raises:
        ValueError: it does not fit: its place is not found, or there it names what is not known.
    """
    path, nodes, names = place_of(fault)
    new = [Filled(names).visit(node) for node in parsed(fault.new)]
    if unknown := names_in(*new) - made_in(modules()[path], *new):
        raise ValueError(f"{fault.name}: {path.name} knows no {', '.join(sorted(unknown))}")
    texts = [ast.unparse(node) for node in new]
    source = path.read_bytes()
    lines = source.splitlines(keepends=True)
    begin = sum(map(len, lines[: nodes[0].lineno - 1])) + nodes[0].col_offset
    end = sum(map(len, lines[: nodes[-1].end_lineno - 1])) + nodes[-1].end_col_offset
    if isinstance(nodes[0], ast.expr):
        text = f"({texts[0]})"
    else:
        text = textwrap.indent("\n".join(texts), " " * nodes[0].col_offset).lstrip()
    changed = (source[:begin] + text.encode() + source[end:]).decode()
    compile(changed, str(path), "exec")
    return path, changed


# ------------------------------------------------------------------ who notices it


def copy_to(folder: Path) -> Path:
    """What the tests need, copied. Checks that they then import the copy, whatever is installed."""
    for part in PARTS:
        if (ROOT / part).is_file():
            shutil.copy(ROOT / part, folder / part)
        else:
            generated = shutil.ignore_patterns("__pycache__", "*.egg-info")
            shutil.copytree(ROOT / part, folder / part, ignore=generated)
    program = "import rnnbook, bookbuild; print(*rnnbook.__path__, *bookbuild.__path__)"
    found = python("-c", program, folder=folder).stdout.split()
    expected = [str(folder / "code" / name) for name in ("rnnbook", "bookbuild")]
    if found != expected:
        raise RuntimeError(f"the tests would import {found} instead of {expected}")
    return folder


def python(*arguments: str, folder: Path) -> subprocess.CompletedProcess:
    """Run Python in a copy, with the library of that copy, on one thread."""
    environment = os.environ | {
        "PYTHONPATH": str(folder / "code"),
        "PYTHONDONTWRITEBYTECODE": "1",  # or a file changed twice in a second might not be read
        "OMP_NUM_THREADS": "1",
    }
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=LIMIT,
    )


def failing_test(folder: Path, *options: str) -> str | None:
    """The first test that fails, if one does."""
    quiet = ("-q", "-x", "--tb=no", "-rfE", "--durations=0", "-p", "no:cacheprovider")
    try:
        result = python("-m", "pytest", *quiet, *options, folder=folder)
    except subprocess.TimeoutExpired:
        return f"the limit of {LIMIT} seconds"
    if result.returncode == 0:
        return None
    if found := re.search(
        r"^(?:FAILED|ERROR) tests/library/(?:test_)?(\S+)", result.stdout, re.MULTILINE
    ):
        return found[1]
    raise RuntimeError(f"no test failed, and yet:\n{result.stdout[-2000:]}")


def who_notices(fault: Fault, copies: queue.Queue[Path]) -> str | None:
    """The test that notices a fault, first of those that should, then of all."""
    folder = copies.get()
    original, changed = with_fault(fault)
    path = folder / original.relative_to(ROOT)
    path.write_text(changed, "utf-8")
    try:
        return failing_test(folder, *files(fault), ALL[-1]) or failing_test(folder, *ALL)
    finally:
        shutil.copy(original, path)
        copies.put(folder)


def files(*faults: Fault) -> list[str]:
    """The test files that should notice some faults."""
    names = {name for fault in faults for name in fault.tests.split()}
    return [f"tests/library/test_{name}.py" for name in sorted(names)]


def main() -> int:
    places = [place_of(fault) for fault in FAULTS]
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(AT_ONCE) as pool:
        copies: queue.Queue[Path] = queue.Queue()
        for k in range(AT_ONCE):
            folder = Path(name).resolve() / str(k)
            folder.mkdir()
            copies.put(copy_to(folder))
        if test := failing_test(folder, *ALL):
            print(f"without any fault, a test fails: {test}")
            return 1
        unnoticed = 0
        found = pool.map(lambda fault: who_notices(fault, copies), FAULTS)
        for fault, place, test in zip(FAULTS, places, found, strict=True):
            unnoticed += test is None
            where = f"{place.path.stem}:{place.nodes[0].lineno}"
            print(f"{where:20} {fault.name:60} {test or 'NOT NOTICED'}", flush=True)
    print(f"{len(FAULTS) - unnoticed} of {len(FAULTS)} faults are noticed")
    return int(unnoticed > 1)


if __name__ == "__main__":
    sys.exit(main())
