"""The records of the studies: complete, and made by what they say."""

import json
import sys
from concurrent.futures import Executor, Future
from types import SimpleNamespace

import pytest

from rnnbook import study


@pytest.mark.parametrize("name", study.names())
def test_a_record_has_every_run(name):
    record = study.load(name)
    expected = study._module(name).RUNS
    assert {run: result["settings"] for run, result in record["runs"].items()} == expected
    assert all(len(result["trace"]) == study.TRACE for result in record["runs"].values())


@pytest.mark.parametrize("name", study.names())
def test_a_record_was_made_or_confirmed_by_the_code_of_today(name):
    """If not: `python -m rnnbook study NAME --confirm`, or, where that fails, make it again."""
    assert study.is_current(study.load(name)), "THE CODE HAS CHANGED SINCE"


@pytest.mark.parametrize("name", study.names())
def test_the_first_steps_of_a_run_can_be_made_again(name):
    record = study.load(name)
    run = list(record["runs"])[len(record["runs"]) // 2]
    trace = record["runs"][run]["trace"]
    assert study.first_difference(trace, study.replay(name, run)) is None


def said_of(record) -> str:
    """What is said of the origin of a record, in one line."""
    lines = study.origin(record).splitlines()
    assert max(map(len, lines)) <= 76  # or it would not fit into the page
    return " ".join(lines)


class AtOnce(Executor):
    """Runs what is submitted in this process, until it is told to fail."""

    def __init__(self):
        self.done, self.at_most, self.cancelled = [], 99, False

    def submit(self, function, name, run):
        future = Future()
        if len(self.done) < self.at_most:
            self.done.append(run)
            future.set_result(function(name, run))
        else:
            future.set_exception(KeyboardInterrupt())
        return future

    def shutdown(self, wait=True, *, cancel_futures=False):
        self.cancelled = self.cancelled or cancel_futures


@pytest.fixture
def miniature(tmp_path, monkeypatch):
    """A study of three runs that takes no time."""
    module = SimpleNamespace(
        THREADS=1,
        RUNS={f"run {k}": {"k": k} for k in range(3)},
        run=lambda settings, stop=None: {"double": 2 * settings["k"], "trace": [1.0] * 50},
    )
    monkeypatch.setitem(sys.modules, "rnnbook.studies.miniature", module)
    monkeypatch.setattr(study, "RECORDS", tmp_path)
    monkeypatch.setattr(study, "code_digest", lambda name: "some code")
    return module


def test_a_study_is_recorded_with_its_settings_and_machine(miniature, tmp_path):
    study.conduct("miniature", AtOnce())
    record = json.loads((tmp_path / "miniature.json").read_text("utf-8"))
    assert record == study.load("miniature")
    assert [result["double"] for result in record["runs"].values()] == [0, 2, 4]
    assert record["runs"]["run 1"]["settings"] == {"k": 1}
    assert len(record["runs"]["run 1"]["trace"]) == study.TRACE
    assert record["machine"]["threads"] == 1 and "megabytes" not in record["machine"]
    assert "3 runs" in said_of(record) and "the same today" in said_of(record)


def test_an_interrupted_study_goes_on(miniature):
    broken, whole = AtOnce(), AtOnce()
    broken.at_most = 2
    with pytest.raises(KeyboardInterrupt):
        study.conduct("miniature", broken)
    study.conduct("miniature", whole)
    assert len(broken.done) == 2 and len(whole.done) >= 1
    assert broken.cancelled and not whole.cancelled
    assert set(broken.done) | set(whole.done) == set(miniature.RUNS)
    assert list(study.load("miniature")["runs"]) == list(miniature.RUNS)


def test_a_record_that_agrees_is_confirmed_and_keeps_what_it_was_made_with(miniature, monkeypatch):
    before = study.conduct("miniature", AtOnce())
    monkeypatch.setattr(study, "code_digest", lambda name: "tidier code")
    again = AtOnce()
    record = study.confirm("miniature", again)
    assert set(again.done) == set(miniature.RUNS)
    assert record == study.load("miniature")
    assert {key: record[key] for key in before} == before
    assert record["confirmed"]["code"] == "tidier code"
    said = said_of(record)
    assert before["machine"]["date"] in said and "some co" in said  # its first seven characters
    assert f"on {record['confirmed']['date']} with code tidier " in said
    assert "the same today" in said
    assert study.conduct("miniature", AtOnce()) == record


@pytest.mark.parametrize(
    "trace",
    [[1.0] * 19 + [1.003], [1.0] * 19, [float("nan")] * 20],
    ids=["one loss", "a step short", "no number"],
)
def test_a_record_is_not_confirmed_and_not_changed_when_one_loss_differs(
    miniature, monkeypatch, tmp_path, trace
):
    study.conduct("miniature", AtOnce())
    before = (tmp_path / "miniature.json").read_bytes()
    monkeypatch.setattr(study, "code_digest", lambda name: "other code")
    monkeypatch.setattr(
        miniature,
        "run",
        lambda settings, stop: {"trace": trace if settings["k"] == 2 else [1.0] * 20},
    )
    with pytest.raises(study.StudyError, match="not confirmed: run 2"):
        study.confirm("miniature", AtOnce())
    assert (tmp_path / "miniature.json").read_bytes() == before
    assert "THE CODE HAS CHANGED" in said_of(study.load("miniature"))


def test_a_record_with_other_runs_is_not_confirmed(miniature):
    study.conduct("miniature", AtOnce())
    miniature.RUNS["run 1"] = {"k": 7}
    with pytest.raises(study.StudyError, match="does not have the runs of today"):
        study.confirm("miniature", AtOnce())


def test_a_run_that_is_added_later_says_which_code_has_made_it(miniature, monkeypatch):
    study.conduct("miniature", AtOnce())
    monkeypatch.setattr(study, "code_digest", lambda name: "tidier code")
    study.confirm("miniature", AtOnce())
    miniature.RUNS["run 3"] = {"k": 3}
    runs = study.conduct("miniature", AtOnce())["runs"]
    assert runs["run 3"]["code"] == "tidier code" and "code" not in runs["run 2"]


def test_a_record_of_other_code_is_shown_as_such_and_made_anew(miniature, monkeypatch):
    study.conduct("miniature", AtOnce())
    monkeypatch.setattr(study, "code_digest", lambda name: "other code")
    assert "THE CODE HAS CHANGED" in said_of(study.load("miniature"))
    again = AtOnce()
    study.conduct("miniature", again)
    assert len(again.done) == 3
    assert "the same today" in said_of(study.load("miniature"))


def test_a_run_with_other_settings_begins_the_study_anew(miniature):
    study.conduct("miniature", AtOnce())
    miniature.RUNS["run 1"] = {"k": 7}
    again = AtOnce()
    record = study.conduct("miniature", again)
    assert len(again.done) == 3 and record["runs"]["run 1"]["double"] == 14
