"""Drawings as movements of a pen."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor
from torch.nn.functional import one_hot
from torch.nn.utils.rnn import pad_sequence

from rnnbook.data.words import IGNORED

Point = tuple[float, float]  # to the right and down, in units of which the square has 109
Stroke = tuple[Point, ...]

SIZE, CENTRE = 109.0, 54.5
SCALE = 15.0  # units; movements are counted in it
DRAW, LIFT, END = 0, 1, 2  # what a movement is: drawn, in the air, or none any more
FEATURES = 9


def movements(strokes: Iterable[Stroke]) -> Tensor:
    """The movements of a pen that writes the strokes, from the centre: (T, 3).

    In a row: how far to the right, how far down, both in units of SCALE, and of which kind. The
    last one is END.
    """
    x, y = CENTRE, CENTRE
    rows = []
    for stroke in strokes:
        for i, (to_x, to_y) in enumerate(stroke):
            rows.append([(to_x - x) / SCALE, (to_y - y) / SCALE, DRAW if i else LIFT])
            x, y = to_x, to_y
    return torch.tensor([*rows, [0, 0, END]], dtype=torch.float32)


def strokes_of(movements: Tensor) -> list[Stroke]:
    """The strokes that some movements (T, 3) write, up to the first END or the last movement."""
    x, y = CENTRE, CENTRE
    strokes: list[list[Point]] = []
    for right, down, kind in movements.tolist():
        if kind == END:
            break
        x, y = x + SCALE * right, y + SCALE * down
        if kind == LIFT or not strokes:
            strokes.append([])
        strokes[-1].append((x, y))
    return [tuple(stroke) for stroke in strokes]


def encode_drawings(drawings: Iterable[Sequence[Stroke]]) -> tuple[Tensor, Tensor]:
    """The movements of B drawings, (B, T, 3), and how many each has, (B,).

    Behind the last movement of a drawing the kind is IGNORED.
    """
    rows = [movements(strokes) for strokes in drawings]
    lengths = torch.tensor([len(row) for row in rows])
    padded = pad_sequence(rows, batch_first=True)
    padded[..., 2].masked_fill_(torch.arange(padded.shape[1]) >= lengths[:, None], IGNORED)
    return padded, lengths


def known_before(movements: Tensor) -> Tensor:
    """What is known before each of the movements (B, T, 3), and after the last: (B, T + 1, 9).

    That is the movement before: how far right and down, and of which kind (drawn, in the air, or
    none yet, as three numbers of which one is 1); where the pen is, from the centre, halved; and
    where it is from the beginning of the stroke.
    """
    B, T, _ = movements.shape
    before = torch.cat([movements.new_tensor([0, 0, END]).expand(B, 1, 3), movements], dim=1)
    offset = before[..., :2]
    kind = before[..., 2].long().clamp(DRAW, END)
    place = offset.cumsum(dim=1)
    steps = torch.arange(T + 1, device=movements.device).expand(B, T + 1)
    begun = torch.where(kind == LIFT, steps, 0).cummax(dim=1).values  # at which step
    beginning = place.gather(1, begun[..., None].expand(-1, -1, 2))
    return torch.cat([offset, one_hot(kind, 3), place / 2, place - beginning], dim=2)


def thinned(points: Sequence[Point], tolerance: float) -> list[Point]:
    """The points without those that lie within `tolerance` of the lines between the others.

    The farthest from the line between the ends is kept, and both halves are thinned in the same
    way (Ramer, 1972; Douglas and Peucker, 1973).
    """
    far = [distance(point, points[0], points[-1]) for point in points[1:-1]]
    if not far or max(far) <= tolerance:
        return [points[0], points[-1]]
    k = far.index(max(far)) + 1
    return thinned(points[: k + 1], tolerance)[:-1] + thinned(points[k:], tolerance)


def distance(point: Point, a: Point, b: Point) -> float:
    """How far a point is from the line through a and b, or from a where these are the same."""
    x, y = point[0] - a[0], point[1] - a[1]
    dx, dy = b[0] - a[0], b[1] - a[1]
    length = (dx * dx + dy * dy) ** 0.5
    return abs(dx * y - dy * x) / length if length else (x * x + y * y) ** 0.5
