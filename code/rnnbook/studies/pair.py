"""Two of the large networks side by side, one on each core, in forty-five minutes.

The recipe is that of `rnnbook.studies.long_run` with fewer steps, their number fixed beforehand.
Conceived after that study and `rnnbook.studies.ensemble` had been judged by the validation text.
"""

from typing import Any

from rnnbook.models.ensemble import Ensemble
from rnnbook.studies.ensemble import losses_of, text_of, train_members
from rnnbook.training.recipes.shakespeare import one_of_two

THREADS = 2  # two processes with one thread each
RUNS = {"two": {"seeds": [0, 1], "steps": one_of_two().steps}}


def run(settings: dict[str, Any], stop: int | None = None) -> dict[str, Any]:
    """Train the networks; see `rnnbook.studies`. The trace is that of the first."""
    members, result = train_members(one_of_two, settings["seeds"], stop)
    if stop is None:
        both = Ensemble(members)
        result["together"] = losses_of(both)
        result["text"] = text_of(both)
    return result
