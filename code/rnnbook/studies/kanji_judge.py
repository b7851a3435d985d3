"""Does what a pen writes look like kanji? How often a judge takes it for real.

Three pens for each seed, of the book's recipe, but after six passes: without practice, with it, and
with practice and a single Gaussian. A judge, a small LSTM that reads a drawing movement by
movement, learns to tell the kanji of the training from characters of these pens, as many of each
pen at each temperature, and is asked about others of them. That is a two-sample test by a
classifier (Lopez-Paz and Oquab, 2017), with one judge for all pens, so that they can be compared.

It takes a drawing for real when its score is above that of the tenth part of the held-out kanji.
`real` is the share of the kanji of the test that it takes for real, `moved` that of the same with
one stroke of each moved by 20 units, and the others those of what each pen wrote at TEMPERATURES.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from rnnbook.data.kanji import load_kanji
from rnnbook.data.kanji_strokes import FEATURES, Stroke, encode_drawings, known_before
from rnnbook.decoding.kanji import draw_kanji
from rnnbook.models.kanji import Pen
from rnnbook.training.batches import Batch, SimilarLengths
from rnnbook.training.recipes.kanji import SLIPS, kanji, pen_batches
from rnnbook.training.recipes.recipe import Recipe

THREADS = 1
EPOCHS = 6  # of a pen
TEMPERATURES = (0.05, 0.3, 0.6, 1.0)
TAUGHT, JUDGED = 240, 240  # characters of each pen at each temperature
PENS = {"unpractised": (20, 0.0), "practised": (20, SLIPS), "one Gaussian": (1, SLIPS)}
RUNS = {f"seed {seed}": {"seed": seed} for seed in range(3)}


def run(settings: dict[str, Any], stop: int | None = None) -> dict[str, Any]:
    """Train the pens and their judge; see `rnnbook.studies`. The trace is of the pens, in turn."""
    known, seed = load_kanji(), settings["seed"]
    real = {
        part: [one.strokes for one in some]
        for part, some in (
            ("train", known.train),
            ("held_out", known.held_out),
            ("test", known.test),
        )
    }
    taught, asked, traces = list[Sequence[Stroke]](), {}, []
    for name, (M, slips) in PENS.items():
        recipe = pen_recipe(M, slips, seed)
        pen = recipe.model()
        traces.append(recipe.train(pen, real["train"], stop=stop).losses)
        if stop is None:
            asked[name] = []
            for temperature in TEMPERATURES:
                some = draw_kanji(pen, TAUGHT + JUDGED, temperature=temperature, seed=seed)
                taught += filter(None, some[:TAUGHT])
                asked[name].append(list(filter(None, some[TAUGHT:])))
    trace = [loss for losses in zip(*traces, strict=True) for loss in losses]
    if stop is not None:
        return {"trace": trace}
    judge = judge_of(real["train"], taught, seed)
    threshold = scores(judge, real["held_out"]).quantile(0.1)

    def taken(drawings: Sequence[Sequence[Stroke]]) -> float:
        return round((scores(judge, drawings) > threshold).double().mean().item(), 3)

    return {
        "real": taken(real["test"]),
        "moved": taken(with_one_moved(real["test"], 20.0)),
        **{name: [taken(some) for some in parts] for name, parts in asked.items()},
        "trace": trace,
    }


def pen_recipe(M: int, slips: float, seed: int) -> Recipe:
    """The recipe of the book for kanji, for a shorter time."""
    network = partial(Pen, M, hidden_size=384, weight_dropout=0.05)
    batches = partial(pen_batches, slips=slips)
    return replace(kanji(), network=network, batches=batches, epochs=EPOCHS, seed=seed)


class Judge(nn.Module):
    """An LSTM that reads a drawing and says whether it is real."""

    def __init__(self, hidden_size: int = 96):
        super().__init__()
        self.lstm = nn.LSTM(FEATURES, hidden_size, batch_first=True)
        self.head = nn.Linear(hidden_size, 2)

    def forward(self, x: tuple[Tensor, Tensor], state: None = None) -> tuple[Tensor, None]:
        """Movements (B, T, 9), how many there are (B,) → logits (B, 2) after the last of them."""
        rows, lengths = x
        h, _ = self.lstm(rows)
        return self.head(h[torch.arange(len(h)), lengths - 1]), None


class JudgeBatches:
    """Mini-batches of drawings of similar length, and whether they are real."""

    def __init__(self, drawings: Sequence[Sequence[Stroke]], real: Tensor, seed: int = 0):
        (self.rows, self.lengths), self.real = as_judged(drawings), real
        self.order = SimilarLengths(self.lengths, 32, seed)

    def __len__(self) -> int:
        return len(self.order)

    def batch(self, step: int) -> Batch:
        """The batch of a step, from 0 on, without end."""
        some = self.order.rows(step)
        lengths = self.lengths[some]
        return Batch((self.rows[some, : lengths.max()], lengths), self.real[some], continues=False)


def as_judged(drawings: Iterable[Sequence[Stroke]]) -> tuple[Tensor, Tensor]:
    """All movements of drawings, each with where it leads (N, T, 9), and how many there are (N,).

    Places are rounded to whole units, or tenths would betray what is real.
    """
    whole = [[tuple((round(x), round(y)) for x, y in stroke) for stroke in one] for one in drawings]
    movements, lengths = encode_drawings(whole)
    return known_before(movements)[:, 1:], lengths


def judge_of(
    real: Sequence[Sequence[Stroke]], written: Sequence[Sequence[Stroke]], seed: int
) -> Judge:
    """A judge that has learned to tell real drawings from written ones."""
    which = torch.tensor([1] * len(real) + [0] * len(written))
    recipe = Recipe(network=Judge, batches=JudgeBatches, epochs=8, lr=6e-3, seed=seed)
    judge = recipe.model()
    recipe.train(judge, [*real, *written], which)
    return judge


@torch.no_grad()
def scores(judge: Judge, drawings: Sequence[Sequence[Stroke]]) -> Tensor:
    """By how much the logit of "real" is above the other one: (N,)."""
    logits, _ = judge.eval()(as_judged(drawings))
    return logits[:, 1] - logits[:, 0]


def with_one_moved(drawings: Sequence[Sequence[Stroke]], units: float) -> list[list[Stroke]]:
    """The drawings, one stroke of each moved by so many units in any direction."""
    generator = torch.Generator().manual_seed(0)
    moved = []
    for one in drawings:
        which = int(torch.randint(len(one), (1,), generator=generator))
        angle = 2 * math.pi * torch.rand(1, generator=generator).item()
        right, down = units * math.cos(angle), units * math.sin(angle)
        stroke = tuple((x + right, y + down) for x, y in one[which])
        moved.append([*one[:which], stroke, *one[which + 1 :]])
    return moved
