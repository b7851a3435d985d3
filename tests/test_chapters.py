"""Every chapter runs from top to bottom; each shows up here by name."""

import json
import re

import jupytext
import pytest

from conftest import ROOT

CHAPTERS = sorted(
    path.stem for path in (ROOT / "book").glob("*.md") if "{code-cell}" in path.read_text("utf-8")
)


def test_there_are_chapters():
    course = {"sequences", "simple_rnn", "vanishing_gradient", "lstm", "digits"}
    course |= {"crashed_notebook", "shakespeare", "notation"}
    depth = {"bptt", "bugs", "gru", "long_run", "memory", "pixels", "records"}
    assert course | depth == set(CHAPTERS)


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_chapter(chapter, site):
    result = site.execution["chapters"].get(f"book/{chapter}")
    assert result is not None, f"not executed; the build says:\n{site.output[-6000:]}"
    assert result["succeeded"]


@pytest.mark.parametrize("chapter", sorted(set(CHAPTERS) - {"notation"}))
def test_a_chapter_has_a_question_exercises_with_solutions_and_a_recap(chapter):
    text = (ROOT / "book" / f"{chapter}.md").read_text("utf-8")
    assert re.search(r"^\*.+\?\*$", text, re.MULTILINE), "a question, in a line of its own"
    exercises = re.findall(r"\{exercise\}\n:label: (\S+)", text)
    solutions = re.findall(r"\{solution\} (\S+)", text)
    assert len(exercises) >= 2 and exercises == solutions
    assert all(f"## {part}\n" in text for part in ("In practice", "Exercises", "Recap"))


def test_a_chapter_keeps_to_its_memory(site):
    """Binder gives no more than 2 GB."""
    memory = {name: data["megabytes"] for name, data in site.execution["chapters"].items()}
    assert {name for name, megabytes in memory.items() if megabytes > 2000} == set()


def test_the_book_builds_without_warnings(site):
    assert site.returncode == 0, site.output[-6000:]


def test_the_japanese_edition_executes_nothing(html):
    report = json.loads((ROOT / "_build" / "ja" / "execution.json").read_text("utf-8"))
    assert {f"book/{chapter}" for chapter in CHAPTERS} == set(report["chapters"])
    assert not any(chapter["executed_now"] for chapter in report["chapters"].values())


def test_every_chapter_becomes_a_notebook_with_all_its_cells(tmp_path):
    """As `make notebooks`, JupyterLab and Binder open it: by the chapter's own front matter."""
    for chapter in CHAPTERS:
        path = ROOT / "book" / f"{chapter}.md"
        cells = jupytext.read(path).cells
        expected = path.read_text("utf-8").count("```{code-cell} python\n")
        assert sum(cell.cell_type == "code" for cell in cells) == expected >= 3, chapter
