"""The directive `{claims}`: a table of all that the book claims, with the bounds it checks."""

import json
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.docutils import SphinxDirective

HEADINGS = ["Claim", "Measured", "At least", "At most", "Chapter"]


class claims_table(nodes.General, nodes.Element):
    """Stands for the table until every chapter has been read."""


class Claims(SphinxDirective):
    def run(self) -> list[nodes.Node]:
        self.env.bookbuild_claims_pages = {
            *getattr(self.env, "bookbuild_claims_pages", set()),
            self.env.docname,
        }
        return [claims_table()]


def all_claims(env: BuildEnvironment) -> list[tuple[str, str, dict]]:
    """Chapter, name and {"value", "at_least", "at_most"} of every claim, in the book's order."""
    found = []
    for docname in env.toctree_includes.get(env.config.root_doc, []):
        path = Path(env.mystnb_config.output_folder, f"{docname}.glue.json")
        if docname not in getattr(env, "nb_metadata", {}) or not path.exists():
            continue
        for name, output in json.loads(path.read_text("utf-8")).items():
            if "claim" in output.get("metadata", {}):
                found.append((docname, name, output["metadata"]["claim"]))
    return found


def _table(app: Sphinx, docname: str) -> nodes.table:
    rows = [nodes.row("", *[_entry(nodes.Text(word)) for word in HEADINGS])]
    for chapter, name, claim in all_claims(app.env):
        link = nodes.reference(
            "",
            app.env.titles[chapter].astext(),
            internal=True,
            refuri=app.builder.get_relative_uri(docname, chapter),
        )
        cells = [nodes.literal(name, name)]
        cells += [nodes.Text(_number(claim[key])) for key in ("value", "at_least", "at_most")]
        rows.append(nodes.row("", *[_entry(cell) for cell in [*cells, link]]))
    columns = [nodes.colspec(colwidth=1) for _ in HEADINGS]
    body = nodes.tbody("", *rows[1:])
    group = nodes.tgroup("", *columns, nodes.thead("", rows[0]), body, cols=len(HEADINGS))
    return nodes.table("", group, classes=["colwidths-auto"])


def _entry(content: nodes.Node) -> nodes.entry:
    return nodes.entry("", nodes.paragraph("", "", content))


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def _fill(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    for node in list(doctree.findall(claims_table)):
        node.replace_self(_table(app, docname))


def _write_again(app: Sphinx, env: BuildEnvironment) -> set[str]:
    """Pages with the table are written again after each build that read anything."""
    return getattr(env, "bookbuild_claims_pages", set())


def setup(app: Sphinx) -> None:
    app.add_node(claims_table)
    app.add_directive("claims", Claims)
    app.connect("doctree-resolved", _fill)
    app.connect("env-updated", _write_again)
