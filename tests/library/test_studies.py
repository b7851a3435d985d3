"""The records of the studies: complete, and made by what they say."""

import json
import re
import sys
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace
from importlib import import_module
from threading import Barrier, Event
from types import SimpleNamespace

import pytest
import torch
from filelock import FileLock
from torch import nn

from built import ROOT
from rnnbook import machine
from rnnbook.cli import study as command
from rnnbook.data.tasks import copying_floor
from rnnbook.layers.recurrent import RNN
from rnnbook.metrics.evaluation import windowed_loss
from rnnbook.models.recurrent import CharacterModel, SequenceClassifier
from rnnbook.records import conduct, jobs, runs
from rnnbook.records import record as record_module
from rnnbook.records.queue import Pool, Queue, Task
from rnnbook.records.record import Record
from rnnbook.studies import early_terms, memory, resets, search, slips
from rnnbook.training.batches import FreshBatches
from rnnbook.training.loop import train
from rnnbook.training.settings import Settings
from waiting import PATIENCE


@pytest.mark.parametrize("name", conduct.names())
def test_a_record_has_every_run(name):
    record = Record.load(name)
    expected = runs.module(name).RUNS
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
        self.done, self.at_most, self.ended = [], 99, []

    def submit(self, function, name, run, code):
        future = Future()
        if len(self.done) < self.at_most:
            self.done.append(run)
            try:
                future.set_result(function(name, run, code))
            except Exception as error:
                future.set_exception(error)
        else:
            future.set_exception(KeyboardInterrupt())
        return future

    def shutdown(self, wait=True, *, cancel_futures=False):
        self.ended.append("quietly" if wait else "at once")


def pool(executor=None, places=3, **options) -> Pool:
    return Pool(executor or AtOnce(), lambda: places, **options)


def only(outcomes) -> Record:
    """The record of the only outcome; its error is raised."""
    (outcome,) = outcomes
    if outcome.error:
        raise outcome.error
    return outcome.record


def conducted(executor=None) -> Record:
    return only(conduct.conduct(["miniature"], pool(executor)))


def confirmed(executor=None) -> Record:
    return only(conduct.confirm(["miniature"], pool(executor)))


def code_of_today(monkeypatch, digest: str) -> None:
    """Let the code that makes records have this digest."""
    for module in (jobs, runs, record_module):
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
    conducted()
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
        conducted(broken)
    conducted(whole)
    assert len(broken.done) == 2 and len(whole.done) >= 1
    assert broken.ended == ["at once"] and whole.ended == ["quietly"]
    assert set(broken.done) | set(whole.done) == set(miniature.RUNS)
    assert list(Record.load("miniature").runs) == list(miniature.RUNS)


def test_when_a_run_fails_no_other_begins_and_what_the_rest_find_is_kept(miniature, monkeypatch):
    begun, failed = Barrier(3, timeout=PATIENCE / 1000), Event()
    monkeypatch.setattr(runs, "ALONE", nullcontext())  # or they would take turns in this process
    miniature.RUNS["run 3"] = {"k": 3}  # for which there is no place before one has failed

    class Threads(ThreadPoolExecutor):
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
        conducted(Threads(3))
    assert list(Record.load("miniature").runs) == ["run 1", "run 2"]


def test_a_study_that_fails_does_not_stop_the_others(miniature, monkeypatch):
    other = SimpleNamespace(**{**vars(miniature), "run": lambda settings, stop=None: 1 / 0})
    monkeypatch.setitem(sys.modules, "rnnbook.studies.other", other)
    executor = AtOnce()
    outcomes = list(conduct.conduct(["other", "miniature"], pool(executor, places=1)))
    assert [outcome.name for outcome in outcomes] == ["other", "miniature"]
    assert isinstance(outcomes[0].error, ZeroDivisionError) and outcomes[0].record is None
    assert outcomes[1].record == Record.load("miniature") and len(executor.done) == 1 + 3


class Held(AtOnce):
    """Ends nothing."""

    def submit(self, *call):
        return Future()


def test_no_more_runs_begin_than_there_are_places_and_threads_for():
    tasks = {Task("a", f"{k}", threads): () for k, threads in enumerate((1, 1, 2, 3, 1))}

    def begun(places, threads):
        queue = Queue(pool(Held(), places, threads=threads), print, tasks)
        assert queue._fill()
        return [task.threads for task in queue.running.values()]

    assert begun(3, 4) == [3, 1]  # the widest first
    assert begun(9, 5) == [3, 2]
    assert begun(9, 2) == [3]  # which never fits, so it goes alone
    assert begun(2, 9) == [3, 2]
    assert begun(9, 9) == [3, 2, 1, 1, 1]


