"""A table as docutils wants it."""

from collections.abc import Iterable

from docutils import nodes


def table(
    headings: list[str], rows: Iterable[list[list[nodes.Node]]], style: str = ""
) -> nodes.table:
    """A table with `headings`, if any; a row is a list of cells, a cell a list of inline nodes."""
    rows = list(map(_row, rows))
    columns = max((len(row) for row in rows), default=len(headings))
    group = nodes.tgroup("", *[nodes.colspec(colwidth=1) for _ in range(columns)], cols=columns)
    if headings:
        group += nodes.thead("", _row([nodes.Text(word)] for word in headings))
    group += nodes.tbody("", *rows)
    return nodes.table("", group, classes=["colwidths-auto", *style.split()])


def _row(cells: Iterable[list[nodes.Node]]) -> nodes.row:
    return nodes.row("", *[nodes.entry("", nodes.paragraph("", "", *cell)) for cell in cells])
