"""What the studies of names share: how a network is trained, and how its answers are judged."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from rnnbook.data.names import load_names
from rnnbook.data.pairs import Name, Names
from rnnbook.data.words import IGNORED, encode_pairs, teacher_forced
from rnnbook.decoding.names import transliterate
from rnnbook.metrics.error_rates import character_error_rate, exact
from rnnbook.models.encoder_decoder import EncoderDecoder
from rnnbook.training.recipes.recipe import Recipe

SEEDS = (0, 1, 2)
EDGES = (2, 5, 6, 7, 8, 9, 10, 12, 17)  # letters: 2 to 4, 5, and so on to 9, 10 to 11, 12 to 16
LONG, PLACES = 9, 8  # letters of a long name; kana of it that are looked at


def train_and_judge(
    recipe: Recipe, way: str = "both ways", stop: int | None = None
) -> dict[str, Any]:
    """Train on the names by a recipe, and judge by the test names; for `run` of a study."""
    known = load_names()
    model, losses = trained(recipe, known, way, stop)
    if stop is not None:
        return {"trace": losses}
    words = [turned(name, way) for name in known.test]
    answers = answers_of(model, known, words)
    right = [name.readings for name in known.test]
    lengths = [len(word) for word in words]
    wrong = forced_mistakes(model, words, right, known.letters, known.kana)
    return {
        "parameters": sum(p.numel() for p in model.parameters()),
        "exact": exact(answers, right),
        "error_rate": character_error_rate(answers, right),
        "exact_by_length": by_length(exact, lengths, answers, right),
        "error_rate_by_length": by_length(character_error_rate, lengths, answers, right),
        "forced_in_long_names": mistakes_by_place(wrong[torch.tensor(lengths) >= LONG]),
        "trace": losses,
    }


def trained(
    recipe: Recipe, known: Names, way: str = "both ways", stop: int | None = None
) -> tuple[nn.Module, list[float]]:
    """A model trained on the names by a recipe, and the loss of each step."""
    alphabets = known.letters, known.kana
    model = recipe.model(*(len(alphabet) + 1 for alphabet in alphabets))
    pairs = [(turned(name, way), name.readings) for name in known.train]
    history = recipe.train(model, *encode_pairs(pairs, *alphabets), stop=stop)
    return model, history.losses


def answers_of(model: nn.Module, known: Names, words: Sequence[str]) -> list[str]:
    """The best answer of a beam of 4 to each word."""
    found = transliterate(model, known.letters, known.kana, words, width=4)
    return [best.text for best, *_ in found]


def turned(name: Name, way: str) -> str:
    """The letters in the order in which they are read."""
    return name.spelling[::-1] if way == "backwards" else name.spelling


def by_length(
    measure: Callable[[Sequence, Sequence], float],
    lengths: Sequence[int],
    answers: Sequence[str],
    right: Sequence[Sequence[str]],
) -> list[float]:
    """A measure of the answers to names of each span of lengths in EDGES."""
    spans = []
    for first, end in pairwise(EDGES):
        rows = [k for k, length in enumerate(lengths) if first <= length < end]
        spans.append(measure([answers[k] for k in rows], [right[k] for k in rows]))
    return spans


@torch.no_grad()
def forced_mistakes(
    model: EncoderDecoder,
    words: Sequence[str],
    right: Sequence[Sequence[str]],
    letters: str,
    kana: str,
) -> Tensor:
    """Whether the likeliest character is wrong, given the right ones before it: (N, T + 1).

    Of each name the first reading counts as the right one. Behind its end is no number (NaN).
    """
    firsts = [(word, readings[:1]) for word, readings in zip(words, right, strict=True)]
    source, lengths, *target = encode_pairs(firsts, letters, kana)
    previous, y = teacher_forced(*target)
    wrong = model.eval()(source, lengths, previous).argmax(dim=2) != y
    return wrong.float().masked_fill(y == IGNORED, torch.nan)


def mistakes_by_place(wrong: Tensor) -> list[float]:
    """The share of mistakes at each of the first PLACES characters, from `forced_mistakes`."""
    return wrong[:, :PLACES].nanmean(dim=0).tolist()
