"""`python -m rnnbook train kanji` and `draw`."""

import errno
import os
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
import torch

from rnnbook.data import kanji
from rnnbook.data.kanji import Drawings, Kanji
from rnnbook.decoding.kanji import draw_kanji
from rnnbook.metrics.kanji import left_parts, mean_nats_per_point, typical
from rnnbook.models.kanji import Pen
from rnnbook.training import model_files
from rnnbook.training.recipes import all_recipes as recipes

SVG = "{http://www.w3.org/2000/svg}"


def made_up() -> Drawings:
    generator = torch.Generator().manual_seed(0)
    found = []
    for k in range(400):
        lengths = torch.randint(2, 5, (3,), generator=generator).tolist()
        strokes = [(109 * torch.rand(n, 2, generator=generator)).tolist() for n in lengths]
        left, number = (("氵", 1), ("", 0))[k % 2]
        points = tuple(tuple(map(tuple, stroke)) for stroke in strokes)
        found.append(Kanji(chr(0x4E00 + k), points, left, number))
    return Drawings(tuple(found))


KNOWN = made_up()


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch, one_thread):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(kanji, "load_kanji", lambda: KNOWN)
    small = replace(recipes.RECIPES["kanji"](), network=lambda: Pen(2, 8, 0.1))
    monkeypatch.setitem(recipes.RECIPES, "kanji", lambda: small)


def test_train_follows_the_recipe_and_measures_the_saved_model_on_the_test_kanji(call):
    code, out, _ = call("train", "kanji", "--epochs", "1", "--seed", "3")
    recipe = replace(recipes.RECIPES["kanji"](), epochs=1, seed=3)
    expected = recipe.model()
    recipe.train(expected, [one.strokes for one in KNOWN.train])
    model, vocabularies = model_files.load_model(Path("runs/kanji.pt"), "kanji")
    assert code == 0 and vocabularies == ()
    assert all(map(torch.equal, model.state_dict().values(), expected.state_dict().values()))
    loss = mean_nats_per_point(model, [one.strokes for one in KNOWN.test])
    assert out.splitlines()[-1] == f"{len(KNOWN.test)} test kanji: {loss:.3f} nats for each point"


def saved_model() -> Pen:
    torch.manual_seed(1)
    model = recipes.RECIPES["kanji"]().model()
    model_files.finish(Path("runs/kanji.pt"), {"recipe": "kanji"}, model)
    return model


def drawn(path: str) -> list[list[tuple]]:
    """The strokes of each character in a drawing."""
    return [
        [
            tuple(tuple(map(float, p.split(","))) for p in line.get("points").split())
            for line in one.findall(f"{SVG}polyline")
        ]
        for one in ElementTree.parse(path).getroot().findall(f"{SVG}g")
    ]


def close(strokes, others) -> bool:
    return [[pytest.approx(p, abs=0.06) for p in stroke] for stroke in others] == [
        list(stroke) for stroke in strokes
    ]


def test_draw_saves_what_the_pen_writes_in_rows_of_eight(call):
    model = saved_model()
    code, out, _ = call("draw", "--number", "10", "--seed", "4", "--output", "new/some.svg")
    assert code == 0 and out == "saved new/some.svg\n"
    expected = draw_kanji(model, 10, temperature=0.3, seed=4)
    found = drawn("new/some.svg")
    assert all(close(one, other) for one, other in zip(found, expected, strict=True))
    root = ElementTree.parse("new/some.svg").getroot()
    assert root.get("viewBox") == "0 0 872 218"
    assert root.findall(f"{SVG}g")[9].get("transform") == "translate(109 109)"


def test_draw_begins_with_a_part_and_knows_which_there_are(call, refused):
    saved_model()
    code, _, _ = call("draw", "--begin", "氵", "--temperature", "0.5")
    part = typical(left_parts(KNOWN.train)["氵"])
    ((first, *_),) = drawn("kanji.svg")
    assert code == 0 and close([first], part)
    refused("no part '木' is known for --begin; known are: 氵", "draw", "--begin", "木", "--force")
    refused("no part '' is known for --begin; known are: 氵", "draw", "--begin", "", "--force")


def test_draw_writes_drawings_alone(call, refused):
    call("train", "kanji", "--epochs", "1")
    refused("runs/kanji.pt is no name of a drawing", "draw", "--output", "runs/kanji.pt")
    os.mkdir("folder.svg")
    refused("folder.svg is no name of a drawing", "draw", "--output", "folder.svg")
    os.mkfifo("pipe")
    refused("a device or a pipe", "draw", "--output", "pipe")


def test_a_drawing_is_not_replaced_unless_told_to(call, refused):
    saved_model()
    assert call("draw", "--output", "my.svg")[0] == 0
    first = Path("my.svg").read_bytes()
    refused("my.svg exists; --force replaces it", "draw", "--output", "my.svg", "--number", "2")
    assert Path("my.svg").read_bytes() == first
    assert call("draw", "--output", "my.svg", "--number", "2", "--force")[0] == 0
    assert Path("my.svg").read_bytes() != first


def test_a_full_disk_is_named_and_leaves_no_half_drawing(refused, monkeypatch):
    saved_model()
    monkeypatch.setattr(os, "fsync", no_room)
    refused("cannot use my.svg: No space left on device", "draw", "--output", "my.svg")
    assert not list(Path().glob("my.svg*"))


def no_room(_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_drawing_that_cannot_be_written_is_named_as_it_was_given(refused):
    saved_model()
    longest = 246 * "a" + ".svg"  # a name that fits, where that of its part does not
    refused(f"cannot use {longest}: File name too long", "draw", "--output", longest)


def test_draw_without_a_model_says_how_to_have_one(refused):
    refused("train a model: python -m rnnbook train kanji", "draw", "--model", "runs/kanji.pt")
