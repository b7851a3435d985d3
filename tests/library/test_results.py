"""Trainings that take over what others have ended with, and those that must not."""

import hashlib
from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from built import serve
from rnnbook.training import results
from rnnbook.training.batches import Batch, MiniBatches
from rnnbook.training.loop import train
from rnnbook.training.settings import Settings


def likelihood(model: nn.Module, batch: Batch, state=None):
    return cross_entropy(model(batch.x), batch.y), None


def squares(model: nn.Module, batch: Batch, state=None):
    return model(batch.x).square().mean(), None


SETTINGS = Settings(steps=40, lr=1e-2, objective=likelihood)


def model(seed: int = 0, hidden_size: int = 5) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(3, hidden_size), nn.Dropout(0.2), nn.Linear(hidden_size, 2))


def batches(seed: int = 0) -> MiniBatches:
    x = torch.randn(64, 3, generator=torch.Generator().manual_seed(seed))
    return MiniBatches(x, (x.sum(dim=1) > 0).long(), 8)


def weight(model: nn.Module) -> float:
    """Stands for a measure on held-out data."""
    return model[0].weight.sum().item()


class Counted:
    """Batches that count how many steps were trained on."""

    def __init__(self, seed: int = 0):
        self.inner, self.steps = batches(seed), set()

    def __len__(self) -> int:
        return len(self.inner)

    def batch(self, step: int):
        self.steps.add(step)
        return self.inner.batch(step)


@pytest.fixture
def page(tmp_path, monkeypatch):
    """A training of a page, whose results are then used: the network and the history."""
    file = tmp_path / "site" / "lstm.pt"
    monkeypatch.setattr(results, "SHORTEST", 0.0)
    monkeypatch.setattr(results, "_written", [])
    monkeypatch.setenv("RNNBOOK_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("RNNBOOK_RESULTS", str(file))
    network = model()
    options = {"evaluate": weight, "evaluate_every": 20, "sample": lambda _: "to be"}
    history = train(network, batches(), SETTINGS, **options)
    after = torch.rand(2)
    monkeypatch.delenv("RNNBOOK_RESULTS")
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    with serve(file.parent) as address:
        results.use(f"{address}/lstm.pt", sha256)
    yield network, history, after
    results.forget()


def test_a_training_takes_over_the_results_of_the_same_one(page, capsys):
    network, history, after = page
    capsys.readouterr()
    mine, data = model(), Counted()
    found = train(mine, data, SETTINGS, evaluate=weight, evaluate_every=20)
    assert data.steps == {0, 1, 2}
    assert found == history and found.samples == ["to be", "to be"]
    assert all(map(torch.equal, mine.state_dict().values(), network.state_dict().values()))
    assert torch.equal(torch.rand(2), after)  # and chance goes on as on the page
    printed = capsys.readouterr().out
    assert "".join(f"{line}\n" for line in history.log) in printed
    assert "results.forget()" in printed


OTHERS = {
    "another start": {"model": model(seed=1)},
    "another size": {"model": model(hidden_size=6)},
    "other data": {"batches": Counted(seed=1)},
    "more steps": {"settings": replace(SETTINGS, steps=41)},
    "another rate": {"settings": replace(SETTINGS, lr=1.1e-2)},
    "another course of the rate": {"settings": replace(SETTINGS, schedule=lambda progress: 1.0)},
    "another limit": {"settings": replace(SETTINGS, clip=2.0)},
    "another seed of dropout": {"settings": replace(SETTINGS, seed=1)},
    "another objective": {"settings": replace(SETTINGS, objective=squares)},
    "another measure": {"evaluate": lambda model: 2 * weight(model)},
    "no measure": {"evaluate": None},
}


@pytest.mark.parametrize("change", OTHERS)
def test_another_training_is_gone_on_with(page, change):
    how = {"model": model(), "batches": Counted(), "settings": SETTINGS, "evaluate": weight}
    how |= OTHERS[change]
    history = train(
        how["model"], how["batches"], how["settings"], evaluate=how["evaluate"], evaluate_every=20
    )
    assert len(how["batches"].steps) == len(history.losses) == how["settings"].steps


def test_what_is_forgotten_is_trained(page):
    results.forget()
    data = Counted()
    train(model(), data, SETTINGS, evaluate=weight, evaluate_every=20)
    assert len(data.steps) == 40


def test_a_training_that_stops_or_is_saved_is_no_other_one(page, tmp_path):
    data = Counted()
    assert len(train(model(), data, SETTINGS, evaluate=weight, stop=20).losses) == 20
    train(model(), data, SETTINGS, evaluate=weight, checkpoint=tmp_path / "run.pt")
    assert len(data.steps) == 40


@pytest.mark.parametrize("sha256", ["0" * 64, "gone"])
def test_results_that_cannot_be_had_are_trained_for_here(tmp_path, monkeypatch, capsys, sha256):
    monkeypatch.setenv("RNNBOOK_DATA", str(tmp_path / "data"))
    name = "gone.pt" if sha256 == "gone" else "lstm.pt"
    (tmp_path / "lstm.pt").write_bytes(b"something else")
    with serve(tmp_path) as address:
        results.use(f"{address}/{name}", sha256 if name == "lstm.pt" else "0" * 64)
    assert "trained here" in capsys.readouterr().out
    assert not results._used


def test_a_short_training_is_not_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("RNNBOOK_RESULTS", str(tmp_path / "lstm.pt"))
    train(model(), batches(), SETTINGS)
    assert not (tmp_path / "lstm.pt").exists()
