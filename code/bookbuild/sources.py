"""What is wrong with the sources, in one list, before anything is executed.

A page beside the others that the contents do not name; a label that stands in two places; what a
chapter lacks. Chapters are the pages of the parts that the contents number.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from myst_nb.core.read import is_myst_markdown_notebook
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError
from sphinx.util import logging
from sphinx_external_toc.api import SiteMap

logger = logging.getLogger(__name__)

LAST = [
    "In practice",
    "Write it yourself",
    "Exercises",
    "Ten questions",
    "Limits",
    "Card",
    "Recap",
    "What was checked",
]
LABEL = re.compile(r"^\((?P<above>[\w-]+)\)=$|^:(?:label|name): (?P<within>\S+)$")


def left_out(root: Path, pages: Collection[Path]) -> Iterator[str]:
    """The files beside the pages of the book that are none of them."""
    beside = {
        path for folder in {page.parent for page in pages} for path in root.glob(f"{folder}/*.md")
    }
    for path in sorted({path.relative_to(root) for path in beside} - {*pages}):
        yield f"{path}: it is not in _toc.yml, so nobody would see it"


def twice(texts: Mapping[Path, str]) -> Iterator[str]:
    """The labels that stand in two places, with both."""
    places: dict[str, str] = {}
    for path, text in texts.items():
        for number, line in enumerate(text.splitlines(), start=1):
            if found := LABEL.match(line):
                label, here = found["above"] or found["within"], f"{path}:{number}"
                if there := places.get(label):
                    yield f"{here}: the label {label!r} stands in {there}, too"
                places[label] = here


def lacks(text: str) -> list[str]:
    """What a chapter lacks."""
    before = text.partition("\n## In practice\n")[0]
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    exercises = re.findall(r"\{exercise\}\n:label: (\S+)", text)
    solutions = re.findall(r"\{solution\} (\S+)", text)
    questions = text.partition("\n## Ten questions\n")[2].partition("\n## ")[0]
    numbers = [int(number) for number in re.findall(r"^(\d+)\. ", questions, re.MULTILINE)]
    found = {
        "the front matter of a notebook, as other chapters have it": is_myst_markdown_notebook(
            text
        ),
        "`seconds` in its front matter, which its cells take": re.search(
            r"^  seconds: \d", text, re.M
        ),
        "{about}, below its title": "```{about} " in text,
        "its question, in a line of its own, as *Why is this so?*": re.search(
            r"^\*.+\?\*$", text, re.M
        ),
        "three guesses before 'In practice', with their answers in {admonition}": (
            before.count("{admonition}") >= 3
        ),
        f"at its end the sections {', '.join(LAST)}": headings[-len(LAST) :] == LAST,
        "`compare`, which checks what a reader has written": "compare(" in text,
        "two exercises, each with its {solution} behind it": (
            len(exercises) >= 2 and exercises == solutions
        ),
        "ten questions and their ten answers": numbers == [*range(1, 11)] * 2,
        "{chapter-card}": "{chapter-card}" in text,
        "{checked}, which states what its claims are": "```{checked}" in text,
    }
    return [words for words, there in found.items() if not there]


def chapters(contents: SiteMap) -> list[str]:
    """The pages of the parts that are numbered."""
    parts = contents.root.subtrees
    return [str(page) for part in parts if part.numbered for page in part.items]


# ------------------------------------------------------------------ in Sphinx


def _check(app: Sphinx, env: BuildEnvironment, names: list[str]) -> None:
    """Stop the build; where one chapter alone is built, say what it lacks."""
    pages = {name: Path(env.doc2path(name, base=False)) for name in sorted(env.found_docs)}
    texts = {path: (app.srcdir / path).read_text("utf-8") for path in pages.values()}
    taught = chapters(app.config.external_site_map)
    missing = [
        f"{pages[name]}: it lacks {words}"
        for name in taught
        if app.config.bookbuild_chapter in ("", name)
        for words in lacks(texts[pages[name]])
    ]
    if app.config.bookbuild_chapter:
        for words in missing:
            logger.warning(words)
    elif wrong := [*left_out(Path(app.srcdir), [*texts]), *twice(texts), *missing]:
        raise ExtensionError("\n".join(wrong))


def setup(app: Sphinx) -> None:
    app.connect("env-before-read-docs", _check, priority=100)  # before chapters are executed
