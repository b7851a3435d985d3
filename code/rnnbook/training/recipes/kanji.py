"""The recipe of the book for a pen that writes; `rnnbook.training.recipes` has the others."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import pad

from rnnbook.data.kanji_strokes import END, Stroke, encode_drawings, known_before
from rnnbook.data.words import IGNORED
from rnnbook.layers.mixture import Mixture, draw_point, log_density
from rnnbook.models.kanji import Pen
from rnnbook.training.batches import Batch, SimilarLengths
from rnnbook.training.objectives import mixture_density
from rnnbook.training.recipes.recipe import Recipe

SLIPS = 0.1  # of a hand that practises: their standard deviation, in units of SCALE


class DrawingBatches:
    """Shuffled mini-batches of drawings of similar length (`SimilarLengths`), made with slips.

    x of a batch is what is known before each movement, (B, T, 9), and y the movements, (B, T, 3),
    both as `with_slips` makes them.
    """

    def __init__(
        self,
        drawings: Sequence[Sequence[Stroke]],
        batch_size: int,
        seed: int = 0,
        slips: float = 0.0,
    ):
        self.y, self.lengths = encode_drawings(drawings)
        self.order = SimilarLengths(self.lengths, batch_size, seed)
        self.seed, self.slips = seed, slips

    def __len__(self) -> int:
        return len(self.order)

    def batch(self, step: int) -> Batch:
        """The batch of a step, from 0 on, without end."""
        rows = self.order.rows(step)
        y = self.y[rows, : self.lengths[rows].max()]
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + step)
        return Batch(*with_slips(y, self.slips, generator), continues=False)


def with_slips(y: Tensor, size: float, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """The movements y (B, T, 3) of drawings, made by a hand that slips: (B, T, 9) and (B, T, 3).

    Each point lands beside its place, off to the right and down by normal numbers with the
    standard deviation `size`, in units of `rnnbook.data.kanji_strokes.SCALE`. The first tensor is
    what is then known before each movement; the second leads from where the pen is to where it
    should be next: whoever predicts it learns to make good what a slip has spoilt.
    """
    ways, kinds = y.split([2, 1], dim=2)
    slips = size * torch.randn(ways.shape, generator=generator)
    goals = ways - pad(slips[:, :-1], (0, 0, 1, 0))
    made = torch.cat([goals + slips, kinds], dim=2)
    return known_before(made[:, :-1]), torch.cat([goals, kinds], dim=2)


def pen() -> Pen:
    """An LSTM that writes kanji, with 20 Gaussians for where each movement goes."""
    return Pen(M=20, hidden_size=384, weight_dropout=0.05)


def pen_batches(
    drawings: Sequence[Sequence[Stroke]], seed: int = 0, slips: float = SLIPS
) -> DrawingBatches:
    """The batches in which the book reads drawings."""
    return DrawingBatches(drawings, 16, seed, slips)


def kanji() -> Recipe:
    """How the book trains a pen to write kanji, from their strokes.

    What pays are small batches, a high learning rate, and the second of Adam's `betas` lower still
    than for Shakespeare: with 288 units, ten passes gave −1.04 nats a point on the held-out kanji;
    with batches of 48, a rate of 5e-3 and 0.99 they gave −0.36. Without slips, forty passes gave
    −1.64, with them 32 give −1.12, and what it writes looks at least as sound.
    """
    return Recipe(
        network=pen,
        batches=pen_batches,
        epochs=32,
        lr=0.012,
        clip=1.0,
        betas=(0.9, 0.95),
        objective=mixture_density,
    )


@torch.no_grad()
def stated_places(
    model: Pen, drawings: Sequence[Sequence[Stroke]], slips: float = 0.0
) -> tuple[Mixture, Tensor, Tensor]:
    """What a pen states for each of the N places of drawings; the ways there (N, 2), their kinds.

    With `slips` it comes there by a hand that slips (`with_slips`). Leaves the model in evaluation
    mode.
    """
    y, _ = encode_drawings(drawings)
    goes = (y[..., 2] != IGNORED) & (y[..., 2] != END)  # no padding, and not the end
    x, y = with_slips(y, slips, torch.Generator().manual_seed(0))
    mixtures, _, _ = model.eval()(x)
    return Mixture(*(part[goes] for part in mixtures)), y[goes][:, :2], y[goes][:, 2]


def drawn_densities(mixture: Mixture, number: int = 100) -> Tensor:
    """The logarithms of the densities of mixtures (N) at places drawn from each, (number, N)."""
    seeded = torch.Generator().manual_seed(0)
    draws = (draw_point(mixture, 1.0, seeded) for _ in range(number))
    return torch.stack([log_density(mixture, places) for places in draws])
