"""The commands for kanji: train a pen that writes them, and let it draw."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from torch.nn import Module

from rnnbook.cli.errors import UsageError
from rnnbook.cli.finding import model_file
from rnnbook.cli.output import in_one_line
from rnnbook.cli.train import run
from rnnbook.data.kanji_strokes import Stroke
from rnnbook.decoding.kanji import draw_kanji, svg
from rnnbook.files import check_ends, check_writable, write_atomically
from rnnbook.training.model_files import load_model


def train(options: argparse.Namespace) -> None:
    """Train the pen as its chapter does, and measure it on kanji kept apart."""
    from rnnbook.data.kanji import load_kanji  # here, as below: it needs an extra
    from rnnbook.metrics.kanji import mean_nats_per_point

    kanji = load_kanji()

    def test(model: Module) -> str:
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
    check_output(options.output, options.force)
    model, _ = load_model(model_file(options.model, "kanji"), "kanji")
    begin = () if options.begin is None else part(options.begin)
    how = {"temperature": options.temperature, "seed": options.seed, "begin": begin}
    drawings = draw_kanji(model, options.number, **how)
    write_atomically(options.output, svg(drawings).encode())
    print(f"saved {in_one_line(options.output)}")


def check_output(path: Path, force: bool) -> None:
    """Raise `UsageError`, or `OSError`, unless a drawing may be written to `path`."""
    check_ends(path)
    if path.is_dir() or path.suffix != ".svg":
        raise UsageError(f"{path} is no name of a drawing; give --output NAME.svg")
    if path.exists() and not force:
        raise UsageError(f"{path} exists; --force replaces it, or give another --output")
    check_writable(path)


def part(sign: str) -> Sequence[Stroke]:
    """The strokes of a part on the left of kanji. Raises `UsageError` for one that is not known."""
    from rnnbook.data.kanji import load_kanji
    from rnnbook.metrics.kanji import left_parts, typical

    parts = left_parts(load_kanji().train)
    if sign not in parts:
        known = " ".join(parts)
        raise UsageError(f"no part {sign!r} is known for --begin; known are: {known}")
    return typical(parts[sign])
