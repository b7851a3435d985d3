"""The made-up tasks: their answers, recomputed one step at a time."""

import math
from functools import partial

import pytest
import torch

from rnnbook.data.tasks import (
    MINUS,
    NUMBER_FLOOR,
    PLUS,
    SILENT,
    adding,
    copying,
    copying_floor,
    first_sign,
    store_a_number,
    store_and_recall,
)
from rnnbook.metrics import memory_span
from rnnbook.metrics.memory_span import train_on_first_sign


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_first_sign():
    x, y = first_sign(500, 7, generator())
    assert x.shape == (500, 7, 1) and y.shape == (500,)
    assert set(x.unique().tolist()) == {-1.0, 1.0}
    assert (y == (x[:, 0, 0] == 1)).all()
    assert 0.4 < y.float().mean() < 0.6
    later = (x[:, 1:, 0] == x[:, :1, 0]).float().mean()
    assert 0.45 < later < 0.55  # the others say nothing about the first


def test_store_and_recall():
    x, y = store_and_recall(200, 15, generator(), rate=0.2)
    for sequence, answers in zip(x.tolist(), y.tolist(), strict=True):
        kept = None
        for t, ((sign, store, recall), answer) in enumerate(zip(sequence, answers, strict=True)):
            assert not (store and recall) and (store or t > 0)
            kept = sign if store else kept
            assert answer == ((PLUS if kept > 0 else MINUS) if recall else SILENT)
    assert 0.15 < x[:, 1:, 1].mean() < 0.25 and 0.15 < x[:, 1:, 2].mean() < 0.25


def test_store_a_number():
    x, y = store_a_number(200, 15, generator(), rate=0.2)
    for sequence, answers in zip(x.tolist(), y.tolist(), strict=True):
        kept = None
        for t, ((number, store, recall), answer) in enumerate(zip(sequence, answers, strict=True)):
            assert not (store and recall) and (store or t > 0)
            kept = number if store else kept
            assert answer == (kept if recall else 0)
    assert 0.15 < x[:, 1:, 1].mean() < 0.25 and 0.15 < x[:, 1:, 2].mean() < 0.25


def test_the_floor_of_store_a_number_is_the_error_of_the_best_constant():
    x, y = store_a_number(5000, 20, generator(), rate=0.2)
    wanted = y[x[..., 2] == 1]
    errors = {answer: ((wanted - answer) ** 2).mean().item() for answer in (-0.1, 0.0, 0.1)}
    assert min(errors, key=errors.get) == 0.0
    assert errors[0.0] == pytest.approx(NUMBER_FLOOR, rel=0.05)


def test_the_same_seed_gives_the_same_sequences():
    first, again, other = (store_and_recall(5, 9, generator(seed)) for seed in (1, 1, 2))
    assert torch.equal(first[0], again[0]) and torch.equal(first[1], again[1])
    assert not torch.equal(first[0], other[0])


def test_adding():
    x, y = adding(20_000, 9, generator())
    assert x.shape == (20_000, 9, 2) and y.shape == (20_000,)
    numbers, marks = x.unbind(dim=2)
    assert numbers.min() >= 0 and numbers.max() < 1
    assert (marks[:, :4].sum(dim=1) == 1).all() and (marks[:, 4:].sum(dim=1) == 1).all()
    assert (marks.mean(dim=0) > 0.15).all()  # every step is marked now and then
    torch.testing.assert_close(y, numbers[marks == 1].view(-1, 2).sum(dim=1))


def test_the_floor_of_adding_is_the_error_of_the_best_constant():
    _, y = adding(100_000, 5, generator())
    errors = {answer: ((y - answer) ** 2).mean().item() for answer in (0.9, 1.0, 1.1)}
    assert min(errors, key=errors.get) == 1.0
    assert errors[1.0] == pytest.approx(1 / 6, rel=0.02)


def test_copying():
    x, y = copying(50, 7, generator())
    assert x.shape == (50, 27, 10) and y.shape == (50, 27)
    ids = x.argmax(dim=2)
    assert (x.sum(dim=2) == 1).all()
    assert set(ids[:, :10].unique().tolist()) == set(range(1, 9))
    assert (ids[:, 10:16] == 0).all() and (ids[:, 16] == 9).all() and (ids[:, 17:] == 0).all()
    assert (y[:, :17] == 0).all() and torch.equal(y[:, 17:], ids[:, :10])


def test_the_floor_of_copying_is_the_loss_of_an_answer_that_knows_the_clock_alone():
    _, y = copying(500, 30, generator())
    share = torch.zeros(50, 9)
    share[:40, 0] = 1.0
    share[40:, 1:] = 1 / 8
    losses = -share[torch.arange(50), y].log()  # (500, 50)
    assert losses.mean().item() == pytest.approx(copying_floor(30), rel=1e-5)
    assert copying_floor(1000) == pytest.approx(10 * math.log(8) / 1020)


def test_a_task_that_is_too_short_is_refused():
    with pytest.raises(ValueError, match="no room for two marks"):
        adding(3, 1, generator())
    with pytest.raises(ValueError, match="the lag is 0"):
        copying(3, 0, generator())


def test_train_on_first_sign_learns_a_short_one_and_depends_on_its_seed_alone():
    def run(drawn_before):
        torch.rand(drawn_before)  # which must not matter
        make_layer = partial(torch.nn.RNN, 1, 8, batch_first=True)
        model, score = train_on_first_sign(make_layer, 3, seed=0, steps=150)
        return score, model.layer.weight_hh_l0

    (score, weights), (_, again) = run(0), run(7)
    assert score > 0.95
    assert torch.equal(weights, again)


def test_the_head_of_a_model_of_first_signs_does_not_start_as_its_layer_does(monkeypatch):
    monkeypatch.setattr(memory_span, "train", lambda *arguments: None)
    make_layer = partial(torch.nn.RNN, 1, 8, batch_first=True)
    model, _ = train_on_first_sign(make_layer, 3, seed=0, steps=1)
    assert not torch.isclose(model.head.weight[0], model.layer.weight_ih_l0[:, 0]).any()
