"""What the pages need besides what Sphinx writes: sizes of pictures, and solutions that open.

A picture with its size leaves the text where it is while it loads; all but the first are loaded
when the reader comes near. A solution is a `<details>` element, so it opens without a script.
"""

import re
from functools import cache
from pathlib import Path

from PIL import Image
from sphinx.application import Sphinx

from bookbuild.languages import with_translated_parts

PICTURE = re.compile(r'<img (?P<rest>[^>]*?src="(?P<source>[^"]*_images/[^"]+)"[^>]*?)\s*/?>')
SOLUTION = re.compile(
    r'<div class="solution dropdown admonition" id="(?P<id>[^"]+)">\s*'
    r'<p class="admonition-title">(?P<title>.*?)</p>\s*'
    r'<section id="solution-content">(?P<content>.*?)</section>\s*</div>',
    re.DOTALL,
)
NUMBER = re.compile(r"-?\d+\.\d{3,}")


def with_sizes(body: str, pictures: dict[str, Path]) -> str:
    """The HTML of a page with the width and height of each picture; `pictures` says where it is."""
    seen = 0

    def sized(match: re.Match) -> str:
        nonlocal seen
        seen += 1
        width, height = size(pictures[Path(match["source"]).name])
        lazy = ' loading="lazy"' if seen > 1 else ""
        return f'<img {match["rest"]} width="{width}" height="{height}"{lazy} decoding="async">'

    return PICTURE.sub(sized, body)


@cache
def size(path: Path) -> tuple[int, int]:
    """Width and height of a picture in pixels of the page."""
    if path.suffix != ".svg":
        return Image.open(path).size
    head = path.read_text("utf-8")[:3000]
    _, _, width, height = map(float, re.search(r'viewBox="([^"]+)"', head)[1].split())
    return round(width), round(height)


def with_solutions_that_open(body: str) -> str:
    def details(match: re.Match) -> str:
        title = re.sub("</?a[^>]*>", "", match["title"])  # a link would not open the solution
        return (
            f'<details class="solution admonition" id="{match["id"]}">'
            f'<summary class="admonition-title">{title}</summary>{match["content"]}</details>'
        )

    return SOLUTION.sub(details, body).replace('<section id="exercise-content">', "<section>")


def with_plain_roles(body: str) -> str:
    """Without the roles of docutils that are out of use, and with cells for empty headings."""
    body = re.sub(r' role="(doc-biblioentry|list)"', "", body)
    return re.sub(r"<th[^>]*>(<p></p>)?</th>", "<td></td>", body)


def with_labels(body: str) -> str:
    """Cells of tables that a phone shows one below the other say from which column they are."""

    def labelled(match: re.Match) -> str:
        head, rows = match[0].split("</thead>")
        labels = [re.sub("<[^>]+>", "", cell) for cell in re.findall(r"<th[^>]*>(.*?)</th>", head)]

        def with_column_names(row: str) -> str:
            begin, first, *others = row.split("<td>")  # the first cell speaks for itself
            named = zip(labels[1:], others, strict=True)
            cells = "".join(f'<td data-label="{label}">{cell}' for label, cell in named)
            return f"{begin}<td>{first}{cells}"

        begin, *rows = rows.split("<tr")
        return f"{head}</thead>{'<tr'.join([begin, *map(with_column_names, rows)])}"

    return re.sub(r'(?s)<table class="[^"]*(?:stacked|claims)[^"]*".*?</table>', labelled, body)


def smaller(svg: str) -> str:
    """A drawing with two decimals for the coordinates of its paths, and no comments."""
    svg = re.sub(r"<!--.*?-->\n?|<metadata>.*?</metadata>\n?", "", svg, flags=re.DOTALL)

    def rounded(match: re.Match) -> str:
        return NUMBER.sub(
            lambda number: f"{float(number[0]):.2f}".rstrip("0").rstrip("."), match[0]
        )

    return re.sub(r' d="[^"]*"', rounded, svg)


# ------------------------------------------------------------------ in Sphinx


def _complete(app: Sphinx, page: str, template: str, context: dict, doctree) -> None:
    if app.builder.format != "html":
        return
    chapters = context["toctree"](maxdepth=1, collapse=False, titles_only=True, includehidden=True)
    # The headings of this list are no headings of the page.
    chapters = re.sub(r' role="heading"| aria-level="\d"', "", chapters)
    context["chapters"] = with_translated_parts(app, chapters)
    if not doctree:
        return
    body = with_plain_roles(with_labels(with_solutions_that_open(context["body"])))
    pictures = {name: Path(app.srcdir, path) for path, name in app.builder.images.items()}
    context["body"] = with_sizes(body, pictures)


def _write_files(app: Sphinx, error: Exception | None) -> None:
    if error or app.builder.format != "html":
        return
    for path in Path(app.outdir, "_images").glob("*.svg"):
        path.write_text(smaller(path.read_text("utf-8")), "utf-8")


def setup(app: Sphinx) -> None:
    app.connect("html-page-context", _complete)
    app.connect("build-finished", _write_files)
