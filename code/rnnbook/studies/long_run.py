"""Forty-five minutes of two cores for one network that reads Shakespeare.

Its recipe was chosen in `rnnbook.studies.text_recipes` and `text_miniature`, on held-out training
text; here it trains on all of the training text. The losses are those of the last weights on the
whole validation text. What is measured on the way is recorded, and nothing is chosen by it.
"""

from dataclasses import replace
from typing import Any

from rnnbook.data.shakespeare import load_rebuilt
from rnnbook.data.vocabulary import Vocabulary
from rnnbook.decoding.sampling import sample
from rnnbook.metrics.evaluation import carried_loss, windowed_loss
from rnnbook.training.recipes import shakespeare as recipes

THREADS = 2  # one training at a time, so that its minutes are those of the clock
EVERY = 4000  # steps between two looks at the validation text
MEAN = 200  # steps that are averaged for a point of the curve
RUNS = {"seed 0": {"seed": 0}}


def run(settings: dict[str, Any], stop: int | None = None) -> dict[str, Any]:
    """Train the network; see `rnnbook.studies`."""
    text, chosen = load_rebuilt(), replace(recipes.long_run(), seed=settings["seed"])
    vocabulary = Vocabulary(text.text)
    validation = vocabulary.encode(text.validation)
    model = chosen.model(len(vocabulary))
    history = chosen.train(
        model,
        vocabulary.encode(text.train),
        stop=stop,
        evaluate=lambda model: windowed_loss(model, validation, 256),
        evaluate_every=EVERY,
    )
    losses = history.losses
    result: dict[str, Any] = {"trace": losses}
    if stop is None:
        result["parameters"] = sum(p.numel() for p in model.parameters())
        result["steps"] = len(losses)
        result["minutes"] = round(history.seconds / 60, 1)
        starts = range(0, len(losses) - MEAN + 1, MEAN)
        result["curve"] = [round(sum(losses[k : k + MEAN]) / MEAN, 4) for k in starts]
        result["looks"] = [[step, round(loss, 4)] for step, loss in history.held_out]
        result["carried"] = round(carried_loss(model, validation), 4)
        result["windows of 256"] = round(windowed_loss(model, validation, 256), 4)
        result["windows of 64"] = round(windowed_loss(model, validation, 64), 4)
        result["text"] = sample(model, vocabulary, "\n", 700, temperature=0.7, seed=0)
    return result
