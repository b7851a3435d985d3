"""Pages that show what other pages have computed.

Such are the page of claims, the report of the build, and every page with a number from another
chapter (`{glue:text}` with `chapter::name`). They are filled in when every chapter has been read,
and written again whenever a page was: Sphinx would leave them as they are, stale, since nothing in
their own source has changed. When the title of a page has, or what it is about, all pages are
written: they name it.
"""

from collections.abc import Callable, Sequence

from docutils import nodes
from myst_nb.ext.glue.crossref import read_glue_cache
from myst_nb.ext.glue.utils import PendingGlueReference
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.docutils import SphinxDirective

Cell = str | list[nodes.Node]  # words, or inline nodes


def executions(env: BuildEnvironment) -> dict[str, dict]:
    """What myst-nb knows of the last execution of each chapter, in the book's order."""
    pages = getattr(env, "nb_metadata", {})
    return {
        name: pages[name]["exec_data"]
        for name in env.toctree_includes.get(env.config.root_doc, [])
        if "exec_data" in pages.get(name, {})
    }


def outputs(env: BuildEnvironment, chapter: str) -> dict[str, dict]:
    """What a chapter has glued: for each name the output, with its `data` and `metadata`."""
    return read_glue_cache(env.mystnb_config.output_folder, chapter)


def table(headings: Sequence[str], rows: Sequence[Sequence[Cell]], style: str = "") -> nodes.table:
    """A table with `headings`, if any."""
    columns = max(map(len, [headings, *rows]))
    group = nodes.tgroup("", *[nodes.colspec(colwidth=1) for _ in range(columns)], cols=columns)
    if headings:
        group += nodes.thead("", _row(headings))
    group += nodes.tbody("", *map(_row, rows))
    return nodes.table("", group, classes=["colwidths-auto", *style.split()])


def _row(cells: Sequence[Cell]) -> nodes.row:
    inlines = [[nodes.Text(cell)] if isinstance(cell, str) else cell for cell in cells]
    return nodes.row("", *[nodes.entry("", nodes.paragraph("", "", *one)) for one in inlines])


class gathered(nodes.General, nodes.Element):
    """Stands for what `fill` makes."""


def add_directive(app: Sphinx, name: str, fill: Callable) -> None:
    """Let `{name}` be filled with the nodes that `fill(app, page)` returns."""

    class Gathering(SphinxDirective):
        def run(self) -> list[nodes.Node]:
            return [gathered(fill=fill)]

    app.add_directive(name, Gathering)


class Fill(SphinxPostTransform):
    default_priority = 4  # before references and numbers in what is filled in are resolved

    def run(self) -> None:
        for node in list(self.document.findall(gathered)):
            node.replace_self(node["fill"](self.app, self.env.docname))


def _note(app: Sphinx, doctree: nodes.document) -> None:
    app.bookbuild_has_read = True
    if any(doctree.findall(lambda node: isinstance(node, gathered | PendingGlueReference))):
        app.env.metadata[app.env.docname]["gathers"] = True


def _write_again(app: Sphinx, env: BuildEnvironment) -> list[str]:
    if not app.bookbuild_has_read:
        return []
    before = getattr(env, "bookbuild_titles", None)
    env.bookbuild_titles = {
        name: (title.astext(), env.metadata[name].get("about"))
        for name, title in env.titles.items()
    }
    if before not in (None, env.bookbuild_titles):
        return sorted(env.found_docs)
    return [name for name, about in env.metadata.items() if "gathers" in about]


def setup(app: Sphinx) -> None:
    app.bookbuild_has_read = False
    app.add_post_transform(Fill)
    app.connect("doctree-read", _note)
    app.connect("env-updated", _write_again)
