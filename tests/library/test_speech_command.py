"""`python -m rnnbook train speech` and `listen`."""

import random
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from rnnbook.cli import speech, use
from rnnbook.data.speech import Recording, Speech, said
from rnnbook.decoding.ctc import transcribe
from rnnbook.metrics.error_rates import character_error_rate, exact
from rnnbook.models.speech import FrameReader
from rnnbook.training import model_files
from rnnbook.training.recipes import all_recipes as recipes


def made_up() -> Speech:
    generator = torch.Generator().manual_seed(0)
    frames = [torch.randn(3 + k % 4, 13, generator=generator) for k in range(300)]
    return Speech(tuple(Recording(some, k % 10) for k, some in enumerate(frames)))


KNOWN = made_up()


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch, one_thread):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(speech, "load_speech", lambda: KNOWN)
    monkeypatch.setattr(use, "load_speech", lambda: KNOWN)
    small = replace(recipes.RECIPES["speech"](), network=small_model, steps=3)
    monkeypatch.setitem(recipes.RECIPES, "speech", lambda: small)


def small_model(digits=10):
    return FrameReader(13, 8, digits + 1, dropout=0.1, noise=0.1)


def test_train_follows_the_recipe_and_measures_the_saved_model_on_the_test_strings(call):
    code, out, _ = call("train", "speech", "--steps", "2", "--seed", "3")
    recipe = replace(recipes.RECIPES["speech"](), steps=2, seed=3)
    expected = recipe.model(10)
    recipe.train(expected, KNOWN.train)
    model, vocabularies = model_files.load_model(Path("runs/speech.pt"), "speech")
    assert code == 0 and vocabularies == ()
    assert all(map(torch.equal, model.state_dict().values(), expected.state_dict().values()))
    heard = transcribe(model, KNOWN.test_strings)
    right = [[said(string)] for string in KNOWN.test_strings]
    assert out.splitlines()[-1] == (
        f"500 test strings: {character_error_rate(heard, right):.2%} of the digits wrong, "
        f"{exact(heard, right):.1%} of the strings right"
    )


def test_listen_joins_recordings_of_the_test_and_says_what_is_heard(call):
    model = recipes.RECIPES["speech"]().model(10)
    with torch.no_grad():
        for p in model.parameters():
            p.mul_(6)
    model_files.finish(Path("runs/speech.pt"), {"recipe": "speech"}, model)
    code, out, _ = call("listen", "4071", "9", "--seed", "5")
    draw = random.Random(5)
    expected = []
    for text in ("4071", "9"):
        string = [draw.choice([one for one in KNOWN.test if one.digit == int(d)]) for d in text]
        assert said(string) == text
        expected.append(f"{text}: {transcribe(model.eval(), [string])[0]}")
    assert code == 0 and out.splitlines() == expected
    assert any(len(line.split(": ")[1]) > 0 for line in expected)


def test_listen_without_a_model_says_how_to_have_one(refused):
    advice = "train a model: python -m rnnbook train speech"
    refused(advice, "listen", "40", "--model", "runs/speech.pt")


def test_listen_says_that_it_cannot_hear_a_file_and_what_it_takes(call, refused):
    why = "a file of sound cannot be heard: what the model was trained on has no sound"
    for name in ("four.wav", "sounds/four", "./4071"):
        refused(f"{name!r} is no string of 1 to 20 digits, such as 4071; {why}", "listen", name)
    assert why[1:] in " ".join(call("listen", "--help")[1].split())
