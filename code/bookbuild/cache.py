"""Makes the execution cache right: a chapter runs again when anything behind its numbers changes.

The cache of myst-nb knows a chapter by its code cells alone. So each executable chapter gets one
more cell, hidden, that names the digest of everything else: the modules of the book's package
that it imports, directly or through others, its data, and the versions it runs on. The chapter is
read again when that digest is no longer the one with which it was last read.
"""

import ast
import hashlib
import importlib
import importlib.metadata
import platform
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import grimp
import jupytext
from IPython.core.inputtransformer2 import TransformerManager
from myst_nb.core.read import is_myst_markdown_notebook
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError

from bookbuild import report

CELL = """

```{{code-cell}} python
:tags: [remove-cell]
# What the numbers above depend on, besides the cells: {digest}
{record}
```
"""


def imported_modules(source: str) -> set[str]:
    """The names that the code cells of a MyST chapter import, as they are written."""
    cells = jupytext.reads(source, fmt="md:myst").cells
    code = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
    names = set()
    for node in ast.walk(ast.parse(TransformerManager().transform_cell(code))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def modules_behind(source: str, package: str) -> set[str]:
    """The modules of `package` that a chapter imports, directly or through others."""
    graph = grimp.build_graph(package, cache_dir=None)
    modules = imported_modules(source) & graph.modules
    for module in list(modules):
        modules |= graph.find_upstream_modules(module)
    # To import a.b.c is to run a and a.b first.
    return modules | {parent for name in modules for parent in _parents(name)}


def _parents(module: str) -> list[str]:
    parts = module.split(".")
    return [".".join(parts[:i]) for i in range(1, len(parts))]


def chapter_digest(source: str, package: str, data: list[str], distributions: list[str]) -> str:
    """The digest of everything that the numbers of a chapter depend on, besides its cells.

    `data` names modules whose `digest()` says which data they load; `distributions`, installed
    packages whose versions count for every chapter.
    """
    modules = modules_behind(source, package)
    lines = [f"{name} {_file_digest(name)}" for name in sorted(modules)]
    lines += [f"{name} {_data_digest(name)}" for name in sorted(modules.intersection(data))]
    lines += [f"{name} {importlib.metadata.version(name)}" for name in sorted(distributions)]
    lines += [f"python {platform.python_version()}"]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _file_digest(module: str) -> str:
    return hashlib.sha256(Path(find_spec(module).origin).read_bytes()).hexdigest()


@cache
def _data_digest(module: str) -> str:
    try:
        return importlib.import_module(module).digest()
    except Exception as error:
        raise ExtensionError(f"{module} has no data: {error}", error, "bookbuild") from error


# ------------------------------------------------------------------ in Sphinx


def _digest_of(app: Sphinx, source: str) -> str | None:
    """The digest of a chapter; None for a page without code."""
    if not is_myst_markdown_notebook(source):
        return None
    config = app.config
    return chapter_digest(
        source, config.bookbuild_package, config.bookbuild_data, config.bookbuild_distributions
    )


def _read_again(app: Sphinx, env: BuildEnvironment, added, changed, removed) -> set[str]:
    digests = getattr(env, "bookbuild_digests", {})
    return {
        name
        for name in env.found_docs - added - changed - removed
        if _digest_of(app, Path(env.doc2path(name)).read_text("utf-8")) != digests.get(name)
    }


def append_cell(app: Sphinx, docname: str, source: list[str]) -> None:
    if not hasattr(app.env, "bookbuild_digests"):
        app.env.bookbuild_digests = {}
    digest = app.env.bookbuild_digests[docname] = _digest_of(app, source[0])
    if digest:
        source[0] += CELL.format(digest=digest, record=report.CELL)


def setup(app: Sphinx) -> None:
    app.add_config_value("bookbuild_package", "rnnbook", "")
    app.add_config_value("bookbuild_data", [], "")
    app.add_config_value("bookbuild_distributions", [], "")
    app.connect("env-get-outdated", _read_again)
    app.connect("source-read", append_cell)
