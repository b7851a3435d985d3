"""Every chapter runs from top to bottom; each shows up here by name."""

import json

import pytest

from conftest import ROOT

CHAPTERS = sorted(
    path.stem for path in (ROOT / "book").glob("*.md") if "{code-cell}" in path.read_text("utf-8")
)


def test_there_are_chapters():
    assert {"simple_rnn", "digits", "shakespeare"} <= set(CHAPTERS)


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_chapter(chapter, site):
    result = site.execution["chapters"].get(f"book/{chapter}")
    assert result is not None, f"not executed; the build says:\n{site.output[-6000:]}"
    assert result["succeeded"]


def test_the_book_builds_without_warnings(site):
    assert site.returncode == 0, site.output[-6000:]


def test_the_japanese_edition_executes_nothing(html):
    report = json.loads((ROOT / "_build" / "ja" / "execution.json").read_text("utf-8"))
    assert {f"book/{chapter}" for chapter in CHAPTERS} == set(report["chapters"])
    assert not any(chapter["executed_now"] for chapter in report["chapters"].values())
