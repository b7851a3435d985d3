"""The chapters as notebooks, with the outputs of this build, for readers to download or to run.

They lie in the site's `_notebooks`. Where the book's repository is known, their first cell
installs the book's package at the commit of the build, so that they run anywhere, as in Colab.
"""

import os
from pathlib import Path

import nbformat
from jupyter_cache import get_cache
from myst_nb.core.read import is_myst_markdown_notebook, read_myst_markdown_notebook
from sphinx.application import Sphinx

from bookbuild import addresses, cache
from bookbuild.languages import ORIGINAL

FOLDER = "_notebooks"


def chapters(app: Sphinx) -> list[str]:
    """The pages with code, in no order."""
    return [
        page
        for page in app.env.found_docs
        if is_myst_markdown_notebook(Path(app.env.doc2path(page)).read_text("utf-8"))
    ]


def executed(app: Sphinx, page: str) -> nbformat.NotebookNode:
    """A chapter as a notebook, with its outputs from the cache of executions."""
    path = Path(app.env.doc2path(page))
    source = [path.read_text("utf-8")]
    cache.append_cell(app, page, source)
    notebook = read_myst_markdown_notebook(source[0], config=app.env.myst_config, path=path)
    executions = get_cache(app.env.mystnb_config.execution_cache_path)
    _, notebook = executions.merge_match_into_notebook(notebook)
    del notebook.cells[-1]  # the one that was appended
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
    return notebook


def installation(repository: str, commit: str) -> nbformat.NotebookNode:
    """The cell that installs the book's package."""
    lines = [
        "# Installs the code of the book, which the cells below import",
        f"%pip install --quiet 'rnnbook @ git+{repository}@{commit}'",
    ]
    return nbformat.v4.new_code_cell("\n".join(lines))


def _write(app: Sphinx, error: Exception | None) -> None:
    if error or app.builder.format != "html" or app.config.language != ORIGINAL:
        return
    repository, commit = addresses.repository(app), os.environ.get("GITHUB_SHA", "main")
    folder = Path(app.outdir, FOLDER)
    folder.mkdir(parents=True, exist_ok=True)
    for page in chapters(app):
        notebook = executed(app, page)
        if repository:
            notebook.cells.insert(0, installation(repository, commit))
        nbformat.write(notebook, folder / f"{Path(page).name}.ipynb")


def _add_link(app: Sphinx, page: str, template: str, context: dict, doctree) -> None:
    if doctree and page in chapters(app):
        up = "../" * (page.count("/") + (app.config.language != ORIGINAL))
        context["notebook"] = f"{up}{FOLDER}/{Path(page).name}.ipynb"


def setup(app: Sphinx) -> None:
    app.connect("html-page-context", _add_link)
    app.connect("build-finished", _write)
