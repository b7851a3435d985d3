"""How much gets through the state between encoder and decoder? Names, without attention.

The encoder reads the letters both ways, forwards only, or backwards only, and hands on a state of
192 numbers, of half or of twice as many. All networks are trained on the same names by the recipe
of the chapter; three seeds each. Judged on the test names, since nothing is chosen by it.
"""

from dataclasses import replace
from typing import Any

from torch import nn

from rnnbook.models.encoder_decoder import EncoderDecoder
from rnnbook.studies.shared.names import SEEDS, train_and_judge
from rnnbook.training.recipes import names as recipes
from rnnbook.training.recipes.recipe import Recipe

THREADS = 1
SIZES = (96, 192, 384)  # numbers of the state h; c has as many
BASE = 192
WAYS = ("both ways", "forwards", "backwards")
KINDS = [*((WAYS[0], size) for size in SIZES), *((way, BASE) for way in WAYS[1:])]
RUNS = {
    f"{way}, {size}, seed {seed}": {"way": way, "size": size, "seed": seed}
    for seed in SEEDS
    for way, size in KINDS
}


def run(settings: dict[str, Any], stop: int | None = None) -> dict[str, Any]:
    """Train one network; see `rnnbook.studies`."""
    return train_and_judge(recipe(settings), settings["way"], stop)


def recipe(settings: dict[str, Any]) -> Recipe:
    """The recipe of the book for names, for a network without attention."""

    def network(letters: int, kana: int) -> EncoderDecoder:
        model = EncoderDecoder(letters, kana, 64, settings["size"], dropout=0.15)
        if settings["way"] != "both ways":  # one layer, as wide as the two are together
            model.encoder = nn.LSTM(64, settings["size"], batch_first=True)
        return model

    return replace(recipes.names(), network=network, seed=settings["seed"])
