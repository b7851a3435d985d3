"""Digits read row by row: five seeds, the whole test set, at most 90 seconds of training each.

The recipe is the one that did best in `rnnbook.studies.digit_recipes`, on held-out training
digits, among those that would take at most 90 seconds for all 60,000. The accuracy is that of the
last weights.
"""

from typing import Any

from rnnbook.data.mnist import load_mnist
from rnnbook.metrics.evaluation import accuracy
from rnnbook.studies.digit_recipes import RECIPES, recipe

THREADS = 2  # one training at a time, so that its seconds are those of the clock
SEEDS = range(5)
RECIPE = "shifts, dropout, twenty epochs"
RUNS = {f"seed {seed}": {"recipe": RECIPE, **RECIPES[RECIPE], "seed": seed} for seed in SEEDS}


def run(settings: dict[str, Any], stop: int | None = None) -> dict[str, Any]:
    """Train one network; see `rnnbook.studies`."""
    mnist = load_mnist()
    chosen = recipe(settings)
    model = chosen.model(10)
    history = chosen.train(model, mnist.train_images, mnist.train_labels, stop=stop)
    if stop is not None:
        return {"trace": history.losses}
    return {
        "accuracy": accuracy(model, mnist.test_images, mnist.test_labels),
        "training_seconds": round(history.seconds, 1),
        "trace": history.losses,
    }
