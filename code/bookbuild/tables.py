"""A table as docutils wants it."""

from collections.abc import Sequence

from docutils import nodes

Cell = str | list[nodes.Node]  # words, or inline nodes


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
