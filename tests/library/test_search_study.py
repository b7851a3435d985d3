"""The search for learning rates: judged by a text that it has not trained on."""

import pytest
import torch
from torch import nn

from rnnbook.models.recurrent import CharacterModel
from rnnbook.studies import search


@pytest.mark.usefixtures("one_thread")
def test_it_is_judged_by_the_text_that_it_leaves_out_and_by_that_alone(monkeypatch):
    """Of two texts in one, each of a single character, the network knows the second alone."""
    held_out, text = torch.ones(3000, dtype=torch.long), torch.zeros(24_000, dtype=torch.long)
    monkeypatch.setattr(search, "load_ids", lambda: (torch.cat([held_out, text]), None, 2))
    monkeypatch.setattr(search, "HELD_OUT", len(held_out))
    monkeypatch.setattr(search, "STEPS", 100)
    small = {"small": lambda V, p: CharacterModel(nn.LSTM(4, 8, batch_first=True), V, p)}
    monkeypatch.setattr(search, "NETWORKS", small)
    found = search.run({"network": "small", "lr": 1e-2})
    assert found["trace"][-1] < 0.1  # what comes next in its own text, it knows
    assert found["held_out"] > 2.5
