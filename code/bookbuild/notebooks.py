"""The chapters as notebooks, with the outputs of this build, for readers to download or to run.

They lie in each edition's `_notebooks`, with its text. Where the book's repository is known, their
first cell installs the book's package at the commit of the build, so that they run anywhere, as in
Colab.
"""

import base64
import os
from collections.abc import Iterator
from itertools import chain
from mimetypes import guess_type
from pathlib import Path
from urllib.parse import urljoin

import nbformat
from docutils import nodes
from jupyter_cache import get_cache
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell
from sphinx.application import Sphinx
from sphinx.locale import _

from bookbuild import addresses, cache
from bookbuild.catalogues import translations
from bookbuild.comments import translated
from bookbuild.editions import place
from bookbuild.gathering import executions
from bookbuild.plain import Plain
from rnnbook.demos import MIME

FOLDER = "_notebooks"


def notebook(app: Sphinx, page: str, doctree: nodes.document) -> NotebookNode:
    """A chapter as a notebook: its text as on the page, and its cells, also those not shown there.

    These come right behind the cell before them.
    """
    found, texts = executed(app, page), _texts(doctree, Text(app, page))
    code, behind = {index: [] for index in texts}, -1
    words = translations(app, "comments")
    for index, cell in enumerate(found.cells):
        behind = index if index in texts else behind
        if cell.cell_type == "code":
            cell.source = translated(cell.source, words)
            code[behind].append(cell)
    found.cells = [first_cell(app)]
    for index, text in texts.items():
        found.cells += [*code[index], *[new_markdown_cell(text)] * bool(text)]
    for number, cell in enumerate(found.cells):
        cell.id = f"cell-{number}"  # the same in every build
    return found


def _texts(doctree: nodes.document, write: Plain) -> dict[int, str]:
    """The text behind each cell that a page shows, by the cell's index; behind none, by -1."""
    index, found = -1, {-1: []}
    for block in _blocks(doctree):
        if "cell_index" in block:
            index = block["cell_index"]
            found[index] = []
        else:
            found[index].append(write(block))
    return {index: "\n\n".join(filter(None, text)) for index, text in found.items()}


def _blocks(node: nodes.Element) -> Iterator[nodes.Element]:
    """The parts of a page in their order, out of its sections."""
    for part in node:
        if isinstance(part, nodes.section):
            yield from _blocks(part)
        else:
            yield part


def executed(app: Sphinx, page: str) -> NotebookNode:
    """The cells of a chapter, with their outputs from the cache of executions."""
    outputs = get_cache(app.env.mystnb_config.execution_cache_path)
    _, notebook = outputs.merge_match_into_notebook(cache.notebook(app, page))
    del notebook.cells[-1]  # the one that was appended
    for output in chain.from_iterable(cell.get("outputs", []) for cell in notebook.cells):
        output.get("data", {}).pop(MIME, None)  # for the site alone
    return notebook


def first_cell(app: Sphinx) -> NotebookNode:
    """The cell that installs the book's package, or says how."""
    repository = addresses.repository(app)
    if not repository:
        return new_markdown_cell(
            _(
                "The cells below import `rnnbook`, the package of the book that this chapter is "
                "from. To have it, run `pip install .` in the folder of the project."
            )
        )
    what = _("Installs the code of the book, which the cells below import")
    package = f"git+{repository}@{os.environ.get('GITHUB_SHA', 'main')}"
    return new_code_cell(f"# {what}\n%pip install --quiet 'rnnbook @ {package}'")


class Text(Plain):
    """Writes a page as Markdown, with the numbers and pictures of its HTML, just written."""

    def __init__(self, app: Sphinx, page: str):
        self.app, self.here = app, addresses.site(app) + place(app.config.language, page)
        self.pictures = {name: source for source, name in app.builder.images.items()}

    def number(self, node: nodes.Element) -> str:
        if isinstance(node, nodes.section):
            numbers = self.app.builder.secnumbers
            return ".".join(map(str, numbers.get(f"#{node['ids'][0]}", numbers.get("", ()))))
        for domain in self.app.env.domains.values():
            kind = domain.get_enumerable_node_type(node)
            numbers = self.app.builder.fignumbers.get(kind, {})
            if found := numbers.get(next(iter(node["ids"]), None)):
                form = self.app.config.numfig_format.get(kind, "%s")
                return form % ".".join(map(str, found))
        return ""

    def picture(self, node: nodes.image) -> str:
        source = Path(self.app.srcdir, self.pictures[Path(node["uri"]).name])
        if source.is_relative_to(self.app.env.mystnb_config.output_folder):
            return ""
        if addresses.site(self.app):
            return urljoin(self.here, node["uri"])
        content = base64.b64encode(source.read_bytes()).decode()
        return f"data:{guess_type(source)[0]};base64,{content}"

    def address(self, node: nodes.reference) -> str:
        target = node.get("refuri") or f"#{node['refid']}"
        if node.get("internal"):
            return urljoin(self.here, target) if addresses.site(self.app) else ""
        return target


def _write(app: Sphinx, page: str, template: str, context: dict, doctree) -> None:
    if doctree and page in executions(app.env):
        path = f"{FOLDER}/{Path(page).name}.ipynb"
        context["notebook"] = "../" * page.count("/") + path
        Path(app.outdir, FOLDER).mkdir(exist_ok=True)
        nbformat.write(notebook(app, page, doctree), Path(app.outdir, path))


def setup(app: Sphinx) -> None:
    app.connect("html-page-context", _write)
