"""Letting a trained pen write."""

from collections.abc import Sequence

import torch

from rnnbook.data.kanji_strokes import END, SIZE, Stroke, known_before, movements, strokes_of
from rnnbook.layers.mixture import Mixture, draw_point
from rnnbook.models.kanji import Pen

COLUMNS = 8
PEN = "fill:none;stroke:#000;stroke-width:3.2;stroke-linecap:round;stroke-linejoin:round"
MOST = 200  # movements: the longest kanji has fewer


@torch.no_grad()
def draw_kanji(
    model: Pen,
    number: int,
    *,
    temperature: float = 1.0,
    begin: Sequence[Stroke] = (),
    seed: int = 0,
) -> list[list[Stroke]]:
    """Drawings that the pen makes, all of which begin with the strokes `begin`.

    A drawing that has not ended after MOST movements is cut off there. The temperature acts as
    in `draw_point`, and divides the logits of the kinds; it must be above 0. Leaves the model in
    evaluation mode.
    """
    model.eval()
    device = next(model.parameters()).device
    generator = torch.Generator().manual_seed(seed)
    made = movements(begin)[:-1].expand(number, -1, 3)  # (N, T, 3), without the end
    x, state = known_before(made), None
    while made.shape[1] < MOST and not (made[..., 2] == END).any(dim=1).all():
        mixture, logits, state = model(x.to(device), state)
        last = Mixture(*(part[:, -1].cpu() for part in mixture))
        points = draw_point(last, temperature, generator)  # (N, 2)
        chances = (logits[:, -1].cpu() / temperature).softmax(dim=1)
        kinds = torch.multinomial(chances, 1, generator=generator)  # (N, 1)
        made = torch.cat([made, torch.cat([points, kinds], dim=1)[:, None]], dim=1)
        x = known_before(made)[:, -1:]
    return [strokes_of(rows) for rows in made]


def svg(drawings: Sequence[Sequence[Stroke]]) -> str:
    """Drawings side by side, in rows of COLUMNS, as SVG."""
    rows, columns = -(-len(drawings) // COLUMNS), min(len(drawings), COLUMNS)
    size = f'viewBox="0 0 {columns * SIZE:g} {rows * SIZE:g}"'
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" {size} style="{PEN}">']
    for k, strokes in enumerate(drawings):
        row, column = divmod(k, COLUMNS)
        lines.append(f'<g transform="translate({column * SIZE:g} {row * SIZE:g})">')
        for stroke in strokes:
            points = " ".join(f"{x:.1f},{y:.1f}" for x, y in stroke)
            lines.append(f'<polyline points="{points}"/>')
        lines.append("</g>")
    return "\n".join([*lines, "</svg>", ""])
