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

from myst_nb.core.read import is_myst_markdown_notebook, read_myst_markdown_notebook
from nbformat import NotebookNode
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
    import jupytext  # here, as below, since it takes a while and is seldom needed
    from IPython.core.inputtransformer2 import TransformerManager

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
    import grimp

    graph = grimp.build_graph(package, cache_dir=None)
    modules = imported_modules(source) & graph.modules
    for module in list(modules):
        modules |= graph.find_upstream_modules(module)
    # To import a.b.c is to run a and a.b first.
    return modules | {parent for name in modules for parent in _parents(name)}


def _parents(module: str) -> list[str]:
    parts = module.split(".")
    return [".".join(parts[:i]) for i in range(1, len(parts))]


def chapter_digest(modules: dict[str, str], data: list[str], distributions: list[str]) -> str:
    """The digest of everything that the numbers of a chapter depend on, besides its cells.

    `modules` are those behind it, with digests; `data` names modules whose `digest()` says which
    data they load; `distributions`, installed packages whose versions count for every chapter.
    """
    lines = [f"{name} {digest}" for name, digest in sorted(modules.items())]
    lines += [f"{name} {_data_digest(name)}" for name in sorted(set(data).intersection(modules))]
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


def _digest_of(app: Sphinx, name: str, source: str) -> str | None:
    """The digest of a chapter; None for a page without code."""
    if not is_myst_markdown_notebook(source):
        return None
    modules = _modules_of(app, name, source)
    config = app.config
    return chapter_digest(modules, config.bookbuild_data, config.bookbuild_distributions)


def _modules_of(app: Sphinx, name: str, source: str) -> dict[str, str]:
    """The modules behind a chapter with their digests: those of the last build, or found anew.

    To find them takes a while, and as long as neither the chapter nor a file of the package has
    changed, they are the same.
    """
    package = app.config.bookbuild_package
    known = app.env.__dict__.setdefault("bookbuild_modules", {})
    state = hashlib.sha256(f"{source}{_files_of(package)}".encode()).hexdigest()
    if known.get(name, (None,))[0] != state:
        found = modules_behind(source, package)
        known[name] = state, {module: _file_digest(module) for module in found}
    return known[name][1]


@cache
def _files_of(package: str) -> str:
    """The files of a package, with their sizes and times."""
    folders = map(Path, find_spec(package).submodule_search_locations)
    files = sorted(path for folder in folders for path in folder.rglob("*.py"))
    return repr([(str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in files])


def _read_again(app: Sphinx, env: BuildEnvironment, added, changed, removed) -> set[str]:
    _files_of.cache_clear()
    digests = getattr(env, "bookbuild_digests", {})
    return {
        name
        for name in env.found_docs - added - changed - removed
        if _digest_of(app, name, _source(app, name)) != digests.get(name)
    }


def _source(app: Sphinx, name: str) -> str:
    return Path(app.env.doc2path(name)).read_text("utf-8")


def append_cell(app: Sphinx, name: str, source: list[str]) -> None:
    digests = app.env.__dict__.setdefault("bookbuild_digests", {})
    digest = digests[name] = _digest_of(app, name, source[0])
    if digest:
        source[0] += CELL.format(digest=digest, record=report.CELL)


def notebook(app: Sphinx, name: str) -> NotebookNode | None:
    """A chapter as Sphinx will read it, without outputs; None for a page without code."""
    source = [_source(app, name)]
    append_cell(app, name, source)
    if not is_myst_markdown_notebook(source[0]):
        return None
    path = app.env.doc2path(name)
    return read_myst_markdown_notebook(source[0], config=app.env.myst_config, path=path)


def setup(app: Sphinx) -> None:
    app.add_config_value("bookbuild_package", "rnnbook", "")
    app.add_config_value("bookbuild_data", [], "")
    app.add_config_value("bookbuild_distributions", [], "")
    app.connect("env-get-outdated", _read_again)
    app.connect("source-read", append_cell)
