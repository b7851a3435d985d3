"""Every chapter runs from top to bottom; each shows up here by name."""

import json
import re
import runpy
import subprocess
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

import jupytext
import matplotlib.pyplot as plt
import pytest
import yaml
from nbformat import NotebookNode

from bookbuild.sources import lacks
from built import ROOT
from rnnbook.data import mnist, shakespeare, shakespeare_ids
from rnnbook.training.settings import Settings

CHAPTERS = sorted(
    path.stem for path in (ROOT / "book").glob("*.md") if "{code-cell}" in path.read_text("utf-8")
)
SOURCES = {chapter: (ROOT / f"book/{chapter}.md").read_text("utf-8") for chapter in CHAPTERS}
PARTS = yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))["parts"]
FIRST_COURSE = [Path(entry["file"]).name for entry in PARTS[0]["chapters"]]


def test_every_part_of_the_contents_but_the_last_is_of_chapters():
    """What is only looked up comes last."""
    *courses, last = PARTS
    taught = [Path(entry["file"]).name for part in courses for entry in part["chapters"]]
    assert set(taught) <= set(CHAPTERS) and len(taught) > len(last["chapters"])
    others = [Path(entry["file"]).name for entry in last["chapters"]]
    assert set(CHAPTERS) - set(taught) <= set(others)


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_chapter(chapter, site):
    executed = f"book/{chapter}" in site.execution["chapters"]
    assert executed, f"not executed, or it failed; the build says:\n{site.output[-6000:]}"


@pytest.mark.parametrize("chapter", sorted(set(CHAPTERS) - {"notation", "python"}))
def test_a_chapter_has_all_that_a_reader_expects(chapter):
    assert lacks(SOURCES[chapter]) == []


# ------------------------------------------------------------------ the second edition

SECOND = [chapter for chapter, text in SOURCES.items() if "{checked}" in text]
NOT_SHOWN = {"hide-cell", "hide-input", "remove-cell", "remove-input"}
LESS = {  # of what takes long and is no training
    "shakespeare": {
        '"\\n", 3000, T': '"\\n", 30, T',
        '"\\n", 2000, t': '"\\n", 20, t',
        "validation[:20_000]": "validation[:2_000]",
    },
    "vanishing_gradient": {"range(600)": "range(2)"},
    "pixels": {
        "8192": "1024",
        "B in (1, 64)": "B in (1, 4)",
        "at_least=0.1": "at_least=0.001",
        "58_000:]": "59_900:]",
    },
    "digits": {
        "= states_of(model, images),": "= states_of(model, images[:1000]).repeat(55, 1, 1),"
    },
    "kanji": {
        "one.strokes) for one in kanji.train)": "one.strokes) for one in kanji.train[:200])",
        "draw_kanji(pen, 400,": "draw_kanji(pen, 40,",
        "line = torch.linspace(-40, 40, 1601": "line = torch.linspace(-40, 40, 161",
    },
    "names": {"for name in names.test]": "for name in names.test[:100]]"},
    "attention": {
        "for name in names.test]": "for name in names.test[:100]]",
        "(20_000, learned), (2_000, learned), (1_500, apart)": (
            "(2_000, learned), (200, learned), (300, apart)"
        ),
    },
    "simple_rnn": {"range(300)": "range(20)"},
    "bugs": {"held_out[:5000]": "held_out[:500]", "range(50)": "range(3)"},
    "records": {"ids[60_000:70_000]": "ids[60_000:61_000]"},
    "bptt": {"seed in range(5)": "seed in range(1)", "range(10)": "range(1)"},
}


@cache
def cells_of(chapter: str) -> list[NotebookNode]:
    return jupytext.read(ROOT / f"book/{chapter}.md").cells


def code_cells(chapter: str, *, shown: bool) -> list[str]:
    """The code of the cells that a reader sees, or of those that are folded or left out."""
    return [
        cell.source
        for cell in cells_of(chapter)
        if cell.cell_type == "code" and shown == (not NOT_SHOWN & {*cell.metadata.get("tags", ())})
    ]


@pytest.fixture
def less_of_everything(monkeypatch):
    """Two steps for each training, the first part of Shakespeare, and few test digits."""
    load_mnist = mnist.load_mnist

    def beginning(load, length):
        def text():
            whole = load()
            return replace(whole, text=whole.text[:length])

        return text

    def digits():
        train_images, train_labels, *test = load_mnist()
        return mnist.Mnist(train_images, train_labels, *(tensor[:1000] for tensor in test))

    text = beginning(shakespeare.load_shakespeare, 100_000)
    monkeypatch.setattr(shakespeare, "load_shakespeare", text)
    two_plays = beginning(shakespeare_ids.load_rebuilt, 250_000)
    monkeypatch.setattr(shakespeare_ids, "load_rebuilt", two_plays)
    monkeypatch.setattr(mnist, "load_mnist", digits)
    monkeypatch.setattr(Settings, "total_steps", lambda settings, batches: 2)


@pytest.mark.usefixtures("less_of_everything", "one_thread")
@pytest.mark.filterwarnings("ignore:Mean of empty slice", "ignore:invalid value")  # a cut-off play
@pytest.mark.parametrize("chapter", SECOND)
def test_the_cells_that_one_sees_are_a_program(chapter, tmp_path, monkeypatch):
    """Copied in their order, they run; here, with two steps for each training, and less of all."""
    cells = re.sub(r"num_steps=\d+", "num_steps=2", "\n\n".join(code_cells(chapter, shown=True)))
    for old, new in LESS.get(chapter, {}).items():
        assert old in cells
        cells = cells.replace(old, new)
    program = tmp_path / f"{chapter}.py"
    program.write_text(cells, "utf-8")
    monkeypatch.chdir(tmp_path)
    plt.switch_backend("agg")
    runpy.run_path(str(program), run_name="__main__")
    plt.close("all")


def test_solutions_too_find_what_they_use_in_cells_that_one_can_see(tmp_path):
    """Cells that are left out of the page define nothing that others need, one plot excepted."""
    for chapter in CHAPTERS:
        lines = ["museum = {}"] if chapter == "bugs" else []  # of all specimens, for one figure
        for cell in cells_of(chapter):
            tags = {*cell.metadata.get("tags", ())}
            if cell.cell_type == "code" and not tags & {"remove-cell", "remove-input"}:
                lines.append(cell.source)
        (tmp_path / f"{chapter}.py").write_text("\n".join(lines), "utf-8")
    check = [sys.executable, "-m", "ruff", "check", "--isolated", "--select", "F821", tmp_path]
    result = subprocess.run(check, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("chapter", SECOND)
def test_a_reader_of_the_code_sees_no_checks(chapter):
    """But those of shapes, which tell what a tensor is."""
    lines = "\n".join(code_cells(chapter, shown=True)).splitlines()
    checks = [line for line in lines if re.search(r"\b(?:claim|glue|assert)\b", line)]
    assert [line for line in checks if ".shape" not in line] == []


@pytest.mark.parametrize("chapter", SECOND)
def test_the_prose_of_a_chapter_quotes_few_numbers(chapter):
    """Most stand in tables, in figures, and in what was checked."""
    text = re.sub(r"(?s)```\{checked\}.*?```", "", SOURCES[chapter])
    prose = [line for line in text.splitlines() if not line.startswith("|")]
    assert "\n".join(prose).count("{glue:text}") <= (12 if chapter in FIRST_COURSE else 20)


# ------------------------------------------------------------------ the build


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
