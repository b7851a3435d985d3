"""The records of the studies: complete, and made by what they say."""

import json
import re
import sys
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import replace
from importlib import import_module
from threading import Barrier, Event
from types import SimpleNamespace

import pytest
import torch
from filelock import FileLock
from torch import nn

from built import ROOT
from rnnbook.data.tasks import copying_floor
from rnnbook.models.recurrent import CharacterModel
from rnnbook.records import conduct
from rnnbook.records import record as record_module
from rnnbook.records.record import Record
from rnnbook.studies import memory, resets
from rnnbook.training.batches import FreshBatches
from rnnbook.training.loop import train
from rnnbook.training.measures import windowed_loss
from rnnbook.training.settings import Settings
from waiting import PATIENCE


@pytest.mark.parametrize("name", conduct.names())
def test_a_record_has_every_run(name):
    record = Record.load(name)
    expected = conduct._module(name).RUNS
    assert {run: result["settings"] for run, result in record.runs.items()} == expected
    assert all(len(result["trace"]) == record_module.TRACE for result in record.runs.values())


@pytest.mark.parametrize("name", conduct.names())
def test_a_record_was_made_or_confirmed_by_the_code_of_today(name):
    """If not: `python -m rnnbook study NAME --confirm`, or, where that fails, make it again."""
    assert Record.load(name).is_current(), "THE CODE HAS CHANGED SINCE"


def test_a_chapter_depends_on_the_records_that_it_names_and_on_no_other(tmp_path, monkeypatch):
    monkeypatch.setattr(record_module, "RECORDS", tmp_path)
    for name in ("one", "other"):
        (tmp_path / f"{name}.json").write_text("first")
    digest, code = record_module.digest, 'Record.load("one")'
    before = digest(code)
    (tmp_path / "other.json").write_text("second")
    assert digest(code) == before != digest('Record.load("other")')
    (tmp_path / "one.json").write_text("second")
    assert digest(code) != before


CHAPTERS = sorted((ROOT / "book").glob("*.md"))


def test_chapters_name_their_records_in_words():
    """Or the build would not know on which of them a chapter depends."""
    loads = re.findall(r"Record\.load\(.*", "\n".join(path.read_text("utf-8") for path in CHAPTERS))
    assert len(loads) > 20
    assert [load for load in loads if not re.match(r'Record\.load\("\w+"\)', load)] == []


def said_of(record) -> str:
    """What is said of the origin of a record, in one line."""
    lines = record.origin().splitlines()
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


def code_of_today(monkeypatch, digest: str) -> None:
    """Let the code that makes records have this digest."""
    for module in (conduct, record_module):
        monkeypatch.setattr(module, "code_digest", lambda name: digest)


@pytest.fixture
def miniature(tmp_path, monkeypatch):
    """A study of three runs that takes no time."""
    module = SimpleNamespace(
        THREADS=1,
        RUNS={f"run {k}": {"k": k} for k in range(3)},
        run=lambda settings, stop=None: {"double": 2 * settings["k"], "trace": [1.0] * 50},
    )
    monkeypatch.setitem(sys.modules, "rnnbook.studies.miniature", module)
    monkeypatch.setattr(record_module, "RECORDS", tmp_path)
    code_of_today(monkeypatch, "some code")
    return module


def test_a_study_is_recorded_with_its_settings_and_machine(miniature, tmp_path):
    conduct.conduct("miniature", AtOnce())
    written = json.loads((tmp_path / "miniature.json").read_text("utf-8"))
    record = Record.load("miniature")
    assert Record(**written) == record
    assert [result["double"] for result in record.runs.values()] == [0, 2, 4]
    assert record.runs["run 1"]["settings"] == {"k": 1}
    assert len(record.runs["run 1"]["trace"]) == record_module.TRACE
    assert record.machine["threads"] == 1 and "megabytes" not in record.machine
    assert "3 runs" in said_of(record) and "the same today" in said_of(record)


def test_an_interrupted_study_goes_on(miniature):
    broken, whole = AtOnce(), AtOnce()
    broken.at_most = 2
    with pytest.raises(KeyboardInterrupt):
        conduct.conduct("miniature", broken)
    conduct.conduct("miniature", whole)
    assert len(broken.done) == 2 and len(whole.done) >= 1
    assert broken.cancelled and not whole.cancelled
    assert set(broken.done) | set(whole.done) == set(miniature.RUNS)
    assert list(Record.load("miniature").runs) == list(miniature.RUNS)


