"""The commands for kanji: train a pen that writes them, and let it draw."""

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rnnbook.cli.errors import UsageError

if TYPE_CHECKING:
    from torch.nn import Module

    from rnnbook.data.pen import Stroke

COLUMNS = 8
PEN = "fill:none;stroke:#000;stroke-width:3.2;stroke-linecap:round;stroke-linejoin:round"


def train(options: argparse.Namespace) -> None:
    """Train the pen as its chapter does, and measure it on kanji kept apart."""
    from rnnbook.cli.train import run
    from rnnbook.data.kanji import load_kanji
    from rnnbook.training.drawing import mean_nats_per_point

    kanji = load_kanji()

    def test(model: "Module") -> str:
        strokes = [one.strokes for one in kanji.test]
        cost = mean_nats_per_point(model, strokes)
        return f"{len(strokes)} test kanji: {cost:.3f} nats for each point"

    run(
        options,
        "kanji",
        ([one.strokes for one in kanji.train],),
        test,
        evaluate=lambda model: mean_nats_per_point(model, [one.strokes for one in kanji.held_out]),
        measure="held-out nats for each point",
    )


def draw(options: argparse.Namespace) -> None:
    """Let the pen write, and save what it wrote as a drawing."""
    from rnnbook.data.kanji import load_kanji
    from rnnbook.decoding.drawing import write
    from rnnbook.files import check_ends, write_atomically
    from rnnbook.models.strokes import left_parts, typical
    from rnnbook.training.model_files import load_model

    check_ends(options.output)
    if options.output.is_dir() or options.output.suffix != ".svg":
        raise UsageError(f"{options.output} is no name of a drawing; give --output NAME.svg")
    model, _ = load_model(options.model, "kanji")
    begin = ()
    if options.begin:
        parts = left_parts(load_kanji().train)
        if options.begin not in parts:
            known = " ".join(parts)
            raise UsageError(f"no part {options.begin!r} is known for --begin; known are: {known}")
        begin = typical(parts[options.begin])
    how = {"temperature": options.temperature, "seed": options.seed, "begin": begin}
    drawings = write(model, options.number, **how)
    write_atomically(options.output, sheet(drawings).encode())
    print(f"saved {options.output}")


def sheet(drawings: "Sequence[Sequence[Stroke]]") -> str:
    """Drawings side by side, in rows of COLUMNS, as SVG."""
    from rnnbook.data.pen import SIZE

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
