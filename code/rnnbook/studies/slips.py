"""What it brings to a pen to practise slips (`rnnbook.training.recipes.kanji.with_slips`).

Networks of the book's recipe for kanji, for a shorter time, three seeds each; those of one seed
begin with the same weights and read the same kanji in the same order. `test` is nats for each
point of the kanji of the test as they are. `steady` and `slipped` say how far the middle of the
heaviest Gaussian lies from where the pen should go (the median, in units of the square), on these
kanji and with slips. `half` is the share of their places that are denser than half of 100 draws,
`wider` how many times as large as on them the patch for the next place is in characters that the
pen writes at 1.
"""

from dataclasses import replace
from functools import partial
from typing import Any

import torch

from rnnbook.data.kanji import load_kanji
from rnnbook.data.kanji_strokes import SCALE
from rnnbook.decoding.kanji import draw_kanji
from rnnbook.layers.mixture import log_density
from rnnbook.metrics.kanji import mean_nats_per_point
from rnnbook.models.kanji import Pen
from rnnbook.training.recipes.kanji import SLIPS, drawn_densities, kanji, pen_batches, stated_places

THREADS = 1
EPOCHS = 6
RUNS = {
    f"{name}, seed {seed}": {"slips": slips, "seed": seed}
    for name, slips in (("steady", 0.0), ("slips", SLIPS))
    for seed in range(3)
}


def run(settings: dict[str, Any], stop: int | None = None) -> dict[str, Any]:
    """Train one network; see `rnnbook.studies`."""
    known = load_kanji()
    batches = partial(pen_batches, slips=settings["slips"])
    chosen = replace(kanji(), batches=batches, epochs=EPOCHS, seed=settings["seed"])
    model = chosen.model()
    history = chosen.train(model, [one.strokes for one in known.train], stop=stop)
    if stop is not None:
        return {"trace": history.losses}
    test = [one.strokes for one in known.test]
    mixture, ways, _ = stated_places(model, test)
    drawn, real = drawn_densities(mixture), log_density(mixture, ways)
    written = list(filter(None, draw_kanji(model, len(test), seed=3)))
    own = drawn_densities(stated_places(model, written)[0])
    return {
        "test": round(mean_nats_per_point(model, test), 4),
        "steady": round(off(model, test, 0.0), 2),
        "slipped": round(off(model, test, SLIPS), 2),
        "half": round(((drawn < real).double().mean(dim=0) > 0.5).double().mean().item(), 3),
        "wider": round((drawn.mean() - own.mean()).exp().item(), 2),
        "trace": history.losses,
    }


def off(model: Pen, drawings: list, slips: float) -> float:
    """How far the middle of the heaviest Gaussian lies from the next place: median, in units."""
    mixture, ways, _ = stated_places(model, drawings, slips)
    heaviest = mixture.log_weight.argmax(dim=1)
    middle = mixture.mean[torch.arange(len(ways)), heaviest]
    return SCALE * (middle - ways).norm(dim=1).median().item()
