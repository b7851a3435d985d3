"""The benchmark counts what it says; how fast a machine is, no test can know."""

import json
from types import SimpleNamespace

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from rnnbook import bench
from rnnbook.layers.recurrent import LSTM
from rnnbook.models.recurrent import CharacterModel, SequenceClassifier
from rnnbook.training.objectives import has_bfloat16


def training_flop(model, x):
    """Of a forward and a backward pass, as PyTorch counts them."""
    with FlopCounterMode(display=False) as counter:
        model(x)[0].sum().backward()
    return counter.get_total_flops()


def test_the_operations_are_those_that_pytorch_counts():
    """On our own LSTM, whose matrix products PyTorch's counter sees one by one.

    Its first state is a constant, which needs no gradient: a little less than what we count.
    """
    ids = torch.zeros(4, bench.WINDOW, dtype=torch.long)
    counted = training_flop(CharacterModel(LSTM(128, 32), bench.V), ids)
    assert bench.shakespeare_step(4, 32)[1] == pytest.approx(counted, rel=0.02)
    counted = training_flop(SequenceClassifier(LSTM(28, 128), 10), torch.zeros(128, 28, 28))
    assert bench.digits_step()[1] == pytest.approx(counted, rel=0.02)


def test_a_step_trains():
    torch.manual_seed(0)
    step, _, _ = bench.digits_step()
    losses = [step() for _ in range(30)]
    assert losses[-1] < losses[0] - 0.01


def test_the_speed_of_writing_is_that_of_the_characters_after_a_first_few(monkeypatch):
    """On a clock of its own, which goes on by half a second for each character."""
    now, written = [0.0], []

    def sample(model, vocabulary, prompt, characters):
        now[0] += characters / 2
        written.append(real(model, vocabulary, prompt, characters).removeprefix(prompt))

    real = bench.sample
    monkeypatch.setattr(bench, "sample", sample)
    monkeypatch.setattr(bench, "time", SimpleNamespace(perf_counter=lambda: now[0]))
    assert bench.writing_speed(40) == 2.0
    assert [len(text) for text in written] == [20, 40]


PRECISIONS = [("float32",), ("float32", "bfloat16")] if has_bfloat16() else [("float32",)]


@pytest.mark.parametrize("precisions", PRECISIONS, ids="+".join)
def test_the_report_is_json_without_a_host_name(monkeypatch, precisions):
    monkeypatch.setattr(bench, "BATCHES", (2,))
    monkeypatch.setattr(bench, "SIZES", (8,))
    monkeypatch.setattr(bench, "N", 8)
    monkeypatch.setattr(bench, "SEQUENCES", (2,))
    monkeypatch.setattr(bench, "LENGTHS", (8,))
    monkeypatch.setattr(bench, "has_bfloat16", lambda: "bfloat16" in precisions)
    monkeypatch.setattr(bench, "seconds", lambda function: function() is None or 0.5)
    monkeypatch.setattr(bench, "writing_speed", lambda: 300.0)
    monkeypatch.setattr(bench, "speed_of_processes", lambda number, form: 10 * number)
    report = json.loads(json.dumps(bench.bench(repeats=1)))
    facts = {"threads", "processor", "system", "python", "torch", "numpy", "date"}
    assert set(report["machine"]) == facts
    _, flop, characters = bench.shakespeare_step(16, 384)
    assert characters == 16 * 64
    for form in precisions:
        found = report["training"][form]["shakespeare"]
        assert found["fraction"] == round(flop / (2 * 8**3), 3)
        assert found["samples per second"] == 2 * characters
    assert list(report["map of float32, batch size x units"]) == ["2 x 8"]
    assert report["minGRU, time of a loop / time of a scan, sequences x steps"] == {"2 x 8": 1.0}
    by_processes = report["characters trained on per second, by processes of one thread"]
    assert by_processes == {form: {"1": 10, "2": 20} for form in precisions}
