"""The records of the studies: complete, and made by what they say."""

import ast
import json
import sys
from concurrent.futures import Executor, Future
from types import SimpleNamespace

import pytest
import torch

from rnnbook import study


@pytest.mark.parametrize("name", study.names())
def test_a_record_has_every_run(name):
    record = study.load(name)
    expected = study._module(name).RUNS
    assert {run: result["settings"] for run, result in record["runs"].items()} == expected
    assert all(len(result["trace"]) == study.TRACE for result in record["runs"].values())


@pytest.mark.parametrize("name", study.names())
def test_the_first_steps_of_a_run_can_be_made_again(name):
    record = study.load(name)
    run = list(record["runs"])[len(record["runs"]) // 2]
    threads = torch.get_num_threads()
    torch.set_num_threads(study._module(name).THREADS)
    try:
        again = study.replay(name, run)
    finally:
        torch.set_num_threads(threads)
    # 20 steps of float32: another processor may round otherwise, and the difference grows
    assert again == pytest.approx(record["runs"][run]["trace"], rel=2e-3)


def test_the_digest_of_code_sees_no_docstrings_and_no_comments():
    def dump(source):
        return ast.dump(study._without_docstrings(ast.parse(source)))

    plain = "class A:\n    def f(self):\n        return 'a' + 'b'\n"
    documented = '"""M."""\n# why\nclass A:\n    """A."""\n    def f(self):\n        """F."""\n'
    documented += "        return 'a' + 'b'\n"
    assert dump(plain) == dump(documented)
    assert dump(plain) != dump(plain.replace("'b'", "'c'"))


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
    assert "3 runs" in study.origin(record) and "the same today" in study.origin(record)


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


def test_a_record_of_other_code_is_shown_as_such_and_made_anew(miniature, monkeypatch):
    study.conduct("miniature", AtOnce())
    monkeypatch.setattr(study, "code_digest", lambda name: "other code")
    assert "THE CODE HAS CHANGED" in study.origin(study.load("miniature"))
    again = AtOnce()
    study.conduct("miniature", again)
    assert len(again.done) == 3
    assert "the same today" in study.origin(study.load("miniature"))


def test_a_run_with_other_settings_begins_the_study_anew(miniature):
    study.conduct("miniature", AtOnce())
    miniature.RUNS["run 1"] = {"k": 7}
    again = AtOnce()
    record = study.conduct("miniature", again)
    assert len(again.done) == 3 and record["runs"]["run 1"]["double"] == 14