class Mortal(AtOnce):
    """Its worker dies under a run, as many times as `deaths` says."""

    def __init__(self, **deaths: int):
        super().__init__()
        self.deaths = deaths

    def submit(self, function, name, run, code):
        if self.deaths.get(run.replace(" ", "_"), 0):
            self.deaths[run.replace(" ", "_")] -= 1
            future = Future()
            future.set_exception(BrokenExecutor("it is gone"))
            return future
        return super().submit(function, name, run, code)


def test_the_run_of_a_worker_that_dies_is_given_to_another(miniature):
    assert list(conducted(Mortal(run_1=1)).runs) == list(miniature.RUNS)


def test_a_run_whose_workers_die_is_reported_and_what_others_found_is_kept(miniature):
    with pytest.raises(conduct.StudyError, match="run 1: its worker died again and again"):
        conducted(Mortal(run_1=2))
    assert list(Record.load("miniature").runs) == ["run 0", "run 2"]


def test_several_machines_that_confirm_a_record_are_all_named():
    one = {"processor": "A, 2 cores", "threads": 1, "date": "2030-01-01"}
    other = {"processor": "B, 8 cores", "threads": 1, "date": "2030-01-02"}
    both = {"processor": "A, 2 cores; B, 8 cores", "threads": 1, "date": "2030-01-02"}
    assert jobs.together([other, one, other]) == both and jobs.together([one]) == one


def test_a_run_is_refused_where_the_code_is_no_longer_that_of_the_record(miniature, monkeypatch):
    """As on a worker of a cluster that has another version, or when a file is edited meanwhile."""

    def run(settings, stop=None):
        code_of_today(monkeypatch, "other code")
        return {"trace": []}

    miniature.run = run
    with pytest.raises(conduct.StudyError, match="a worker has other code of miniature"):
        conducted()
    record = Record.load("miniature")
    assert record.code == "some code" and list(record.runs) == ["run 0"]
    code_of_today(monkeypatch, "some code")
    with pytest.raises(conduct.StudyError, match="a worker has other code of miniature"):
        runs.first_steps("miniature", "run 0", "code of elsewhere")


def test_two_processes_do_not_make_one_record(miniature, tmp_path):
    """Or the last to write would lose what the other has found."""
    conducted()
    for work in (conducted, confirmed):
        with (
            FileLock(tmp_path / "miniature.json.lock"),
            pytest.raises(conduct.StudyError, match="another process makes or confirms"),
        ):
            work()
        work()  # it is free again


def test_a_study_that_needs_a_package_says_which(miniature):
    miniature.run = lambda settings, stop=None: import_module("absent.models")
    with pytest.raises(conduct.StudyError, match="miniature needs absent: pip install absent"):
        conducted(ThreadPoolExecutor(1))


def test_a_record_that_agrees_is_confirmed_and_keeps_what_it_was_made_with(miniature, monkeypatch):
    before = conducted()
    code_of_today(monkeypatch, "tidier code")
    again = AtOnce()
    record = confirmed(again)
    assert set(again.done) == set(miniature.RUNS)
    assert record == Record.load("miniature")
    assert replace(record, confirmed=None) == before
    assert record.confirmed["code"] == "tidier code"
    said = said_of(record)
    assert before.machine["date"] in said and "some co" in said  # its first seven characters
    assert f"on {record.confirmed['date']} with code tidier " in said
    assert "the same today" in said
    assert conducted() == record


@pytest.mark.parametrize(
    "trace",
    [[1.0] * 19 + [1.003], [1.0] * 19, [float("nan")] * 20],
    ids=["one loss", "a step short", "no number"],
)
def test_a_record_is_not_confirmed_and_not_changed_when_one_loss_differs(
    miniature, monkeypatch, tmp_path, trace
):
    conducted()
    before = (tmp_path / "miniature.json").read_bytes()
    code_of_today(monkeypatch, "other code")
    monkeypatch.setattr(
        miniature,
        "run",
        lambda settings, stop: {"trace": trace if settings["k"] == 2 else [1.0] * 20},
    )
    with pytest.raises(jobs.Difference, match="run 2, "):
        confirmed()
    assert (tmp_path / "miniature.json").read_bytes() == before
    assert "THE CODE HAS CHANGED" in said_of(Record.load("miniature"))


