"""The judge who says whether a drawing is real: what it reads, learns from and is asked."""

from types import SimpleNamespace

import pytest
import torch

from rnnbook.data.kanji import load_kanji
from rnnbook.records.record import Record
from rnnbook.studies import kanji_judge as study
from rnnbook.studies.kanji_judge import Judge, as_judged, judge_of, scores, with_one_moved

TWO = (((10.0, 20.0), (60.0, 20.0)), ((35.0, 5.0), (35.0, 40.0), (50.0, 90.0)))


def test_a_judge_reads_every_movement_with_where_it_leads():
    rows, lengths = as_judged([TWO])
    assert lengths.tolist() == [6] and rows.shape == (1, 6, 9)
    offset, kind, place, since = rows[0].split([2, 3, 2, 2], dim=1)
    assert kind.argmax(dim=1).tolist() == [1, 0, 1, 0, 0, 2]  # the last row is the end
    assert torch.allclose(15 * 2 * place[4] + 54.5, torch.tensor([50.0, 90.0]))
    assert torch.allclose(15 * since[4], torch.tensor([15.0, 85.0]))
    assert torch.allclose(15 * offset[1], torch.tensor([50.0, 0.0]))


def test_tenths_and_what_else_is_judged_do_not_count():
    torch.manual_seed(0)
    judge = Judge(8)
    tenths = tuple(tuple((x + 0.3, y - 0.4) for x, y in stroke) for stroke in TWO)
    longer = (*TWO, *TWO, *TWO)
    alone = scores(judge, [TWO])
    assert torch.equal(scores(judge, [tenths]), alone)
    assert torch.allclose(scores(judge, [longer, TWO])[1], alone[0], atol=1e-6)
    assert not torch.allclose(scores(judge, [TWO[::-1]]), alone)


def test_one_stroke_of_each_is_moved():
    for one, moved in zip(3 * [TWO], with_one_moved(3 * [TWO], 20.0), strict=True):
        apart = [
            {(round(x - a, 6), round(y - b, 6)) for (a, b), (x, y) in zip(old, new, strict=True)}
            for old, new in zip(one, moved, strict=True)
        ]
        assert [len(ways) for ways in apart] == [1, 1]  # as a whole
        lengths = sorted((x * x + y * y) ** 0.5 for ((x, y),) in apart)
        assert lengths == pytest.approx([0, 20], abs=1e-4)


def test_a_judge_learns_to_tell_two_kinds_of_drawings_apart():
    """Kanji, and kanji that are written from their last stroke to their first."""
    some = [one.strokes for one in load_kanji().train[::10]]
    taught, asked = some[:400], some[400:]
    judge = judge_of(taught, [one[::-1] for one in taught], seed=0)
    right = torch.cat([scores(judge, asked) > 0, scores(judge, [one[::-1] for one in asked]) < 0])
    assert right.double().mean() > 0.85


def test_the_pens_are_those_of_the_study_of_slips():
    trace = study.run({"seed": 0}, stop=2)["trace"]
    for k, slips in ((0, 0.0), (1, study.SLIPS)):
        (recorded,) = Record.load("slips").values("trace", slips=slips, seed=0)
        assert trace[k::3] == pytest.approx(recorded[:2], rel=2e-3)


def test_a_judge_is_asked_about_others_than_it_was_taught(monkeypatch):
    """The threshold is of the held-out kanji: nine of ten of them pass."""
    parts = {"train": ["train"], "held_out": [*range(10)], "test": [0.0, 0.7, 5.0]}
    kanji = {name: [SimpleNamespace(strokes=s) for s in some] for name, some in parts.items()}
    known, taught = SimpleNamespace(**kanji), []
    pen = SimpleNamespace(
        model=lambda: None, train=lambda *data, stop: SimpleNamespace(losses=[1.0])
    )
    monkeypatch.setattr(study, "load_kanji", lambda: known)
    monkeypatch.setattr(study, "pen_recipe", lambda *settings: pen)
    monkeypatch.setattr(study, "with_one_moved", lambda drawings, units: [-units])
    characters = [None, *(study.TAUGHT - 1) * [-1], *study.JUDGED * [1]]
    monkeypatch.setattr(study, "draw_kanji", lambda pen, number, **how: characters[:number])
    monkeypatch.setattr(study, "judge_of", lambda real, written, seed: taught.append(written))
    monkeypatch.setattr(study, "scores", lambda judge, drawings: torch.tensor(drawings).double())
    found = study.run({"seed": 0})
    assert taught == [12 * (study.TAUGHT - 1) * [-1]]
    assert found["real"] == 0.333 and found["moved"] == 0
    assert all(found[name] == [1, 1, 1, 1] for name in study.PENS)