def test_when_a_run_fails_no_other_begins_and_what_the_rest_find_is_kept(miniature, monkeypatch):
    begun, failed = Barrier(3, timeout=PATIENCE / 1000), Event()
    monkeypatch.setattr(conduct.machine, "cores", lambda: 3)
    miniature.RUNS["run 3"] = {"k": 3}  # for which there is no place before one has failed

    class Pool(ThreadPoolExecutor):
        def submit(self, *call):
            future = super().submit(*call)
            future.add_done_callback(lambda one: one.exception() and failed.set())
            return future

    def run(settings, stop=None):
        begun.wait()
        assert settings["k"] == 0 or failed.wait(PATIENCE / 1000)
        return {"double": 4 // settings["k"], "trace": []}

    miniature.run = run
    with pytest.raises(ZeroDivisionError):
        conduct.conduct("miniature", Pool(3))
    assert list(Record.load("miniature").runs) == ["run 1", "run 2"]


def test_the_code_of_a_record_is_that_with_which_its_runs_began(miniature, monkeypatch):
    def run(settings, stop=None):
        code_of_today(monkeypatch, "other code")
        return {"trace": []}

    miniature.run = run
    conduct.conduct("miniature", AtOnce())
    assert Record.load("miniature").code == "some code"


def test_two_processes_do_not_make_one_record(miniature, tmp_path):
    """Or the last to write would lose what the other has found."""
    conduct.conduct("miniature", AtOnce())
    for work in (conduct.conduct, conduct.confirm):
        with (
            FileLock(tmp_path / "miniature.json.lock"),
            pytest.raises(conduct.StudyError, match="another process makes or confirms"),
        ):
            work("miniature", AtOnce())
        work("miniature", AtOnce())  # it is free again


def test_a_study_that_needs_a_package_says_which(miniature):
    miniature.run = lambda settings, stop=None: import_module("absent.models")
    with pytest.raises(conduct.StudyError, match="miniature needs absent: pip install absent"):
        conduct.conduct("miniature", ThreadPoolExecutor(1))


def test_a_record_that_agrees_is_confirmed_and_keeps_what_it_was_made_with(miniature, monkeypatch):
    before = conduct.conduct("miniature", AtOnce())
    code_of_today(monkeypatch, "tidier code")
    again = AtOnce()
    record = conduct.confirm("miniature", again)
    assert set(again.done) == set(miniature.RUNS)
    assert record == Record.load("miniature")
    assert replace(record, confirmed=None) == before
    assert record.confirmed["code"] == "tidier code"
    said = said_of(record)
    assert before.machine["date"] in said and "some co" in said  # its first seven characters
    assert f"on {record.confirmed['date']} with code tidier " in said
    assert "the same today" in said
    assert conduct.conduct("miniature", AtOnce()) == record


@pytest.mark.parametrize(
    "trace",
    [[1.0] * 19 + [1.003], [1.0] * 19, [float("nan")] * 20],
    ids=["one loss", "a step short", "no number"],
)
def test_a_record_is_not_confirmed_and_not_changed_when_one_loss_differs(
    miniature, monkeypatch, tmp_path, trace
):
    conduct.conduct("miniature", AtOnce())
    before = (tmp_path / "miniature.json").read_bytes()
    code_of_today(monkeypatch, "other code")
    monkeypatch.setattr(
        miniature,
        "run",
        lambda settings, stop: {"trace": trace if settings["k"] == 2 else [1.0] * 20},
    )
    with pytest.raises(conduct.StudyError, match="not confirmed: run 2"):
        conduct.confirm("miniature", AtOnce())
    assert (tmp_path / "miniature.json").read_bytes() == before
    assert "THE CODE HAS CHANGED" in said_of(Record.load("miniature"))


def test_a_record_with_other_runs_is_not_confirmed(miniature):
    conduct.conduct("miniature", AtOnce())
    miniature.RUNS["run 1"] = {"k": 7}
    with pytest.raises(conduct.StudyError, match="does not have the runs of today"):
        conduct.confirm("miniature", AtOnce())


def test_a_run_that_is_added_later_says_where_and_with_which_code_it_was_made(
    miniature, monkeypatch
):
    before = conduct.conduct("miniature", AtOnce())
    code_of_today(monkeypatch, "tidier code")
    conduct.confirm("miniature", AtOnce())
    miniature.RUNS["run 3"] = {"k": 3}
    elsewhere = {**before.machine, "processor": "another", "date": "2030-01-01"}
    monkeypatch.setattr(conduct, "_machine", lambda study: elsewhere)
    record = conduct.conduct("miniature", AtOnce())
    assert record == Record.load("miniature") and record.machine == before.machine
    assert record.runs["run 3"]["code"] == "tidier code" and "code" not in record.runs["run 2"]
    assert record.runs["run 3"]["machine"] == elsewhere and "machine" not in record.runs["run 2"]
    said = said_of(record)
    assert f"3 runs, 0 core-minutes, recorded on {before.machine['date']}" in said
    assert "1 run, 0 core-minutes, recorded on 2030-01-01 (another, PyTorch" in said


def test_a_record_of_other_code_is_shown_as_such_and_is_not_lost(miniature, monkeypatch, tmp_path):
    conduct.conduct("miniature", AtOnce())
    path = tmp_path / "miniature.json"
    before = path.read_bytes()
    code_of_today(monkeypatch, "other code")
    assert "THE CODE HAS CHANGED" in said_of(Record.load("miniature"))
    miniature.RUNS["run 3"] = {"k": 3}
    with pytest.raises(conduct.StudyError, match="miniature has changed; confirm its record"):
        conduct.conduct("miniature", AtOnce())
    assert path.read_bytes() == before
    path.unlink()
    conduct.conduct("miniature", again := AtOnce())
    assert len(again.done) == 4 and "the same today" in said_of(Record.load("miniature"))


def test_a_record_with_other_settings_is_not_lost(miniature, tmp_path):
    conduct.conduct("miniature", AtOnce())
    before = (tmp_path / "miniature.json").read_bytes()
    miniature.RUNS["run 1"] = {"k": 7}
    with pytest.raises(conduct.StudyError, match="other settings now"):
        conduct.conduct("miniature", AtOnce())
    assert (tmp_path / "miniature.json").read_bytes() == before


def test_the_constant_meets_the_sequences_of_a_run():
    """A network that says 1 whatever it reads, and cannot learn, loses as much at every step."""
    network = memory.model("adding", 10, "simple RNN")
    for p in network.parameters():
        nn.init.zeros_(p)
    nn.init.ones_(network.head.bias)
    make, objective, _ = memory.problem("adding", 10)
    settings = Settings(steps=5, lr=0.0, objective=objective)
    losses = train(network, FreshBatches(make, memory.BATCH, seed=3), settings).losses
    assert memory.without_memory("adding", 10, 3, range(1, 5)) == pytest.approx(losses[1:])
    assert memory.without_memory("copying", 20, 3, range(2)) == [copying_floor(20)] * 2


def test_the_irnn_starts_as_that_of_its_authors():
    layer = memory.CELLS["IRNN"](100, 100, 200)
    assert layer.weight_ih_l0.std().item() == pytest.approx(0.001, rel=0.05)
    assert torch.equal(layer.weight_hh_l0, torch.eye(100))


@pytest.fixture
def reader():
    torch.manual_seed(0)
    return CharacterModel(nn.LSTM(4, 8, batch_first=True), 10)


@torch.no_grad()
def test_a_forgetful_model_loses_states_at_random_and_only_while_it_trains(reader):
    ids = torch.randint(10, (400, 6))
    state = tuple(torch.randn(2, 1, 400, 8))
    kept, lost = reader(ids, state)[0], reader(ids)[0]
    forgetful = resets.Forgetful(reader, p=0.25)
    assert torch.equal(forgetful.eval()(ids, state)[0], kept)
    logits = forgetful.train()(ids, state)[0]
    is_lost = (logits == lost).flatten(1).all(dim=1)
    assert torch.equal(logits[~is_lost], kept[~is_lost])
    assert 0.15 < is_lost.float().mean() < 0.35
    assert torch.equal(forgetful(ids)[0], lost)


def test_the_losses_by_position_are_those_of_the_windows(reader):
    ids = torch.randint(10, (1000,))
    losses = resets.losses_by_position(reader, ids, 7)
    assert losses.shape == (7,)
    assert losses.mean().item() == pytest.approx(windowed_loss(reader, ids, 7))
    first = reader(ids[0:994:7, None])[0][:, 0]  # each begins without a state
    assert losses[0].item() == pytest.approx(
        nn.functional.cross_entropy(first, ids[1:995:7]).item()
    )
