"""The programs on the cards of the chapters: each runs as it stands, and its comments are true."""

import re

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from built import ROOT

CARD = re.compile(r"(?ms)^(`{4,}|:{4,})\{chapter-card\}\n(.*?)^\1$")
PROGRAM = re.compile(r"(?ms)^```python\n(.*?)^```$")
SHAPE = re.compile(r"(\w+) (\(\w+(?:, [\w' ]+)*,?\))")  # in a comment, as x (B, T, D)
SIZES = {"B": 2, "T": 5, "S": 6, "D": 3, "H": 4, "V": 7, "K": 5, "M": 4}
PROGRAMS = {
    path.stem: [code for _, card in CARD.findall(text) for code in PROGRAM.findall(card)]
    for path in sorted((ROOT / "book").glob("*.md"))
    if "{chapter-card}" in (text := path.read_text("utf-8"))
}


def given() -> dict:
    """What a program on a card may use without a word."""
    B, T, D, V = (SIZES[name] for name in "BTDV")
    ids = torch.randint(V, (B, T))
    lengths = torch.tensor([T - 1, T - 2])
    return {"torch": torch, "nn": nn, "F": F, "x": torch.randn(B, T, D), "ids": ids,
            "y": torch.randint(V, (B, T)), "lengths": lengths, **SIZES}  # fmt: skip


@pytest.mark.parametrize("chapter", PROGRAMS)
def test_the_programs_of_a_card_run_and_have_the_shapes_that_they_name(chapter):
    assert PROGRAMS[chapter]
    for program in PROGRAMS[chapter]:
        torch.manual_seed(0)
        names = given()
        exec(program, names)
        named = [
            found
            for line in program.splitlines()
            for found in SHAPE.findall(line.partition("#")[2])
        ]
        for name, sizes in named:
            assert names[name].shape == eval(sizes, SIZES), f"{name} {sizes}"
        assert len(program.splitlines()) <= 8
        assert max(map(len, program.splitlines())) <= 66  # more would not fit on paper
