"""Pictures: the learning rate of an eye that sees the whole picture, on held-out pictures.

Three rates, one seed that the study `picture_eyes` does not use; English words, the recipe of the
book for all else. The rate to take is that with the most captions exact, new tones and new names
counted alike.
"""

from typing import Any

from rnnbook.data.picture_captions import ENGLISH
from rnnbook.data.pictures import load_pictures
from rnnbook.studies.shared.pictures import judged, named, trained, wide_captioner

THREADS = 1
SEED = 3
RUNS = {f"rate {lr:g}": {"lr": lr, "seed": SEED} for lr in (1.5e-2, 3e-2, 6e-2)}


def run(settings: dict[str, Any], stop: int | None = None) -> dict[str, Any]:
    """Train one network; see `rnnbook.studies`."""
    known = load_pictures()
    model, vocabulary, history = trained(
        known, [ENGLISH], stop=stop, network=wide_captioner, **settings
    )
    if stop is not None:
        return {"trace": history.losses}
    sides = {"tones": known.held_out.tones, "names": known.held_out.combinations}
    found = {"trace": history.losses}
    for side, some in sides.items():
        found |= named(judged(model, vocabulary, some, known), side)
    return found
