"""Which chapters run side by side, on how many threads, and what is said meanwhile."""

import re
import threading
from types import SimpleNamespace

import pytest
from nbformat.v4 import new_code_cell, new_notebook

from bookbuild import execution, recovery
from bookbuild.execution import Chapter, execute, places
from waiting import PATIENCE


class Fake(Chapter):
    """A chapter that only notes how it was run."""

    log: list  # (name, threads, how many were running), shared by all
    active: set
    together: threading.Barrier | None = None  # where two must meet
    until: threading.Event | None = None  # for which it waits
    killed = False

    def run(self, config, threads):
        self._note(None, 2)
        self.active.add(self.name)
        if self.together and not self.wishes.get("alone"):
            self.together.wait(timeout=PATIENCE / 1000)
        if self.until:
            self.until.wait(timeout=PATIENCE / 1000)
        self.log.append((self.name, threads, len(self.active)))
        self.active.discard(self.name)
        if self.wishes.get("fails"):
            raise ValueError("the moon")

    def kill(self):
        self.killed = True


@pytest.fixture
def make(monkeypatch, tmp_path):
    """Makes chapters from what their front matter says; this machine has four cores."""
    log, active = [], set()
    monkeypatch.setattr(execution.machine, "cores", lambda: 4)
    monkeypatch.setattr(execution, "keep", lambda store, notebook, *_: store.append(notebook.name))

    def made(**wishes):
        chapters = []
        for name, wish in wishes.items():
            notebook = SimpleNamespace(name=name, metadata={"bookbuild": wish}, cells=[None] * 7)
            chapter = Fake(name, tmp_path, notebook)
            chapter.log, chapter.active = log, active
            chapters.append(chapter)
        return chapters

    return made


def test_chapters_share_the_cores_and_one_that_measures_time_has_them_all(make, monkeypatch):
    monkeypatch.setenv("BOOKBUILD_JOBS", "2")
    chapters = make(a={"seconds": 1}, timed={"alone": True}, b={"seconds": 9})
    Fake.together = threading.Barrier(2)  # each of the two waits for the other
    try:
        kept = []
        assert execute(chapters, None, kept) == {}
    finally:
        Fake.together = None
    assert sorted(kept) == ["a", "b", "timed"]
    shares = {name: threads for name, threads, _ in chapters[0].log}
    assert shares == {"a": 2, "b": 2, "timed": 4}
    assert chapters[0].log[-1] == ("timed", 4, 1)


def test_the_longest_chapters_begin_first(make, monkeypatch):
    monkeypatch.setenv("BOOKBUILD_JOBS", "1")
    chapters = make(short={"seconds": 1}, unknown={}, long={"seconds": 9}, middle={"seconds": 5})
    execute(chapters, None, [])
    assert [name for name, _, _ in chapters[0].log] == ["long", "middle", "short", "unknown"]


def test_a_failing_chapter_lets_the_sound_ones_finish(make, monkeypatch):
    monkeypatch.setenv("BOOKBUILD_JOBS", "1")
    kept = []
    failures = execute(make(bad={"fails": True, "seconds": 9}, good={}), None, kept)
    assert failures == {"bad": "the moon"} and kept == ["good"]


def test_when_a_result_cannot_be_kept_nobody_waits_for_the_others(make, monkeypatch):
    """As on a disk that is full."""

    def full(*result):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(execution, "keep", full)
    chapters = make(a={}, b={})
    with pytest.raises(OSError, match="No space left"):
        execute(chapters, None, [])
    assert all(chapter.killed for chapter in chapters)


@pytest.mark.parametrize(("gigabytes", "at_once"), [(100, 4), (5, 2), (0.5, 1)])
def test_as_many_run_at_once_as_fit_into_memory(gigabytes, at_once, monkeypatch):
    monkeypatch.setattr(execution.machine, "cores", lambda: 4)
    memory = SimpleNamespace(available=gigabytes * 1e9)
    monkeypatch.setattr(execution.psutil, "virtual_memory", lambda: memory)
    assert places() == at_once


# ------------------------------------------------------------------ what is said


def test_lines_say_at_which_cell_the_chapters_are_and_what_became_of_them(make, monkeypatch):
    said, heard = [], threading.Event()

    def info(text, *values):
        said.append(text % values)
        if "; " in text:
            heard.set()

    monkeypatch.setattr(execution, "logger", SimpleNamespace(info=info))
    monkeypatch.setattr(execution, "EVERY", 0.01)
    monkeypatch.setattr(Fake, "until", heard)
    monkeypatch.setenv("BOOKBUILD_JOBS", "2")
    execute(make(a={"seconds": 9}, b={"fails": True}, timed={"alone": True}), None, [])
    assert "a cell 3 of 7; b cell 3 of 7" in said
    ends = {re.sub(r"\d+ s", "a time", line.partition(" (")[0]) for line in said}
    assert {"a: executed in a time", "b: failed"} <= ends
    assert re.fullmatch(r"timed: executed in \d+ s \(3 of 3\)", said[-1])


def test_a_chapter_killed_before_its_kernel_is_there_runs_no_cell(tmp_path):
    chapter = Chapter("alpha", tmp_path, SimpleNamespace(cells=[None]))
    chapter._note(None, 0)
    chapter.kill()
    with pytest.raises(InterruptedError):
        chapter._note(None, 0)


def test_a_line_that_comes_in_two_parts_stays_one_line(tmp_path):
    """A kernel sends what was printed so far at any moment, in the middle of a line, too."""
    code = "import time; print('one', end='', flush=True); time.sleep(0.5); print(' line')"
    notebook = new_notebook(cells=[new_code_cell(code)])
    settings = SimpleNamespace(execution_timeout=PATIENCE / 1000, execution_allow_errors=False)
    Chapter("alpha", tmp_path / "alpha.md", notebook).run(settings, threads=1)
    assert [output.text for output in notebook.cells[0].outputs] == ["one line\n"]


@pytest.mark.parametrize(("builder", "left"), [("html", True), ("linkcheck", False)])
def test_broken_links_do_not_make_the_next_build_read_everything(builder, left, tmp_path):
    mark = tmp_path / "unfinished"
    mark.touch()
    turn = SimpleNamespace(lock=SimpleNamespace(release=lambda: None))
    app = SimpleNamespace(
        builder=SimpleNamespace(name=builder),
        config=SimpleNamespace(bookbuild_chapter=""),
        _warncount=1,
        bookbuild_mark=mark,
        bookbuild_turn=turn,
    )
    recovery._end(app, None)
    assert mark.exists() == left
