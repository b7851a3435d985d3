"""Which of the four changes makes the better recipe for digits better?

Each change alone, added to the notebook's settings, and each taken away alone from the better
recipe; three seeds. Trained on 55,000 digits, judged by the 5,000 that are held out and, since
nothing is chosen by it, by the test digits.
"""

import math
from typing import Any

from torch import nn

from rnnbook.data.mnist import load_mnist
from rnnbook.metrics.evaluation import accuracy
from rnnbook.training.batches import MiniBatches
from rnnbook.training.recipes.digits import digit_reader
from rnnbook.training.recipes.recipe import Recipe
from rnnbook.training.schedules import constant, warmup_cosine

THREADS = 1
SEEDS = (0, 1, 2)
CHANGES = ("length", "rate", "clipping", "quiet start")
WAYS: dict[str, tuple[str, ...]] = {
    "the notebook": (),
    **{f"with {change}": (change,) for change in CHANGES},
    **{f"without {change}": tuple(c for c in CHANGES if c != change) for change in CHANGES},
    "better recipe": CHANGES,
}
RUNS = {
    f"{way}, seed {seed}": {"way": way, "changes": list(changes), "seed": seed}
    for way, changes in WAYS.items()
    for seed in SEEDS
}


def run(settings: dict[str, Any], stop: int | None = None) -> dict[str, Any]:
    """Train one network; see `rnnbook.studies`."""
    mnist, chosen = load_mnist(), recipe(settings)
    model = chosen.model(10)
    history = chosen.train(model, *mnist.kept, stop=stop)
    if stop is not None:
        return {"trace": history.losses}
    return {
        "held_out": accuracy(model, *mnist.held_out),
        "accuracy": accuracy(model, mnist.test_images, mnist.test_labels),
        "clipped": sum(norm > 1 for norm in history.gradient_norms) / len(history.gradient_norms),
        "trace": history.losses,
    }


def recipe(settings: dict[str, Any]) -> Recipe:
    """The notebook's settings with some of the changes."""
    has = settings["changes"].__contains__
    return Recipe(
        network=digit_reader if has("quiet start") else loud_reader,
        batches=lambda images, labels, seed: MiniBatches(images, labels, 128, seed),
        steps=3432 if has("length") else 781,
        lr=4e-3 if has("rate") else 1e-3,
        schedule=warmup_cosine if has("rate") else constant,
        clip=1.0 if has("clipping") else math.inf,
        seed=settings["seed"],
    )


def loud_reader(classes: int) -> nn.Module:
    """Its output layer starts as the notebook's, from a normal distribution."""
    model = digit_reader(classes)
    for p in model.head.parameters():
        nn.init.normal_(p)
    return model
