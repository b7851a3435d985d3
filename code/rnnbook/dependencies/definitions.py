"""Which definitions of a package a function or a program reaches, and one digest of them all.

A name is followed through imports to the function, class or constant that it stands for, and so
are the names in that; local variables are none of these. Left out: other packages, and what is
found only while a program runs, as by `getattr`. An import of the package by which a name would be
lost (`import a.b`, `from a import *`, `from . import b`) is refused.

The code of a study is known by what is defined: its digest does not see comments, docstrings, in
which file or in which order definitions stand, or the version of Python. What a chapter shows of
the code it shows as it is written, so there the text of the definitions counts.
"""

import ast
import hashlib
import symtable
from collections.abc import Iterable, Iterator
from functools import cache
from typing import NamedTuple

from rnnbook.dependencies.imports import check_imports, find_source

BINDS = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


class Source(NamedTuple):
    """The top of a module: which statements bind a name, and which names are imported."""

    statements: dict[str, list[ast.stmt]]
    imports: dict[str, tuple[str, str | None]]  # from a name to a module, and to what in it


def code_digest(module: str, names: Iterable[str]) -> str:
    """The digest of the definitions `names` of a module and of all that they reach.

    Raises `NameError` when the module defines no such name.
    """
    return digest(map(canonical, reached(module, names).values()))


def digest(texts: Iterable[str]) -> str:
    """One digest of different texts, whatever their order."""
    return hashlib.sha256("\n".join(sorted(set(texts))).encode()).hexdigest()[:16]


Place = tuple[str, str]  # a module, and a statement of it as it is written


def reached(module: str, names: Iterable[str]) -> dict[Place, ast.stmt]:
    """The statements that define `names` of a module, and all that these rest on."""
    waiting = []
    for name in names:
        if not (places := list(defined(module, name))):
            raise NameError(f"{module} defines no {name}")
        waiting += places
    return closure(waiting)


def reached_by(program: str, package: str) -> dict[Place, ast.stmt]:
    """The statements of a package on which a program rests that imports some of it.

    Raises `LostImport` when it imports some in a way that cannot be followed.
    """
    tree = ast.parse(program)
    check_imports(tree, package, "a program")
    source = sort(tree, program)
    names = set(named(tree, program))
    return closure([place for name in names for place in imported(package, source.imports, *name)])


def closure(waiting: list[tuple[str, ast.stmt]]) -> dict[Place, ast.stmt]:
    """These statements of modules, and all that they rest on."""
    found = {}
    while waiting:
        module, statement = waiting.pop()
        if (module, statement.text) not in found:
            found[module, statement.text] = statement
            waiting += rests_on(module, statement)
    return found


@cache
def rests_on(module: str, statement: ast.stmt) -> list[tuple[str, ast.stmt]]:
    """The statements of modules that a statement names."""
    names = set(named(statement, statement.text))
    return [other for name in names for other in defined(module, *name)]


def named(tree: ast.AST, text: str) -> Iterator[tuple[str, ...]]:
    """The names in a tree that are not local: ("f",) for `f`, ("m", "f") for `m.f`."""
    names = set(not_local(symtable.symtable(text, "", "exec")))
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and getattr(node.value, "id", None) in names:
            yield node.value.id, node.attr
        elif isinstance(node, ast.Name) and node.id in names:
            yield (node.id,)


def not_local(scope: symtable.SymbolTable) -> Iterator[str]:
    """The names that a scope, or one within it, takes from the module or imports itself."""
    for symbol in scope.get_symbols():
        if symbol.is_global() or symbol.is_imported():
            yield symbol.get_name()
    for inner in scope.get_children():
        yield from not_local(inner)


def defined(module: str, name: str, attribute: str | None = None):
    """Pairs (module, statement) of what defines a name of a module, or an attribute of it."""
    source = read(module)
    for statement in source.statements.get(name, []):
        yield module, statement
    yield from imported(module.split(".")[0], source.imports, name, attribute)


def imported(
    package: str, imports: dict[str, tuple], name: str, attribute: str | None = None
) -> Iterator[tuple[str, ast.stmt]]:
    """The same of what a name stands for that is imported from the package."""
    origin, original = imports.get(name, ("", None))
    if origin.split(".")[0] != package:
        return
    if original and find_source(f"{origin}.{original}"):  # from package import module
        origin, original = f"{origin}.{original}", None
    if wanted := original or attribute:
        yield from defined(origin, wanted)


@cache
def read(module: str) -> Source:
    """What a module binds and imports, wherever in it."""
    if not (path := find_source(module)):
        return Source({}, {})
    text = path.read_text("utf-8")
    tree = ast.parse(text)
    check_imports(tree, module.split(".")[0], module)
    return sort(tree, text)


def sort(tree: ast.Module, text: str) -> Source:
    """The statements at the top that bind a name, each with its own text, and the imports."""
    source, lines = Source({}, {}), text.splitlines()
    for statement in tree.body:
        first = min(node.lineno for node in [statement, *getattr(statement, "decorator_list", [])])
        statement.text = "\n".join(lines[first - 1 : statement.end_lineno])
        for name in bound(statement):
            source.statements.setdefault(name, []).append(statement)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
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
