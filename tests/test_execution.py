"""Which chapters run side by side, on how many threads, and what is said meanwhile."""

import io
import threading
from types import SimpleNamespace

import pytest

from bookbuild import execution, status
from bookbuild.execution import Chapter, execute, places
from bookbuild.status import Status


class Fake(Chapter):
    """A chapter that only notes how it was run."""

    log: list  # (name, threads, how many were running), shared by all
    active: set
    together: threading.Barrier | None = None  # where two must meet
    killed = False

    def run(self, config, threads, status):
        status.started(self.name)
        self.active.add(self.name)
        if self.together and not self.wishes.get("alone"):
            self.together.wait(timeout=60)
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
    monkeypatch.setattr(execution, "_keep", lambda chapter, store: store.append(chapter.name))

    def made(**wishes):
        chapters = []
        for name, wish in wishes.items():
            notebook = SimpleNamespace(metadata={"bookbuild": wish})
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

    def full(chapter, store):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(execution, "_keep", full)
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


@pytest.fixture
def clock(monkeypatch):
    now = SimpleNamespace(seconds=0.0)
    monkeypatch.setattr(status, "monotonic", lambda: now.seconds)
    return now


def test_a_log_has_a_line_at_least_every_twenty_seconds(clock):
    stream = io.StringIO()
    said = Status(2, stream)
    said.started("alpha")
    silences, last, size = [], 0.0, len(stream.getvalue())
    for second in range(1, 100):
        clock.seconds = second
        said.at("alpha", 1 + second // 10, 10)
        said.show()
        if len(stream.getvalue()) > size:
            silences.append(second - last)
            last, size = second, len(stream.getvalue())
    assert silences and max(silences) <= 20 and len(silences) < 10
    assert "90 s: 0 of 2 chapters; alpha cell 10 of 10 (90 s)" in stream.getvalue()
    said.finished("alpha", "executed")
    assert stream.getvalue().endswith("alpha: executed in 99 s (1 of 2 chapters)\n")


def test_a_terminal_has_one_line_that_changes(clock):
    stream = io.StringIO()
    stream.isatty = lambda: True
    said = Status(1, stream)
    said.started("alpha")
    for second in (1, 2):
        clock.seconds = second
        said.show()
    first, shown = stream.getvalue().split("\n")
    assert "alpha: executing" in first
    assert shown.split("\r\x1b[K")[1:] == [
        f"{second} s: 0 of 1 chapters; alpha starting ({second} s)" for second in (1, 2)
    ]
