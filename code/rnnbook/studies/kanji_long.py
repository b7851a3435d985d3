"""Larger pens that write kanji, trained for a quarter of an hour of a core, without slips and with.

`held_out` and `test` are nats for each point. `written` are characters that the pen writes at 0.3,
as they come, in whole units.
"""

from dataclasses import replace
from functools import partial
from typing import Any

from rnnbook.data.kanji import load_kanji
from rnnbook.decoding.kanji import draw_kanji
from rnnbook.metrics.kanji import mean_nats_per_point
from rnnbook.models.kanji import Pen
from rnnbook.training.recipes.kanji import SLIPS, kanji, pen_batches

THREADS = 1
RUNS = {"512 units": {"slips": 0.0}, "512 units, slips": {"slips": SLIPS}}


def run(settings: dict[str, Any], stop: int | None = None) -> dict[str, Any]:
    """Train the network; see `rnnbook.studies`."""
    known = load_kanji()
    network = partial(Pen, 20, hidden_size=512, weight_dropout=0.15)
    batches = partial(pen_batches, slips=settings["slips"])
    chosen = replace(kanji(), network=network, batches=batches, epochs=45)
    model = chosen.model()
    history = chosen.train(model, [one.strokes for one in known.train], stop=stop)
    if stop is not None:
        return {"trace": history.losses}
    return {
        "parameters": sum(p.numel() for p in model.parameters()),
        "held_out": round(mean_nats_per_point(model, [k.strokes for k in known.held_out]), 4),
        "test": round(mean_nats_per_point(model, [k.strokes for k in known.test]), 4),
        "written": [
            [[[round(x), round(y)] for x, y in stroke] for stroke in strokes]
            for strokes in draw_kanji(model, 24, temperature=0.3, seed=0)
        ],
        "trace": history.losses,
    }
