"""A chapter as slides, made from its page: figures, guesses and equations, one idea a slide.

They lie in each edition's `_slides`, one file a chapter, and need nothing but the pictures beside
them, so they work from a disk, and print, a slide a sheet. What is deeper, exercises and programs
are left out; the answer to a guess opens when it is pressed.
"""

from collections.abc import Iterator
from pathlib import Path

from bs4 import BeautifulSoup, Tag
from sphinx.application import Sphinx

from bookbuild import about
from bookbuild.contents import vignette

TEMPLATE = "book/_templates/slides.html"
IDEAS = "figure, table, div.math, details.dropdown, div.card"  # each is one slide
LEFT_OUT = "details.deeper, .cell, .exercise, .solution, .headerlink, .rnn-demo, .stream"
LED_IN = ("div.math", "details.dropdown", "table")  # by the paragraph before
END = "in-practice"  # the section that ends the short way


def slides(body: BeautifulSoup) -> Iterator[tuple[str, list[Tag]]]:
    """For each slide its heading and what it shows, of the HTML of a chapter's page."""
    for part in body.select(LEFT_OUT):
        part.decompose()
    for section in body.select("section > section"):
        if section.parent.parent.name == "section":
            continue  # a section in one of these
        if section["id"] == END:
            return
        heading = section.find(["h2"]).get_text()
        for idea in section.select(IDEAS):
            if not idea.find_parent(is_idea):
                yield heading, [*_lead(idea), idea]


def is_idea(tag: Tag) -> bool:
    return tag.css.match(IDEAS)


def _lead(idea: Tag) -> list[Tag]:
    """The paragraph that leads to an equation, a table or the answer to a guess."""
    before = idea.find_previous_sibling()
    wanted = any(idea.css.match(kind) for kind in LED_IN)
    return [before] if wanted and before and before.name == "p" else []


def _clean(part: Tag) -> str:
    """The HTML of a part without places and without links into the book."""
    copy = BeautifulSoup(str(part), "html.parser")
    for tag in copy.select("[id]"):
        del tag["id"]
    for link in copy.select("a.internal, a[href^='#']"):
        link.unwrap()
    return str(copy)


def _write(app: Sphinx, page: str, template: str, context: dict, doctree) -> None:
    wanted = doctree and about.line(app, page) and (app.srcdir / TEMPLATE).exists()
    if not wanted or app.config.bookbuild_chapter:
        return
    path = f"_slides/{Path(page).name}.html"
    context["slides"] = "../" * page.count("/") + path
    shown = [
        (heading, "".join(map(_clean, parts)))
        for heading, parts in slides(BeautifulSoup(context["body"], "html.parser"))
    ]
    drawing = vignette(app, page)
    words = {**context, "shown": shown, "drawing": drawing, "page": Path(page).name}
    Path(app.outdir, path).parent.mkdir(exist_ok=True)
    Path(app.outdir, path).write_text(
        app.builder.templates.render(Path(TEMPLATE).name, words), "utf-8"
    )


def setup(app: Sphinx) -> None:
    app.connect("html-page-context", _write, priority=600)  # behind what adds to the context
