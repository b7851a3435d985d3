"""The mean of several models' probabilities."""

from dataclasses import replace

import pytest
import torch

from rnnbook.metrics.evaluation import carried_loss
from rnnbook.models.ensemble import Ensemble
from rnnbook.models.recurrent import CharacterModel
from rnnbook.training.recipes.shakespeare import one_of_four


@pytest.fixture
def members():
    torch.manual_seed(0)
    layers = [torch.nn.LSTM(3, 4, batch_first=True), torch.nn.GRU(3, 6, batch_first=True)]
    return [CharacterModel(layer, 5).double() for layer in layers]


@pytest.fixture
def ids():
    return torch.randint(5, (2, 9), generator=torch.Generator().manual_seed(1))  # (B, T)


def test_probabilities_are_averaged(members, ids):
    ours = Ensemble(members)(ids)[0].exp()
    by_hand = sum(member(ids)[0].softmax(dim=-1) for member in members) / 2
    torch.testing.assert_close(ours, by_hand)
    torch.testing.assert_close(ours.sum(dim=-1), torch.ones(2, 9).double())


def test_every_member_goes_on_from_its_own_state(members, ids):
    model = Ensemble(members)
    first, states = model(ids[:, :4])
    rest, _ = model(ids[:, 4:], states)
    torch.testing.assert_close(torch.cat([first, rest], dim=1), model(ids)[0])


def test_the_loss_is_at_most_the_mean_of_the_losses(members, ids):
    """Because the logarithm is concave (Jensen's inequality)."""
    alone = [carried_loss(member, ids[0]) for member in members]
    assert carried_loss(Ensemble(members), ids[0]) < sum(alone) / 2


def test_a_member_is_made_by_its_seed():
    weights = [replace(one_of_four(), seed=seed).model(7).head.weight for seed in (0, 0, 1)]
    assert torch.equal(weights[0], weights[1]) and not torch.equal(weights[0], weights[2])
