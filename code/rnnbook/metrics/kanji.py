"""What drawings cost a pen that has learned to write, and how far they are apart."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from rnnbook.data.kanji import Kanji
from rnnbook.data.kanji_strokes import Stroke, encode_drawings, known_before
from rnnbook.metrics.evaluation import device_of
from rnnbook.models.kanji import Pen
from rnnbook.training.objectives import movement_losses

PLACES = 8  # on each stroke, at which two strokes are compared


def shape_of(strokes: Sequence[Stroke]) -> Tensor:
    """PLACES points on each stroke, equally far apart along it, in the order of writing.

    (S PLACES, 2) for S strokes.
    """
    return torch.from_numpy(np.concatenate([places_on(np.array(stroke)) for stroke in strokes]))


def places_on(points: np.ndarray) -> np.ndarray:
    """PLACES points on the lines between points (n, 2), equally far apart: (PLACES, 2)."""
    along = np.cumsum(np.hypot(*np.diff(points, axis=0, prepend=points[:1]).T))
    wanted = np.linspace(0, along[-1], PLACES)
    return np.stack([np.interp(wanted, along, axis) for axis in points.T], axis=1)


class Found(NamedTuple):
    """The nearest of some drawings, and how far it is."""

    sign: str
    units: float  # of which the square has 109: the mean distance of two places that correspond


class Shapes:
    """Drawings among which one can look for the nearest to another; each with a sign."""

    def __init__(self, drawings: Iterable[tuple[str, Sequence[Stroke]]]):
        groups = defaultdict(list)
        for sign, strokes in drawings:
            groups[len(strokes)].append((sign, shape_of(strokes)))
        self.signs = {n: [sign for sign, _ in some] for n, some in groups.items()}
        self.shapes = {n: torch.stack([shape for _, shape in some]) for n, some in groups.items()}

    def nearest(self, strokes: Sequence[Stroke]) -> Found | None:
        """The nearest one with as many strokes, compared in their order; None without any."""
        n = len(strokes)
        if n not in self.shapes:
            return None
        units = (self.shapes[n] - shape_of(strokes)).norm(dim=2).mean(dim=1)
        return Found(self.signs[n][units.argmin()], units.min().item())

    def beginning(self, strokes: Sequence[Stroke]) -> Found | None:
        """The nearest one to the first strokes of a drawing, which must have more of them."""
        fewer = [strokes[:n] for n in self.shapes if n < len(strokes)]
        return min(filter(None, map(self.nearest, fewer)), key=lambda one: one.units, default=None)


def left_parts(kanji: Iterable[Kanji], fewest: int = 10) -> dict[str, list[Sequence[Stroke]]]:
    """Parts that stand on the left of at least so many kanji, the commonest first.

    Each with its strokes in all of them.
    """
    parts = defaultdict(list)
    for one in kanji:
        if one.left:
            parts[one.left].append(one.strokes[: one.left_strokes])
    common = sorted(parts, key=lambda sign: -len(parts[sign]))
    return {sign: parts[sign] for sign in common if len(parts[sign]) >= fewest}


def typical(drawings: Sequence[Sequence[Stroke]]) -> Sequence[Stroke]:
    """The one of some drawings of equally many strokes that is nearest to all others."""
    shapes = torch.stack([shape_of(strokes) for strokes in drawings])
    apart = (shapes[:, None] - shapes).norm(dim=3).mean(dim=(1, 2))
    return drawings[int(apart.argmin())]


def nats_per_point(model: Pen, drawings: Sequence[Sequence[Stroke]]) -> Tensor:
    """What each drawing costs, in nats for each of its points: (N,). Its end is paid by them too.

    Leaves the model in evaluation mode.
    """
    losses, points = costs(model, drawings)
    return losses / points


def mean_nats_per_point(model: Pen, drawings: Sequence[Sequence[Stroke]]) -> float:
    """What all drawings cost, in nats for each point of all of them.

    Leaves the model in evaluation mode.
    """
    losses, points = costs(model, drawings)
    return (losses.sum() / points.sum()).item()


@torch.no_grad()
def costs(model: Pen, drawings: Sequence[Sequence[Stroke]]) -> tuple[Tensor, Tensor]:
    """What each drawing costs, in nats, and how many points it has: (N,) both.

    Leaves the model in evaluation mode.
    """
    model.eval()
    y, lengths = encode_drawings(drawings)
    losses = [
        movement_losses(model, known_before(some[:, :-1]), some).sum(dim=1)
        for some in y.to(device_of(model)).split(100)
    ]
    return torch.cat(losses).cpu(), lengths - 1
