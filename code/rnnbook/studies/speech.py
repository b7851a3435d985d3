"""Spoken digits: what a second layer and a second direction bring.

Four networks of about 140,000 weights, three seeds each, trained by the recipe of the book for
speech, and judged on 500 strings of recordings of the test. `digits_wrong` is the sum of the edit
distances, for each digit that was said; `strings_right` the share of strings without a mistake;
`noisy_digits_wrong` is the first of them once more, with noise in the frames.
"""

from dataclasses import replace
from functools import partial
from typing import Any

from rnnbook.data.speech import load_speech, said, with_noise
from rnnbook.decoding.ctc import transcribe
from rnnbook.metrics.error_rates import character_error_rate, exact
from rnnbook.training.recipes.recipe import Recipe
from rnnbook.training.recipes.speech import listener, speech

THREADS = 1
UNITS = {(1, 1): 180, (1, 2): 104, (2, 1): 250, (2, 2): 128}  # by directions and layers
RUNS = {
    f"{directions} directions, {layers} layers, seed {seed}": {
        "directions": directions,
        "layers": layers,
        "seed": seed,
    }
    for directions, layers in UNITS
    for seed in range(3)
}


def run(settings: dict[str, Any], stop: int | None = None) -> dict[str, Any]:
    """Train one network; see `rnnbook.studies`."""
    recordings = load_speech()
    chosen = recipe(**settings)
    model = chosen.model()
    history = chosen.train(model, recordings.train, stop=stop)
    if stop is not None:
        return {"trace": history.losses}
    strings = recordings.test_strings
    right = [[said(string)] for string in strings]
    heard, heard_in_noise = (transcribe(model, some) for some in (strings, with_noise(strings)))
    return {
        "parameters": sum(p.numel() for p in model.parameters()),
        "digits_wrong": character_error_rate(heard, right),
        "strings_right": exact(heard, right),
        "noisy_digits_wrong": character_error_rate(heard_in_noise, right),
        "trace": history.losses,
    }


def recipe(directions: int, layers: int, seed: int) -> Recipe:
    """The recipe of the book for speech, for a network of another shape."""
    shape = {"hidden_size": UNITS[directions, layers], "layers": layers}
    network = partial(listener, **shape, both_ways=directions == 2)
    return replace(speech(), network=network, seed=seed)
