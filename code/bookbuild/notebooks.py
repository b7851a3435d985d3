"""The chapters as notebooks, with the outputs of this build, for readers to download or to run.

They lie in each edition's `_notebooks`, with its text. Where the book's repository is known, their
first cell installs the book's package at the commit of the build, so that they run anywhere, as in
Colab; the second lets the longer trainings take over the results of the build.
"""

import base64
import os
from html import escape
from itertools import chain
from mimetypes import guess_type
from pathlib import Path
from urllib.parse import urljoin

import nbformat
from bs4 import BeautifulSoup
from docutils import nodes
from jupyter_cache import get_cache
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell
from sphinx.application import Sphinx
from sphinx.locale import _
from sphinx.util.docutils import SphinxRole

from bookbuild import addresses, cache, mathjax
from bookbuild.catalogues import translations
from bookbuild.comments import translated
from bookbuild.deeper import unfold
from bookbuild.editions import place
from bookbuild.gathering import executions
from bookbuild.plain import Markdown
from bookbuild.published import FOLDER, digest
from bookbuild.store import results_of
from rnnbook.demos.kinds import MIME

CELL = "\N{OBJECT REPLACEMENT CHARACTER}"  # stands for a cell in a text


def notebook(app: Sphinx, page: str, doctree: nodes.document, html: str) -> NotebookNode:
    """The text of a chapter's page and all its cells; one not shown follows the cell before it."""
    found, texts = executed(app, page), _texts(app, page, doctree, html)
    words, cells, text = translations(app, "comments"), first_cells(app, page), texts.pop(-1)
    for index, cell in enumerate(found.cells):
        if index in texts:
            cells.append(new_markdown_cell(text))
            text = texts[index]
        if cell.cell_type == "code":
            cell.source = translated(cell.source, words)
            cells.append(cell)
    cells.append(new_markdown_cell(text))
    found.cells = [cell for cell in cells if cell.source]
    for number, cell in enumerate(found.cells):
        cell.id = f"cell-{number}"  # the same in every build
    return found


def _texts(app: Sphinx, page: str, doctree: nodes.document, html: str) -> dict[int, str]:
    """The text behind each cell that a page shows, by the cell's index; behind none, by -1."""
    body = BeautifulSoup(with_tex(html, doctree), "html.parser")
    _write_numbers(body)
    unfold(body)
    cells = body.select(".cell")
    for cell in cells:
        cell.string = CELL
    for part in body.select(".headerlink, .output, .rnn-demo"):  # outputs are below their cells
        part.decompose()
    _write_addresses(app, page, body)
    shown = [int(cell["data-cell"]) for cell in cells]
    texts = Markdown().convert_soup(body).split(CELL)
    return dict(zip([-1, *shown], map(str.strip, texts), strict=True))


def with_tex(html: str, doctree: nodes.document) -> str:
    """The HTML of a page, with the TeX of each formula in the place of what MathJax made of it."""
    for formula in doctree.findall(lambda node: isinstance(node, nodes.math | nodes.math_block)):
        tex = formula.astext().strip()
        tex = f"$$\n{tex}\n$$" if isinstance(formula, nodes.math_block) else f"${tex}$"
        html = html.replace(mathjax.html(formula), escape(tex))
    return html


def _write_numbers(body: BeautifulSoup) -> None:
    """Put the number of a formula, which stands before it, into its TeX."""
    for number in body.select(".math > .eqno"):
        formula, words = number.parent, number.find(string=True).strip("()")
        number.decompose()
        tex = formula.get_text().strip().removesuffix("\n$$")
        formula.string = f"{tex} \\tag{{{words}}}\n$$"


def _write_addresses(app: Sphinx, page: str, body: BeautifulSoup) -> None:
    """Let links and pictures lead to the site; without its address, pictures are written out."""
    site = addresses.site(app)
    here = site + place(app.config.language, page)
    for link in body.select("a.internal"):
        link["href"] = urljoin(here, link["href"])
        if not site:
            link.unwrap()
    files = {name: Path(app.srcdir, source) for source, name in app.builder.images.items()}
    for picture in body.select("img"):
        file = files[Path(picture["src"]).name]
        if file.is_relative_to(app.env.mystnb_config.output_folder):
            picture.decompose()  # the output of a cell, which shows it
        elif site:
            picture["src"] = urljoin(here, picture["src"])
        else:
            content = base64.b64encode(file.read_bytes()).decode()
            picture["src"] = f"data:{guess_type(file)[0]};base64,{content}"


def executed(app: Sphinx, page: str) -> NotebookNode:
    """The cells of a chapter, with their outputs from the cache of executions."""
    outputs = get_cache(app.env.mystnb_config.execution_cache_path)
    _, notebook = outputs.merge_match_into_notebook(cache.notebook(app, page))
    del notebook.cells[-1]  # the one that was appended
    for output in chain.from_iterable(cell.get("outputs", []) for cell in notebook.cells):
        output.get("data", {}).pop(MIME, None)  # for the site alone
    return notebook


def first_cells(app: Sphinx, page: str) -> list[NotebookNode]:
    """The cell that installs the book's package, or says how, and the one that saves waiting."""
    repository = addresses.repository(app)
    if not repository:
        words = _(
            "The cells below import `rnnbook`, the package of the book that this chapter is from. "
            "To have it, run `pip install .` in the folder of the project."
        )
        return [new_markdown_cell(words)]
    package = f"rnnbook[all] @ git+{repository}@{os.environ.get('GITHUB_SHA', 'main')}"
    what = _("The code of the book, which the cells below import, unless it is here already")
    cells = [new_code_cell(INSTALL.format(what=what, package=package))]
    key = app.env.metadata[page]["key"]
    results = results_of(Path(app.env.mystnb_config.execution_cache_path), key)
    if results.exists():
        why = _("The longer trainings below take over what the page's ended with; delete to train")
        address = f"{addresses.site(app)}{FOLDER}/{key}.pt"
        source = USE.format(why=why, address=address, sha256=digest(results))
        cells.append(new_code_cell(source))
    return cells


INSTALL = """\
# {what}
from importlib.util import find_spec
if not find_spec("rnnbook"):
    %pip install --quiet '{package}'\
"""
USE = """\
# {why}
from rnnbook.training import results
results.use("{address}", "{sha256}")\
"""


def _write(app: Sphinx, page: str, template: str, context: dict, doctree) -> None:
    if doctree and page in executions(app.env) and not app.config.bookbuild_chapter:
        path = f"_notebooks/{Path(page).name}.ipynb"
        context["notebook"] = "../" * page.count("/") + path
        Path(app.outdir, path).parent.mkdir(exist_ok=True)
        nbformat.write(notebook(app, page, doctree, context["body"]), Path(app.outdir, path))


class NotebookRole(SphinxRole):
    """``{notebook}`lstm` ``: a link to the notebook of a chapter, from any page of the book."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        path = f"{'../' * self.env.docname.count('/')}_notebooks/{self.text}.ipynb"
        link = nodes.reference("", f"{self.text}.ipynb", internal=True, refuri=path)
        return [link], []


def setup(app: Sphinx) -> None:
    app.add_role("notebook", NotebookRole())
    app.connect("html-page-context", _write)
