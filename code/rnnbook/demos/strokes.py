"""Drawings in strokes of a pen as one SVG, whose strokes a style sheet may let appear in turn."""

from collections.abc import Sequence

from IPython.display import HTML

from rnnbook.data.kanji_strokes import SIZE, Stroke

GAP = 16  # units between two drawings


def sheet(drawings: Sequence[Sequence[Stroke]], columns: int) -> HTML:
    """The drawings side by side in rows, in the colour of the text around.

    Points are in the units of a square of 109. Each drawing is a group with its number as `--k`,
    each of its strokes a path of length 1 with its number as `--s`.
    """
    cell = SIZE + GAP
    rows = -(-len(drawings) // columns)
    groups = [
        f'<g style="--k:{k}" transform="translate({k % columns * cell:g} {k // columns * cell:g})">'
        + "".join(_path(s, stroke) for s, stroke in enumerate(strokes))
        + "</g>"
        for k, strokes in enumerate(drawings)
    ]
    box = f"0 0 {columns * cell - GAP:g} {rows * cell - GAP:g}"
    return HTML(f'<svg class="strokes" viewBox="{box}" aria-hidden="true">{"".join(groups)}</svg>')


def _path(number: int, stroke: Stroke) -> str:
    points = " ".join(f"{x:.0f} {y:.0f}" for x, y in stroke)
    return f'<path style="--s:{number}" pathLength="1" d="M{points}"/>'
