"""The output layer whose learning rate is another than that of the rest."""

import pytest
import torch
from torch import nn

from rnnbook.studies.digit_changes import recipe as changed
from rnnbook.studies.digit_starts import RUNS, Paced, recipe


@pytest.mark.parametrize("factor", [20, 1, 1 / 20])
def test_a_paced_layer_starts_as_it_is_given_and_then_moves_so_many_times_as_far(factor):
    torch.manual_seed(0)
    layer = nn.Linear(5, 3)
    weight, x = layer.weight.detach().clone(), torch.randn(4, 5)
    before = layer(x)
    paced = Paced(layer, factor)
    torch.testing.assert_close(paced(x), before)
    adam = torch.optim.Adam(paced.parameters(), lr=1e-3)
    paced(x).square().sum().backward()
    adam.step()  # the first step of Adam moves each number by its rate
    moved = (factor * paced.linear.weight.detach() - weight).abs()
    torch.testing.assert_close(moved, torch.full_like(moved, 1e-3 * factor), rtol=1e-3, atol=0)


def test_the_rates_differ_and_the_networks_do_not():
    images = torch.rand(4, 28, 28)
    for start, changes in (("loud", []), ("quiet", ["quiet start"])):
        with torch.no_grad():
            want = changed({"changes": changes, "seed": 1}).model(10)(images)[0]
            for rates in ("as they are", "head 20", "both 4"):
                found = recipe(RUNS[f"{start}, {rates}, seed 1"]).model(10)(images)[0]
                torch.testing.assert_close(found, want)
    assert recipe(RUNS["quiet, LSTM 4, seed 1"]).lr == 4e-3
    assert recipe(RUNS["quiet, LSTM 4, seed 1"]).model(10).head.factor == 1 / 4
