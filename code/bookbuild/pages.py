"""What the pages need besides what Sphinx writes: sizes of pictures, and solutions that open.

A picture with its size leaves the text where it is while it loads; all but the first are loaded
when the reader comes near. A solution is a `<details>` element, so it opens without a script.
"""

import re
from functools import cache
from html import escape
from pathlib import Path

from docutils import nodes
from myst_nb.sphinx_ import HideCodeCellNode
from PIL import Image
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx_exercise.nodes import is_extension_node, solution_node

from bookbuild.languages import with_translated_parts

PICTURE = re.compile(r'<img (?P<rest>[^>]*?src="(?P<source>[^"]*_images/[^"]+)"[^>]*?)\s*/?>')
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


# ------------------------------------------------------------------ what opens


class summary(nodes.title):
    """The title of a solution, which is what one sees of it until it is opened."""


class OpenSolutions(SphinxPostTransform):
    """Exercises and solutions hold their content itself, instead of a section without a heading."""

    default_priority = 200  # when sphinx-exercise has completed the titles
    formats = ("html",)

    def run(self) -> None:
        for box in list(self.document.findall(is_extension_node)):
            for content in [child for child in box if isinstance(child, nodes.section)]:
                content["ids"].clear()  # the same in all of them
                content.replace_self(content.children)
            if isinstance(box, solution_node):  # a link in its title would not open it
                box[0].replace_self(summary("", box[0].astext()))


def _open_solution(translator, node: solution_node) -> None:
    translator.body.append(translator.starttag(node, "details", CLASS="admonition"))


def _open_fold(translator, node: HideCodeCellNode) -> None:
    """A folded cell, as myst-nb has it, but named by the words that one sees, and valid HTML."""
    translator.body.append(translator.starttag(node, "details", CLASS="admonition hide"))
    prompts = {"collapsed": node["prompt_show"], "expanded": node["prompt_hide"]}
    spans = [f'<span class="{state}">{escape(words)}</span>' for state, words in prompts.items()]
    translator.body.append(f"<summary>{''.join(spans)}</summary>\n")


def _close_details(translator, node: nodes.Element) -> None:
    translator.body.append("</details>\n")


def _open_summary(translator, node: summary) -> None:
    translator.body.append(translator.starttag(node, "summary", "", CLASS="admonition-title"))


def _close_summary(translator, node: summary) -> None:
    translator.body.append("</summary>\n")


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
    body = with_plain_roles(with_labels(context["body"]))
    pictures = {name: Path(app.srcdir, path) for path, name in app.builder.images.items()}
    context["body"] = with_sizes(body, pictures)


def _write_files(app: Sphinx, error: Exception | None) -> None:
    if error or app.builder.format != "html":
        return
    for name in app.builder.images.values():  # those of the pages that were written
        path = Path(app.outdir, "_images", name)
        if path.suffix == ".svg":
            path.write_text(smaller(path.read_text("utf-8")), "utf-8")


def setup(app: Sphinx) -> None:
    app.add_post_transform(OpenSolutions)
    app.add_node(summary, html=(_open_summary, _close_summary))
    app.add_node(solution_node, override=True, html=(_open_solution, _close_details))
    app.add_node(HideCodeCellNode, override=True, html=(_open_fold, _close_details))
    app.connect("html-page-context", _complete)
    app.connect("build-finished", _write_files)
