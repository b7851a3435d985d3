"""Where modules are, and by which imports their names can be followed."""

import ast
from functools import cache
from importlib.util import find_spec
from pathlib import Path


class LostImport(ImportError):
    """An import that cannot be followed. The message says which, and how to write it."""


def check_imports(tree: ast.AST, package: str, where: str) -> None:
    """Raise `LostImport` where an import of a package brings names that cannot be followed."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom) and is_lost(node, package):
            raise LostImport(
                f"{where}: what `{ast.unparse(node)}` brings cannot be followed, so a change of it "
                f"would not be seen; write `from {package}.module import name`"
            )


def is_lost(node: ast.Import | ast.ImportFrom, package: str) -> bool:
    """Whether an import is of a package, and does not say from which module each name is."""
    if isinstance(node, ast.Import):
        ours = [alias for alias in node.names if alias.name.split(".")[0] == package]
        return any(not one.asname or is_package(one.name) for one in ours)
    if node.level:
        return True
    names = [alias.name for alias in node.names]
    is_ours = (node.module or "").split(".")[0] == package
    return is_ours and ("*" in names or any(is_package(f"{node.module}.{name}") for name in names))


def is_package(module: str) -> bool:
    """Whether there is a package of this name, whose modules would be attributes of a name."""
    path = find_source(module)
    return bool(path) and path.name == "__init__.py"


@cache
def find_source(module: str) -> Path | None:
    """The file of a module; None where there is none of this name. Nothing is imported."""
    package, *names = module.split(".")
    spec = find_spec(package)
    for folder in (spec and spec.submodule_search_locations) or []:
        place = Path(folder, *names)
        for path in (place.with_name(f"{place.name}.py"), place / "__init__.py"):
            if path.is_file():
                return path
    return None
