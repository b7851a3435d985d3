"""The study of pictures: which models it trains, and what it measures."""

from dataclasses import replace
from functools import partial

import pytest
import torch

from rnnbook.data.picture_captions import ENGLISH, JAPANESE, LETTERS
from rnnbook.studies import pictures as study
from rnnbook.training.recipes import pictures as describing
from test_pictures_command import made_up

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def known(monkeypatch):
    """A small gallery, small networks, one epoch."""
    gallery = made_up()
    monkeypatch.setattr(study, "load_pictures", lambda: gallery)
    shape = {"widths": (4, 6, 8), "embedding_size": 6, "hidden_size": 10, "heads": 2}
    monkeypatch.setattr(study, "captioner", partial(describing.captioner, **shape))
    monkeypatch.setattr(study, "pictures", lambda: replace(describing.pictures(), epochs=1))
    return gallery


def test_each_kind_is_what_it_says():
    assert {one["kind"] for one in study.RUNS.values()} == set(study.KINDS)
    assert len(study.RUNS) == 3 * len(study.KINDS)
    for kind, languages in study.KINDS.items():
        chosen = study.recipe(kind, 2)
        model = chosen.model(30)
        assert chosen.seed == 2 and len(model.language.weight) == len(languages)
        assert model.whole == (kind == "whole")
    assert study.KINDS["letters"] == (LETTERS,)
    assert study.KINDS["both"] == (ENGLISH, JAPANESE)


def test_a_run_measures_both_languages_on_all_that_is_kept_apart(known):
    found = study.run({"kind": "both", "seed": 0})
    assert len(found["trace"]) == 2 * len(known.train_parts) // 64
    for language in ("english", "japanese"):
        for what in known.test._fields:
            assert 0 <= found[f"{language}_{what}_exact"] <= found[f"{language}_{what}_f1"] <= 1
    assert "english_flags_bleu" in found and "japanese_flags_bleu" not in found
    again = study.run({"kind": "both", "seed": 0}, stop=3)
    assert again == {"trace": found["trace"][:3]}


def test_one_kind_sees_things_and_flags_too(known, monkeypatch):
    seen = []
    monkeypatch.setattr(study, "encode_captions", lambda train, *_: seen.append(train) or 1 / 0)
    for kind in study.KINDS:
        with pytest.raises(ZeroDivisionError):
            study.run({"kind": kind, "seed": 0})
        assert seen.pop() == (known.train if kind == "all pictures" else known.train_parts)


@pytest.mark.parametrize(
    ("language", "caption"), [(ENGLISH, "red cat"), (LETTERS, "red cat"), (JAPANESE, "赤い猫")]
)
def test_letters_are_judged_as_words_and_japanese_as_characters(
    known, monkeypatch, language, caption
):
    right = [("red dog",), ("cat red",)] if language is not JAPANESE else [("赤い犬",), ("い赤猫",)]
    monkeypatch.setattr(study, "describe", lambda *_: [caption] * 2)
    monkeypatch.setattr(study, "captions_of", lambda *_: right)
    found = study.judged(torch.nn.Identity(), None, known.test, language, 0)
    expected = (1 / 2 + 1) / 2 if language is not JAPANESE else (2 / 3 + 1) / 2
    assert found[f"{language.name}_things_f1"] == pytest.approx(expected)
