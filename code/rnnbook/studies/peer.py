"""The test names, written by `e2k`, a recurrent network with attention that speech programs use.

It was trained by others, on other words (of Wiktionary, and of JMdict, whose sister our names are
from), and knows no hyphen. It comes with the extra `scores`. A step of its trace is a name, the
loss the edit distance.
"""

from importlib import import_module
from typing import Any

from rnnbook.data.names import load_names
from rnnbook.metrics.error_rates import character_error_rate, exact, exact_but_for_variants

THREADS = 1
RUNS = {"e2k 0.8.1": {"package": "e2k", "version": "0.8.1"}}


def run(settings: dict[str, Any], stop: int | None = None) -> dict[str, Any]:
    """Let the packaged model write the names; see `rnnbook.studies`."""
    write = import_module(settings["package"]).C2K()
    names = load_names().test[:stop]
    answers = [write(name.spelling) for name in names]
    right = [name.readings for name in names]
    return {
        "exact": exact(answers, right),
        "error_rate": character_error_rate(answers, right),
        "but_for_variants": exact_but_for_variants(answers, right),
        "trace": [
            character_error_rate([answer], [readings])
            for answer, readings in zip(answers, right, strict=True)
        ],
    }
