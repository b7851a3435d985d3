"""Which definitions of the book a function reaches, and one digest of them all.

A name is followed through imports to the function, class or constant that it stands for, and so
are the names in that. The digest sees what is defined; it does not see comments, docstrings, in
which file or in which order definitions stand, or the version of Python. A local variable with the
name of a definition counts as that. Left out: other packages, and what is found only while a
program runs, as by `getattr`.
"""

import ast
import hashlib
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

PACKAGE = "rnnbook"
BINDS = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


class Source(NamedTuple):
    """The top of a module: which statements bind a name, and which names are imported."""

    statements: dict[str, list[ast.stmt]]
    imports: dict[str, tuple[str, str | None]]  # from a name to a module, and to what in it


def code_digest(module: str, names: Iterable[str]) -> str:
    """The digest of the definitions `names` of a module and of all that they reach.

    Raises `NameError` when the module defines no such name.
    """
    found = {canonical(statement) for statement in reached(module, names)}
    return hashlib.sha256("\n".join(sorted(found)).encode()).hexdigest()[:16]


def reached(module: str, names: Iterable[str]) -> list[ast.stmt]:
    """The statements that define `names` of a module, and all that these rest on."""
    waiting, found = [], {}
    for name in names:
        if not (places := list(defined(module, name))):
            raise NameError(f"{module} defines no {name}")
        waiting += places
    while waiting:
        module, statement = waiting.pop()
        if id(statement) not in found:
            found[id(statement)] = statement
            waiting += [other for name in named(statement) for other in defined(module, *name)]
    return list(found.values())


def named(statement: ast.stmt) -> Iterator[tuple[str, ...]]:
    """The names in a statement: ("f",) for `f`, ("m", "f") for `m.f`."""
    for node in ast.walk(statement):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield node.value.id, node.attr
        elif isinstance(node, ast.Name):
            yield (node.id,)


def defined(module: str, name: str, attribute: str | None = None):
    """Pairs (module, statement) of what defines a name of a module, or an attribute of it."""
    source = read(module)
    for statement in source.statements.get(name, []):
        yield module, statement
    if name not in source.imports:
        return
    origin, original = source.imports[name]
    if original and find_source(f"{origin}.{original}"):  # from package import module
        origin, original = f"{origin}.{original}", None
    if wanted := original or attribute:
        yield from defined(origin, wanted)


@cache
def read(module: str) -> Source:
    """What a module binds and imports, wherever in it; nothing for a module of another package."""
    source = Source({}, {})
    if not (path := find_source(module)):
        return source
    tree = ast.parse(path.read_text("utf-8"))
    for statement in tree.body:
        for name in bound(statement):
            source.statements.setdefault(name, []).append(statement)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                source.imports[alias.asname or alias.name] = node.module, alias.name
        elif isinstance(node, ast.Import):
            for alias in node.names:
                source.imports[alias.asname or alias.name] = alias.name, None
    return source


def bound(statement: ast.stmt) -> Iterator[str]:
    """The names that a statement at the top of a module binds, imports apart."""
    if isinstance(statement, BINDS):
        yield statement.name
        return
    inner = {
        id(name)
        for node in ast.walk(statement)
        if isinstance(node, ast.comprehension)  # its names are its own
        for name in ast.walk(node.target)
    }
    for node in ast.walk(statement):
        is_bound = isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        if is_bound and id(node) not in inner:
            yield node.id


@cache
def find_source(module: str) -> Path | None:
    """The file of a module of the book; None for anything else."""
    if module.split(".")[0] != PACKAGE:
        return None
    try:
        spec = find_spec(module)
    except ModuleNotFoundError:  # a name in a module, not a module
        return None
    return Path(spec.origin) if spec and spec.origin else None


def canonical(node: object) -> str:
    """A syntax tree as text, without docstrings, and without what is empty or None.

    What `ast.dump` writes differs from one version of Python to the next.
    """
    if isinstance(node, list):
        return f"[{', '.join(map(canonical, node))}]"
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = dict(ast.iter_fields(node))
    if isinstance(node, BINDS) and ast.get_docstring(node, clean=False) is not None:
        fields["body"] = fields["body"][1:]
    there = {name: value for name, value in fields.items() if value is not None and value != []}
    parts = [f"{name}={canonical(value)}" for name, value in there.items()]
    return f"{type(node).__name__}({', '.join(parts)})"
