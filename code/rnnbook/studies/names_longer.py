"""How well does the best recipe that was found write names? It is that of `train names`.

The names, the seeds, and how the answers are judged are those of `rnnbook.studies.attention`.
"""

from dataclasses import replace
from typing import Any

from rnnbook.data.names import load_names
from rnnbook.decoding.names import transliterate
from rnnbook.metrics.error_rates import among_first, character_error_rate, exact
from rnnbook.studies.shared.names import SEEDS, trained
from rnnbook.training.recipes.names import names_longer

THREADS = 1
RUNS = {f"seed {seed}": {"seed": seed} for seed in SEEDS}


def run(settings: dict[str, Any], stop: int | None = None) -> dict[str, Any]:
    """Train one network; see `rnnbook.studies`."""
    known = load_names()
    model, losses = trained(replace(names_longer(), seed=settings["seed"]), known, stop=stop)
    if stop is not None:
        return {"trace": losses}
    words, right = zip(*((name.spelling, name.readings) for name in known.test), strict=True)
    found = transliterate(model, known.letters, known.kana, words, width=4)
    answers = [[answer.text for answer in best] for best in found]
    firsts = [best[0] for best in answers]
    return {
        "exact": exact(firsts, right),
        "error_rate": character_error_rate(firsts, right),
        "among_four": among_first(answers, right, 4),
        "trace": losses,
    }
