"""The short way of a chapter, which is what is not folded as deeper, stays short."""

import re
import subprocess
import sys

import jupytext
import pytest
from bs4 import BeautifulSoup

from built import ROOT
from test_chapters import NOT_SHOWN

CHAPTERS = [
    path.stem
    for path in sorted((ROOT / "book").glob("*.md"))
    if "```{deeper}" in path.read_text("utf-8")
]
NO_PROSE = (
    "details.deeper, .cell, figure, table, pre, .headerlink, .math, [class^=mjx], .rnn-demo, .about"
)


def short_way(html, chapter):
    """The page up to "In practice", without what is folded, code, pictures, tables, formulas."""
    page = BeautifulSoup((html / f"book/{chapter}.html").read_text("utf-8"), "html.parser")
    body = page.select_one("main .body")
    end = body.select_one("section#in-practice")
    for part in [*end.find_next_siblings(), end, *body.select(NO_PROSE)]:
        part.extract()
    return body


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_short_way_is_short(chapter, html):
    body = short_way(html, chapter)
    sections = [
        part for part in body.select("section section") if not part.select(":scope > .deeper")
    ]
    prose = [part.get_text(" ") for part in body.select("p, li") if not part.select("p")]
    found = {
        "words": len(re.findall(r"[\w'’-]+", " ".join(prose))),
        "numbers": len(body.select(".pasted-text")),
        "sections": len(sections),
    }
    print(chapter, found)
    assert found["words"] <= 1600 and found["numbers"] <= 8 and found["sections"] <= 10, found


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_short_way_never_leads_into_what_is_folded(chapter, html):
    page = BeautifulSoup((html / f"book/{chapter}.html").read_text("utf-8"), "html.parser")
    folded = {f"#{part['id']}" for part in page.select("details.deeper [id]")}
    links = {link["href"] for link in short_way(html, chapter).select("a[href^='#']")}
    assert not links & folded


def without_deeper(text):
    """The source of a chapter without the sections that begin with `deeper`, and those in them."""
    headings = re.compile(r"(?ms)^(?P<fence>`{3,}).*?^(?P=fence)$|^(?P<level>#+) [^\n]+\n")
    kept, folded, begin = [], 0, 0  # folded: the level of the heading under which all is
    for found in [*headings.finditer(text), None]:
        if found and not found["level"]:
            continue  # a cell or a box, in which "# " begins a comment
        end = found.start() if found else len(text)
        kept += [] if folded else [text[begin:end]]
        if found and not 0 < folded < len(found["level"]):
            is_deeper = text[found.end() :].lstrip().startswith("```{deeper}")
            folded = len(found["level"]) if is_deeper else 0
        begin = end
    return "".join(kept)


def test_a_section_goes_with_those_in_it():
    folded = "## B\n\n```{deeper} 3\nb\n```\n\n```\n# x\n```\n\n### C\n\ny\n\n"
    assert without_deeper(f"# A\n\na\n\n{folded}## D\n\nd\n") == "# A\n\na\n\n## D\n\nd\n"


def test_the_program_of_a_short_way_needs_nothing_that_is_folded(tmp_path):
    for chapter in CHAPTERS:
        text = (ROOT / f"book/{chapter}.md").read_text("utf-8")
        short = without_deeper(text.partition("## In practice")[0])
        cells = [
            cell.source
            for cell in jupytext.reads(short, fmt="md:myst").cells
            if cell.cell_type == "code" and not NOT_SHOWN & {*cell.metadata.get("tags", ())}
        ]
        (tmp_path / f"{chapter}.py").write_text("\n".join(cells), "utf-8")
    check = [sys.executable, "-m", "ruff", "check", "--isolated", "--select", "F821", tmp_path]
    result = subprocess.run(check, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout
