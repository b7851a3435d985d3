"""The made-up tasks: their answers, recomputed one step at a time."""

import torch

from rnnbook.data.tasks import MINUS, PLUS, SILENT, first_sign, store_and_recall
from rnnbook.recipes import train_on_first_sign


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


def test_the_same_seed_gives_the_same_sequences():
    first, again, other = (store_and_recall(5, 9, generator(seed)) for seed in (1, 1, 2))
    assert torch.equal(first[0], again[0]) and torch.equal(first[1], again[1])
    assert not torch.equal(first[0], other[0])


def test_train_on_first_sign_learns_a_short_one_and_depends_on_its_seed_alone():
    def run(seed):
        torch.manual_seed(seed)
        layer = torch.nn.RNN(1, 8, batch_first=True)
        model, score = train_on_first_sign(layer, 3, seed, steps=150)
        assert model.layer is layer
        return score, layer.weight_hh_l0.detach().clone()

    (score, weights), (_, again) = run(0), run(0)
    assert score > 0.95
    assert torch.equal(weights, again)
