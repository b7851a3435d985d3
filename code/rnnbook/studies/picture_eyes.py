"""Pictures: an eye whose every place sees the whole picture, beside that of the book.

In the book each place sees 9 × 9 of 40 × 40 pixels, and what is found and what was said are added:
no feature covers a whole figure. Here three more layers let each place see all, with about as many
weights; once with the decoder of the book, and once with one in which found and said mix and which
begins with the picture (`whole`). English words, three seeds; the eye of the book and its decoders
have the runs "words" and "whole" of the study `pictures`, by the same recipe. The rate is that
which `picture_eye_rates` chose.
"""

from functools import partial
from typing import Any

from rnnbook.data.picture_captions import ENGLISH
from rnnbook.data.pictures import load_pictures
from rnnbook.studies.shared.pictures import judged, named, trained, wide_captioner

THREADS = 1
RATE = 3e-2
KINDS = {"wide": False, "wide, whole": True}
RUNS = {f"{kind}, seed {seed}": {"kind": kind, "seed": seed} for kind in KINDS for seed in range(3)}


def run(settings: dict[str, Any], stop: int | None = None) -> dict[str, Any]:
    """Train one network; see `rnnbook.studies`."""
    known = load_pictures()
    network = partial(wide_captioner, whole=KINDS[settings["kind"]])
    model, vocabulary, history = trained(
        known, [ENGLISH], settings["seed"], stop, network=network, lr=RATE
    )
    if stop is not None:
        return {"trace": history.losses}
    found = {"parameters": sum(p.numel() for p in model.parameters()), "trace": history.losses}
    for side, some in {"tones": known.test.tones, "names": known.test.combinations}.items():
        found |= named(judged(model, vocabulary, some, known), side)
    return found
