"""A larger pen that writes kanji, trained for about twenty minutes of a core.

`held_out` and `test` are nats for each point.
"""

from dataclasses import replace
from functools import partial
from typing import Any

from rnnbook.data.kanji import load_kanji
from rnnbook.models.pen import Pen
from rnnbook.training.drawing import kanji, mean_nats_per_point

THREADS = 1
RUNS = {"512 units": {"units": 512, "weight_dropout": 0.2, "epochs": 45}}


def run(settings: dict[str, Any], stop: int | None = None) -> dict[str, Any]:
    """Train the network; see `rnnbook.studies`."""
    known = load_kanji()
    network = partial(Pen, 20, settings["units"], settings["weight_dropout"])
    chosen = replace(kanji(), network=network, epochs=settings["epochs"])
    model = chosen.model()
    history = chosen.train(model, [one.strokes for one in known.train], stop=stop)
    if stop is not None:
        return {"trace": history.losses}
    return {
        "parameters": sum(p.numel() for p in model.parameters()),
        "held_out": round(mean_nats_per_point(model, [k.strokes for k in known.held_out]), 4),
        "test": round(mean_nats_per_point(model, [k.strokes for k in known.test]), 4),
        "trace": history.losses,
    }
