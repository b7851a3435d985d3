"""A table as docutils wants it."""

from collections.abc import Iterable

from docutils import nodes

Cell = str | list[nodes.Node]  # words, or inline nodes


def table(headings: list[str], rows: Iterable[list[Cell]], style: str = "") -> nodes.table:
    """A table with `headings`, if any."""
    rows = [_row(row) for row in rows]
    columns = max((len(row) for row in rows), default=len(headings))
    group = nodes.tgroup("", *[nodes.colspec(colwidth=1) for _ in range(columns)], cols=columns)
    if headings:
        group += nodes.thead("", _row(headings))
    group += nodes.tbody("", *rows)
    return nodes.table("", group, classes=["colwidths-auto", *style.split()])


def _row(cells: list[Cell]) -> nodes.row:
    inlines = [[nodes.Text(cell)] if isinstance(cell, str) else cell for cell in cells]
    return nodes.row("", *[nodes.entry("", nodes.paragraph("", "", *one)) for one in inlines])
