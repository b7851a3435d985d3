"""Makes the execution cache right: a chapter runs again when anything behind its numbers changes.

The cache of myst-nb knows a chapter by its code cells alone. So each executable chapter gets one
more cell, hidden, that names the digest of everything else: the definitions of the book's package
that it reaches, directly or through others, its data, and the versions it runs on. The chapter is
read again when that digest is no longer the one with which it was last read.
"""

import platform
from functools import cache
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

from myst_nb.core.read import is_myst_markdown_notebook, read_myst_markdown_notebook
from nbformat import NotebookNode
from packaging.version import Version
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError

from bookbuild import report
from bookbuild.store import mend
from rnnbook.dependencies import definitions
from rnnbook.dependencies.imports import LostImport

CELL = """

```{{code-cell}} python
:tags: [remove-cell]
# What the numbers above depend on, besides the cells: {digest}
{record}
```
"""


@cache
def code_of(source: str) -> str:
    """The code cells of a MyST chapter as one program."""
    cells = read_myst_markdown_notebook(source).cells
    return "\n".join(cell.source for cell in cells if cell.cell_type == "code")


@cache
def _version(name: str) -> str:
    """The release of a library, such as 2.13.0, whichever build of it this is (2.13.0+cpu)."""
    return Version(version(name)).public


def _python() -> str:
    """The release of Python, without its corrections, which change no number.

    Both are no finer, or nobody could take what a site has executed.
    """
    return ".".join(platform.python_version_tuple()[:2])


_reached_by = cache(definitions.reached_by)


# ------------------------------------------------------------------ in Sphinx


def _digest_of(app: Sphinx, name: str) -> str | None:
    """The digest of what a chapter depends on, besides its cells; None for a page without code."""
    source = _source(app.env, name)
    if not is_myst_markdown_notebook(source):
        return None
    code = code_of(source)
    try:
        reached = _reached_by(code, app.config.bookbuild_package)
    except SyntaxError as error:
        raise ExtensionError(f"{name}: a cell is no Python: {error.msg}: {error.text}") from error
    except LostImport as error:
        raise ExtensionError(f"{name}: {error}") from error
    modules = {app.config.bookbuild_package, *(module for module, _ in reached)}
    data, releases = app.config.bookbuild_data, app.config.bookbuild_releases
    parts = [text for _, text in reached]
    parts += [f"{name} {import_module(name).digest(code)}" for name in modules.intersection(data)]
    for module in modules & releases.keys():
        parts += [f"{name} {_version(name)}" for name in releases[module]]
    return definitions.digest([*parts, f"python {_python()}"])


def _read_again(app: Sphinx, env: BuildEnvironment, added, changed, removed) -> set[str]:
    old = env.found_docs - added - changed - removed
    folder = Path(env.mystnb_config.execution_cache_path)
    if not (folder / "global.db").exists() or mend(folder):
        return old  # somebody has deleted the executions, or some may be lost
    if app.config.bookbuild_chapter:  # the others are not executed
        old &= {app.config.bookbuild_chapter}
    return {name for name in old if _digest_of(app, name) != env.metadata[name]["digest"]}


def _source(env: BuildEnvironment, name: str) -> str:
    return Path(env.doc2path(name)).read_text("utf-8")


def append_cell(app: Sphinx, name: str, source: list[str]) -> None:
    digest = app.env.metadata[name]["digest"] = _digest_of(app, name)
    if digest:
        source[0] += CELL.format(digest=digest, record=report.CELL)


def notebook(app: Sphinx, name: str) -> NotebookNode | None:
    """A chapter as Sphinx will read it, without outputs; None for a page without code."""
    source, path = [_source(app.env, name)], app.env.doc2path(name)
    append_cell(app, name, source)
    if is_myst_markdown_notebook(source[0]):
        return read_myst_markdown_notebook(source[0], config=app.env.myst_config, path=path)
    return None


def setup(app: Sphinx) -> None:
    app.add_config_value("bookbuild_chapter", "", "")  # the only one that is executed
    app.add_config_value("bookbuild_package", "rnnbook", "")
    app.add_config_value("bookbuild_data", [], "")
    app.add_config_value("bookbuild_releases", {}, "")
    app.connect("env-get-outdated", _read_again)
    app.connect("source-read", append_cell)