def test_a_record_with_other_runs_is_not_confirmed(miniature):
    conducted()
    miniature.RUNS["run 1"] = {"k": 7}
    with pytest.raises(conduct.StudyError, match="does not have the runs of today"):
        confirmed()


def test_a_run_that_is_added_later_says_where_and_with_which_code_it_was_made(
    miniature, monkeypatch
):
    before = conducted()
    code_of_today(monkeypatch, "tidier code")
    confirmed()
    miniature.RUNS["run 3"] = {"k": 3}
    elsewhere = {**before.machine, "processor": "another", "date": "2030-01-01"}
    monkeypatch.setattr(runs, "facts", lambda study: elsewhere)
    record = conducted()
    assert record == Record.load("miniature") and record.machine == before.machine
    assert record.runs["run 3"]["code"] == "tidier code" and "code" not in record.runs["run 2"]
    assert record.runs["run 3"]["machine"] == elsewhere and "machine" not in record.runs["run 2"]
    said = said_of(record)
    assert f"3 runs, 0 core-minutes, recorded on {before.machine['date']}" in said
    assert "1 run, 0 core-minutes, recorded on 2030-01-01 (another, PyTorch" in said


def test_a_record_of_other_code_is_shown_as_such_and_is_not_lost(miniature, monkeypatch, tmp_path):
    conducted()
    path = tmp_path / "miniature.json"
    before = path.read_bytes()
    code_of_today(monkeypatch, "other code")
    assert "THE CODE HAS CHANGED" in said_of(Record.load("miniature"))
    miniature.RUNS["run 3"] = {"k": 3}
    with pytest.raises(conduct.StudyError, match="miniature has changed; confirm its record"):
        conducted()
    assert path.read_bytes() == before
    path.unlink()
    conducted(again := AtOnce())
    assert len(again.done) == 4 and "the same today" in said_of(Record.load("miniature"))


def test_a_record_with_other_settings_is_not_lost(miniature, tmp_path):
    conducted()
    before = (tmp_path / "miniature.json").read_bytes()
    miniature.RUNS["run 1"] = {"k": 7}
    with pytest.raises(conduct.StudyError, match="other settings now"):
        conducted()
    assert (tmp_path / "miniature.json").read_bytes() == before


# ------------------------------------------------------------------ the command


@pytest.fixture
def at_once(miniature, monkeypatch):
    """Lets the command find this study and another, and carry them out in this process."""
    other = SimpleNamespace(**vars(miniature))
    monkeypatch.setitem(sys.modules, "rnnbook.studies.other", other)
    monkeypatch.setattr(conduct, "names", lambda: ["miniature", "other"])
    monkeypatch.setattr(command, "_pool", lambda options, names: pool())
    return other


def test_the_command_makes_the_records_that_are_named(at_once, call):
    code, out, err = call("study", "miniature", "miniature")
    assert (code, err) == (0, "") and out.count("miniature: 3 runs, 0 core-minutes") == 1
    assert not record_module.path_of("other").exists()
    assert call("study", "--all")[0] == 0 and len(Record.load("other").runs) == 3


def test_the_command_tells_in_a_table_which_records_hold(at_once, miniature, call):
    call("study", "--all")
    code, out, err = call("study", "--all", "--confirm")
    rows = [line.split(maxsplit=2) for line in out.splitlines()]
    header = ["study", "runs", "its record"]
    assert (code, err) == (0, "")
    assert rows == [header, ["miniature", "3", "holds"], ["other", "3", "holds"]]
    miniature.run = lambda settings, stop: {"trace": [1.0] * 6 + [2.0] * 14}
    code, out, err = call("study", "--all", "--confirm")
    first = "miniature     3  differs: run 0, step 7: the loss was 1 and is 2"
    assert (code, out.splitlines()[1:]) == (2, [first, "other         3  holds"])
    assert err == "rnnbook: 1 of 2 records could not be confirmed\n"
    at_once.run = lambda settings, stop: import_module("absent.models")
    reason = "other         3  not run: other needs absent: pip install absent"
    assert call("study", "other", "--confirm")[1].splitlines()[1] == reason.replace(
        "         3", "     3"
    )


def test_an_error_that_nobody_has_foreseen_is_shown_whole(at_once, call):
    at_once.run = lambda settings, stop=None: 1 // 0
    code, out, err = call("study", "other")
    assert code == 2 and out == "other: ZeroDivisionError: integer division or modulo by zero\n"
    assert "Traceback" in err and "1 // 0" in err
    assert err.endswith("rnnbook: 1 of 1 records could not be completed\n")


