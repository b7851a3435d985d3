"""The league of characters again, after ten passes through the training text.

Every network of `rnnbook.studies.search`, one seed, with the learning rate that suited it best for
one pass and with parts of it. The first 50,000 characters of the training text are left out, to
choose the rate by. The loss on these and on the validation text is measured in windows of 64 that
overlap, which suits every network, and on the latter also with the state carried along.
"""

import time
from typing import Any

from rnnbook.data.shakespeare import HELD_OUT
from rnnbook.data.shakespeare_ids import load_ids
from rnnbook.metrics.evaluation import overlapping_loss
from rnnbook.studies.search import recipe
from rnnbook.studies.shakespeare import RATES, loss_with_memory
from rnnbook.training.recipes.shakespeare import WINDOW

THREADS = 1
STEPS = 9_320  # of 16 × 64 characters, ten times through what is left of the text
PARTS = {"LSTM": (2, 4, 8), "transformer": (0.5, 1, 2, 4)}  # of the rate for one pass
RUNS = {
    f"{net}, {best / part:g}": {"network": net, "lr": best / part}
    for net, best in RATES.items()
    for part in PARTS.get(net, (1, 2, 4))
}


def run(settings: dict[str, Any], stop: int | None = None) -> dict[str, Any]:
    """Train one network; see `rnnbook.studies`."""
    ids, validation, V = load_ids()
    chosen = recipe(settings["network"], settings["lr"], STEPS)
    model = chosen.model(V)
    begin = time.process_time()
    history = chosen.train(model, ids[HELD_OUT:], stop=stop)
    core_seconds = time.process_time() - begin
    result: dict[str, Any] = {"trace": history.losses}
    if stop is None:
        result["core_seconds"] = round(core_seconds, 1)
        result["training_loss"] = round(sum(history.losses[-100:]) / 100, 4)
        for name, text in ("held_out", ids[:HELD_OUT]), ("validation", validation):
            result[name] = round(overlapping_loss(model, text, WINDOW, new=16), 4)
        result["carried"] = loss_with_memory(model, validation)
    return result
