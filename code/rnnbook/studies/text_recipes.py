"""Which network should the long training on Shakespeare be spent on? Short trainings compared.

Each gets about 400 seconds of one core, a thirteenth of what the long one gets; how many steps
that is was measured before, and is fixed. One seed each. They train on the training text without
its first 50,000 characters, and are judged by these, with the state carried along. The validation
text is not used.
"""

from typing import Any

from torch import nn

from rnnbook.data.shakespeare import HELD_OUT
from rnnbook.data.shakespeare_ids import load_ids
from rnnbook.layers.initialisation import set_forget_bias
from rnnbook.layers.weight_drop import WeightDropLSTM
from rnnbook.metrics.evaluation import carried_loss
from rnnbook.models.recurrent import CharacterModel
from rnnbook.training.recipes.recipe import Recipe
from rnnbook.training.recipes.shakespeare import text_streams

THREADS = 1  # two runs side by side use two cores better than one run does


def settings(
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
    "LSTM 512": settings("LSTM", 512, 8200, 0.3),
    "LSTM 768": settings("LSTM", 768, 3900, 0.3),
    "LSTM 1024": settings("LSTM", 1024, 1970, 0.3),
    "LSTM 768, more dropout": settings("LSTM", 768, 3900, 0.5),
    "LSTM 768, weight dropout": settings("LSTM", 768, 3100, 0.3, weight_dropout=0.3),
    "LSTM 768, twice the rate": settings("LSTM", 768, 3900, 0.3, lr=8e-3),
    "LSTM 512, two layers": settings("two LSTMs", 512, 2650, 0.3),
    "GRU 512": settings("GRU", 512, 4200, 0.3),
}


def run(settings: dict[str, Any], stop: int | None = None) -> dict[str, Any]:
    """Train one network; see `rnnbook.studies`."""
    ids, _, V = load_ids()
    chosen = recipe(settings)
    model = chosen.model(V)
    history = chosen.train(model, ids[HELD_OUT:], stop=stop)
    result: dict[str, Any] = {"trace": history.losses}
    if stop is None:
        result["parameters"] = sum(p.numel() for p in model.parameters())
        result["training_loss"] = round(sum(history.losses[-500:]) / 500, 4)
        result["held_out"] = round(carried_loss(model, ids[:HELD_OUT]), 4)
    return result


def recipe(settings: dict[str, Any]) -> Recipe:
    """How the network of a run is made and trained."""
    return Recipe(
        network=lambda V: CharacterModel(make_layer(settings), V, settings["dropout"]),
        batches=text_streams,
        steps=settings["steps"],
        lr=settings["lr"],
        betas=(0.9, 0.99),
        seed=settings["seed"],
    )


def make_layer(settings: dict[str, Any]) -> nn.Module:
    """A recurrent layer that reads characters embedded in 128 dimensions."""
    H = settings["units"]
    if settings["layer"] == "GRU":
        return nn.GRU(128, H, batch_first=True)
    if settings["layer"] == "two LSTMs":
        return set_forget_bias(nn.LSTM(128, H, 2, batch_first=True, dropout=settings["dropout"]))
    return set_forget_bias(WeightDropLSTM(128, H, settings["weight_dropout"]))
