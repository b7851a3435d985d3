"""A race over the names: an LSTM with attention and a transformer, after 1 pass, 5 and 20.

Each with the learning rate and the dropout that did best in `rnnbook.studies.pass_rates`, whose
seed is not used again. Judged by the answers of a beam of 4 to the test names.
"""

from typing import Any

from rnnbook.data.names import load_names
from rnnbook.studies.pass_rates import judged, recipe
from rnnbook.studies.shared.names import trained

THREADS = 1
SEEDS = (1, 2, 3)
CHOSEN = {  # for a network and a number of passes, the rate and the dropout
    ("LSTM", 1): (6e-3, 0.0),
    ("transformer", 1): (4e-3, 0.0),
    ("LSTM", 5): (3e-3, 0.0),
    ("transformer", 5): (2e-3, 0.0),
    ("LSTM", 20): (3e-3, 0.05),
    ("transformer", 20): (2e-3, 0.05),
}
RUNS = {
    f"{net}, {passes} passes, seed {seed}": {
        "network": net,
        "passes": passes,
        "lr": lr,
        "dropout": dropout,
        "seed": seed,
    }
    for (net, passes), (lr, dropout) in CHOSEN.items()
    for seed in SEEDS
}


def run(settings: dict[str, Any], stop: int | None = None) -> dict[str, Any]:
    """Train one network; see `rnnbook.studies`."""
    known = load_names()
    model, losses = trained(recipe(**settings), known, stop=stop)
    return {"trace": losses} if stop else {**judged(model, known, known.test), "trace": losses}
