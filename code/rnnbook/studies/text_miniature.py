"""How much dropout does the long training on Shakespeare need? Its miniature, in a grid.

Everything is smaller by about the same factor: an eighth of the text, a seventh of the weights, a
sixth of the steps. So the text is read about as often as in the long training, and there are
about as many weights for each character. One seed each. They are judged by the first 50,000
characters of the training text, which are held out, with the state carried along.
"""

from typing import Any

from rnnbook.data.shakespeare import HELD_OUT
from rnnbook.data.shakespeare_ids import load_ids
from rnnbook.metrics.evaluation import carried_loss
from rnnbook.studies import text_recipes

THREADS = 1
LENGTH, UNITS, STEPS = 120_000, 256, 5000
EVERY = 500  # steps between two looks at the held-out text
DROPOUT = (0.2, 0.35, 0.5)
WEIGHT_DROPOUT = (0.0, 0.25, 0.5)
RUNS = {
    f"dropout {p:g}, weight dropout {q:g}": text_recipes.settings(
        "LSTM", UNITS, STEPS, dropout=p, weight_dropout=q, lr=6e-3
    )
    for p in DROPOUT
    for q in WEIGHT_DROPOUT
}


def run(settings: dict[str, Any], stop: int | None = None) -> dict[str, Any]:
    """Train one network; see `rnnbook.studies`."""
    ids, _, V = load_ids()
    held_out, chosen = ids[:HELD_OUT], text_recipes.recipe(settings)
    model = chosen.model(V)
    history = chosen.train(
        model,
        ids[HELD_OUT : HELD_OUT + LENGTH],
        evaluate=lambda model: carried_loss(model, held_out[:20_000]),
        evaluate_every=EVERY,
        stop=stop,
    )
    result: dict[str, Any] = {"trace": history.losses}
    if stop is None:
        result["parameters"] = sum(p.numel() for p in model.parameters())
        result["training_loss"] = round(sum(history.losses[-500:]) / 500, 4)
        result["looks"] = [[step, round(loss, 4)] for step, loss in history.held_out]
        result["held_out"] = round(carried_loss(model, held_out), 4)
    return result
