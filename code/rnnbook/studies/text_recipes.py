"""Which network should the long training on Shakespeare be spent on? Short trainings compared.

Each gets about 400 seconds of one core, a thirteenth of what the long one gets; how many steps
that is was measured before, and is fixed. One seed each. They train on the training text without
its first 50,000 characters, and are judged by these, with the state carried along. The validation
text is not used.
"""

from typing import Any

import torch
from torch import Tensor, nn

from rnnbook.cells import set_forget_bias
from rnnbook.dropconnect import WeightDropLSTM
from rnnbook.models import CharacterModel
from rnnbook.studies.search import HELD_OUT, STREAMS, WINDOW, load_text
from rnnbook.training import History, Streams, carried_loss, train

THREADS = 1  # two runs side by side use two cores better than one run does


def recipe(
    layer: str, units: int, steps: int, dropout: float, weight_dropout: float = 0, lr: float = 4e-3
) -> dict[str, Any]:
    return {
        "layer": layer,
        "units": units,
        "steps": steps,
        "dropout": dropout,
        "weight_dropout": weight_dropout,
        "lr": lr,
        "seed": 0,
    }


RUNS = {
    "LSTM 512": recipe("LSTM", 512, 8200, 0.3),
    "LSTM 768": recipe("LSTM", 768, 3900, 0.3),
    "LSTM 1024": recipe("LSTM", 1024, 1970, 0.3),
    "LSTM 768, more dropout": recipe("LSTM", 768, 3900, 0.5),
    "LSTM 768, weight dropout": recipe("LSTM", 768, 3100, 0.3, weight_dropout=0.3),
    "LSTM 768, twice the rate": recipe("LSTM", 768, 3900, 0.3, lr=8e-3),
    "LSTM 512, two layers": recipe("two LSTMs", 512, 2650, 0.3),
    "GRU 512": recipe("GRU", 512, 4200, 0.3),
}


def run(settings: dict[str, Any], stop: int | None = None) -> dict[str, Any]:
    """Train one network; see `rnnbook.study`."""
    ids, _, V = load_text()
    model, history = train_reader(settings, V, ids[HELD_OUT:], stop)
    result = {"trace": history.losses}
    if stop is None:
        result["parameters"] = sum(p.numel() for p in model.parameters())
        result["training_loss"] = round(sum(history.losses[-500:]) / 500, 4)
        result["held_out"] = round(carried_loss(model, ids[:HELD_OUT]), 4)
    return result


def train_reader(
    settings: dict[str, Any], vocabulary_size: int, ids: Tensor, stop: int | None, **options
) -> tuple[CharacterModel, History]:
    """Make a network by its settings and train it on ids (N,), carrying the state."""
    torch.manual_seed(settings["seed"])
    model = CharacterModel(make_layer(settings), vocabulary_size, settings["dropout"])
    streams = Streams(ids, STREAMS, WINDOW)
    options |= {"betas": (0.9, 0.99), "seed": settings["seed"], "stop": stop}
    return model, train(model, streams, steps=settings["steps"], lr=settings["lr"], **options)


def make_layer(settings: dict[str, Any]) -> nn.Module:
    """A recurrent layer that reads characters embedded in 128 dimensions."""
    H = settings["units"]
    if settings["layer"] == "GRU":
        return nn.GRU(128, H, batch_first=True)
    if settings["layer"] == "two LSTMs":
        return set_forget_bias(nn.LSTM(128, H, 2, batch_first=True, dropout=settings["dropout"]))
    return set_forget_bias(WeightDropLSTM(128, H, settings["weight_dropout"]))
