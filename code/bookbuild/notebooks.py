"""The chapters as notebooks, with the outputs of this build, for readers to download or to run.

They lie in the site's `_notebooks`. Where the book's repository is known, their first cell
installs the book's package at the commit of the build, so that they run anywhere, as in Colab.
"""

import base64
import json
import os
import re
from pathlib import Path

import nbformat
from jupyter_cache import get_cache
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

from bookbuild import addresses, cache
from bookbuild.claims import formatted
from bookbuild.languages import ORIGINAL
from bookbuild.plain import Plain, authors_and_year
from bookbuild.report import executions

FOLDER = "_notebooks"
NEEDS = """The cells below import `rnnbook`, the package of the book that this chapter is from. To
have it, run `pip install .` in the folder of the project."""


def executed(app: Sphinx, page: str) -> nbformat.NotebookNode:
    """A chapter as a notebook, with its outputs from the cache of executions."""
    outputs = get_cache(app.env.mystnb_config.execution_cache_path)
    _, notebook = outputs.merge_match_into_notebook(cache.notebook(app, page))
    del notebook.cells[-1]  # the one that was appended
    words = plain_words(app, page)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = words(cell.source)
    return notebook


def plain_words(app: Sphinx, page: str) -> Plain:
    """What turns the text of a chapter into plain Markdown, with the numbers of this build."""
    labels = app.env.domaindata["std"]["anonlabels"]
    equations = app.env.domaindata["math"]["objects"]
    folder = Path(app.srcdir, page).parent

    def number(label: str) -> str:
        if label in equations:
            return f"({equations[label][1]})"
        place, anchor = labels[label][:2]
        for kind, numbers in app.env.toc_fignumbers.get(place, {}).items():
            if anchor in numbers:
                name = {"figure": "Fig."}.get(kind, kind.capitalize())
                return f"{name} {'.'.join(map(str, numbers[anchor]))}"
        raise ExtensionError(f"{page}: {label} has no number")

    def value(content: str) -> str:
        name, form = re.fullmatch(r"(.*?[^:])(?::([^:]+))?", content).groups()
        other, _, key = name.rpartition("::")  # of another chapter, as `digits.md::accuracy`
        source = (Path(page).parent / Path(other).stem).as_posix() if other else page
        record = Path(app.env.mystnb_config.output_folder, f"{source}.glue.json")
        text = json.loads(record.read_text("utf-8"))[key]["data"]["text/plain"].strip("'")
        return formatted(text, form) if form else text

    def picture(path: str) -> str:
        if addresses.site(app):
            return f"{addresses.site(app)}_images/{Path(path).name}"
        drawing = base64.b64encode((folder / path).read_bytes()).decode()
        return f"data:image/svg+xml;base64,{drawing}"

    def title(name: str) -> str:
        return app.env.titles[(Path(page).parent / name).as_posix()].astext()

    def citation(key: str) -> tuple[str, str]:
        cited = app.env.get_domain("cite").bibdata.data
        return authors_and_year(cited.entries[key.strip()])

    return Plain(number, value, title, citation, picture, addresses.site(app))


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
    for page in app.bookbuild_written:
        notebook = executed(app, page)
        first = (
            installation(repository, commit) if repository else nbformat.v4.new_markdown_cell(NEEDS)
        )
        notebook.cells.insert(0, first)
        nbformat.write(notebook, folder / f"{Path(page).name}.ipynb")


def _add_link(app: Sphinx, page: str, template: str, context: dict, doctree) -> None:
    if doctree and page in executions(app.env):
        app.bookbuild_written.add(page)
        up = "../" * (page.count("/") + (app.config.language != ORIGINAL))
        context["notebook"] = f"{up}{FOLDER}/{Path(page).name}.ipynb"


def setup(app: Sphinx) -> None:
    app.bookbuild_written = set()  # the chapters whose pages are written in this build
    app.connect("html-page-context", _add_link)
    app.connect("build-finished", _write)