def test_more_threads_than_cores_are_not_begun_in_silence(miniature, monkeypatch, capsys):
    monkeypatch.setattr(machine, "cores", lambda: 2)

    def asked(workers):
        options = SimpleNamespace(scheduler=None, workers=workers)
        return command._pool(options, ["miniature"]), capsys.readouterr().err

    (usual, said), (many, warned) = asked(None), asked(3)
    assert usual.places() == usual.threads == 2 and said == ""
    assert many.places() == many.threads == 3 and "3 threads share 2 cores" in warned
    miniature.THREADS = 4
    assert "4 threads share 2 cores" in asked(1)[1]


def test_studies_are_named_or_all(refused):
    for arguments in ("study", "study names --all"):
        refused("give the names of studies, or --all", *arguments.split())


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


def test_the_terms_of_some_steps_and_those_of_the_others_add_up_to_the_gradient():
    torch.manual_seed(0)
    model = SequenceClassifier(RNN(1, 4), num_classes=2).double()
    batch = torch.randn(3, 6, 1).double(), torch.tensor([0, 1, 1]), None

    def gradients(first, last):
        loss, _ = early_terms.loss_with_terms_of(first, last)(model, batch, None)
        return torch.autograd.grad(loss, list(model.layer.parameters()))

    loss = nn.functional.cross_entropy(model(batch[0])[0], batch[1])
    whole = torch.autograd.grad(loss, list(model.layer.parameters()))
    for early, late, both in zip(gradients(1, 2), gradients(3, 6), whole, strict=True):
        assert early.norm() > 0
        torch.testing.assert_close(early + late, both)
    given = copies_of_the_weights(model, batch, kept=2)
    for found, expected in zip(gradients(2, 2), given, strict=True):
        torch.testing.assert_close(found, expected)


def copies_of_the_weights(model, batch, kept):
    """The gradients of the copies that step `kept` uses, when each step has its own."""
    x, y, _ = batch
    h, copies = torch.zeros(len(x), 4).double(), []
    for t in range(x.shape[1]):
        copies.append([p.detach().clone().requires_grad_() for p in model.layer.parameters()])
        W_xh, W_hh, b_h = copies[-1]
        h = torch.tanh(x[:, t] @ W_xh + h @ W_hh + b_h)
    loss = nn.functional.cross_entropy(model.head(h), y)
    return torch.autograd.grad(loss, copies[kept - 1])


class Untrained:
    """A recipe that trains nothing, and notes on what it should have."""

    def __init__(self):
        self.given = None

    def model(self, *sizes):
        return "a model"

    def train(self, model, given, **options):
        self.given = given
        return SimpleNamespace(losses=[1.0])


def test_the_search_for_a_rate_is_judged_by_text_that_was_held_out(monkeypatch):
    ids, judged, recipe = torch.arange(60_000), [], Untrained()
    monkeypatch.setattr(search, "load_ids", lambda: (ids, None, 5))
    monkeypatch.setattr(search, "recipe", lambda *settings: recipe)
    monkeypatch.setattr(search, "windowed_loss", lambda model, ids, T: judged.append(ids) or 1.0)
    assert search.run({"network": "GRU", "lr": 1e-3})["held_out"] == 1
    assert torch.equal(judged[0], ids[:50_000]) and torch.equal(recipe.given, ids[50_000:])


def test_the_pens_that_practise_slips_are_judged_by_the_kanji_of_the_test(monkeypatch):
    parts = {name: [SimpleNamespace(strokes=name)] for name in ("train", "held_out", "test")}
    judged, recipe, zeros = [], Untrained(), torch.zeros(1)

    def note(result):
        return lambda model, drawings, *slips: judged.append(drawings) or result

    monkeypatch.setattr(slips, "load_kanji", lambda: SimpleNamespace(**parts))
    monkeypatch.setattr(slips, "replace", lambda book, **changes: recipe)
    monkeypatch.setattr(slips, "draw_kanji", lambda model, number, seed: ["own", None])
    monkeypatch.setattr(slips, "mean_nats_per_point", note(1.0))
    monkeypatch.setattr(slips, "off", note(1.0))
    monkeypatch.setattr(slips, "stated_places", note((None, zeros, None)))
    monkeypatch.setattr(slips, "drawn_densities", lambda mixture: zeros[None])
    monkeypatch.setattr(slips, "log_density", lambda mixture, ways: zeros)
    slips.run({"slips": 0.1, "seed": 0})
    assert recipe.given == ["train"]
    assert sorted(judged) == [["own"], *[["test"]] * 4]
