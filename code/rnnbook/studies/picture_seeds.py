"""Pictures: networks of the page with two more seeds, taken apart as the page does with its own.

The page trains with seed 0. Kept are its measures and its dissection, for English: which part of a
caption is right, what passes a limit on the probability, and what becomes of the probability of the
right word where places are covered.
"""

from typing import Any

import torch
from torch import Tensor

from rnnbook.data.picture_captions import ENGLISH, JAPANESE
from rnnbook.data.pictures import load_pictures
from rnnbook.decoding.search import greedy
from rnnbook.metrics.picture_covering import covering_means
from rnnbook.studies.shared.pictures import judged, named, trained

THREADS = 1
RUNS = {f"seed {seed}": {"seed": seed} for seed in (1, 2)}


def run(settings: dict[str, Any], stop: int | None = None) -> dict[str, Any]:
    """Train one network; see `rnnbook.studies`."""
    known = load_pictures()
    model, vocabulary, history = trained(known, [ENGLISH, JAPANESE], settings["seed"], stop)
    if stop is not None:
        return {"trace": history.losses}
    found: dict[str, Any] = {"trace": history.losses}
    for side, some in {"tones": known.test.tones, "names": known.test.combinations}.items():
        found |= named(judged(model, vocabulary, some, known), side)
    limit = sureness(model, known.held_out.tones).quantile(0.1)
    for side, some in known.test._asdict().items():
        found[f"pass_{side}"] = (sureness(model, some) > limit).float().mean().item()
    for kind, means in covering_means(model, vocabulary, known.test.tones).items():
        found |= named(dict(zip(("all", "there", "elsewhere", "paper"), means, strict=True)), kind)
    return found


def sureness(model, pictures) -> Tensor:
    """The logarithm of the probability of the English caption of each picture: (N,)."""
    pixels = torch.stack([one.pixels for one in pictures])
    english = torch.zeros(len(pictures), dtype=torch.long)
    return torch.tensor([one.log_probability for one in greedy(model, pixels, english)])
