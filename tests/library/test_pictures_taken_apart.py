"""Captions taken apart, pictures with places covered, an eye that sees all; and their studies."""

from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import pytest
import torch

from rnnbook.data.picture_captions import tones
from rnnbook.data.picture_gallery import Picture
from rnnbook.data.vocabulary import Vocabulary
from rnnbook.data.words import SIGNS
from rnnbook.metrics import picture_covering as covering
from rnnbook.metrics.picture_parts import folded, share_right, what_else, who, wrong_known
from rnnbook.models.picture_eyes import Around, wide_encoder
from rnnbook.models.pictures import convolutional_encoder
from rnnbook.studies import picture_eye_rates, picture_eyes, picture_seeds
from rnnbook.studies.shared import pictures as shared
from rnnbook.training.recipes import pictures as recipes
from test_pictures_command import made_up

pytestmark = pytest.mark.usefixtures("one_thread")

SAID = ["man farmer dark skin tone", "woman pilot", "people with bunny ears"]
RIGHT = [
    ("woman farmer dark skin tone",),
    ("woman pilot light skin tone", "woman pilot"),
    ("men with bunny ears",),
]


# ------------------------------------------------------------------ which part of a caption


def test_a_caption_is_who_what_else_and_tones():
    assert who("woman farmer dark skin tone") == ["woman"]
    assert what_else("woman farmer dark skin tone") == "farmer"
    assert who("two thirty") == ["two"] and what_else("two thirty") == "thirty"
    assert folded("person farmer light skin tone") == folded("man farmer") == folded("farmer")
    assert folded("woman farmer") != folded("farmer")


def test_a_part_is_right_if_it_is_that_of_one_reference():
    shares = [share_right(part, SAID, RIGHT) for part in (who, what_else, tones, folded)]
    assert shares == pytest.approx([1 / 3, 1, 1, 2 / 3])
    assert share_right(tones, SAID[1:2], [RIGHT[1][:1]]) == 0


def test_of_wrong_names_the_known_are_counted():
    assert wrong_known(SAID, RIGHT, {"man farmer", "woman pilot"}) == 1 / 2
    assert wrong_known(SAID[1:2], RIGHT[1:2], {"woman pilot"}) == 0  # none is wrong


# ------------------------------------------------------------------ places are covered


class Pointing:
    """Looks at the empty last row, and a little at place 23; sure while 23 is drawn in full."""

    def eval(self):
        return self

    def alignment(self, pixels, english, previous):
        weights = torch.zeros(1, 2, previous.shape[1], 10, 10)
        weights[..., 2, 3], weights[..., 9, :] = 0.02, 0.098
        return weights

    def __call__(self, pixels, english, previous):
        sure = (pixels[:, :, 6:10, 10:14] < 255).all(dim=3).all(dim=2).all(dim=1)
        logits = torch.zeros(*previous.shape, 4)
        logits[..., 1] = 50.0 * sure[:, None]
        return logits


def test_what_is_covered_where_the_network_looks_is_missed_and_nothing_else():
    pixels = torch.full((3, 40, 40), 255, dtype=torch.uint8)
    pixels[:, 2:14, 2:26] = 0  # 3 × 6 places: nine are covered, nine are others
    words = Vocabulary(["medium"], SIGNS)
    (number,) = words.encode(["medium"]).tolist()
    assert number == 1
    picture = Picture("1F468", pixels, ("medium " * 12,), ("中",))
    means = covering.covering_means(Pointing(), words, [picture])
    assert list(means) == ["shade"]
    assert means["shade"] == pytest.approx([1, 1 / 4, 1, 0.98], abs=1e-4)


def test_words_have_kinds():
    kinds = map(covering.kind_of, ("woman", "pilot", "medium-dark", "skin", "tone"))
    assert [*kinds] == ["who", "what", "shade", "skin", "skin"]


# ------------------------------------------------------------------ the eye that sees all


def seen_by(encoder, row, column):
    """How many pixels in a row, and in a column, change what is at a place."""
    for parameter in encoder.parameters():
        parameter.data = parameter.data.abs() + 0.01  # no ReLU is off, nothing cancels
    x = torch.rand(1, 3, 40, 40, requires_grad=True)
    encoder.eval()(x)[0, :, row, column].sum().backward()
    touched = x.grad[0].abs().sum(dim=0) > 0
    return touched.any(dim=0).sum().item(), touched.any(dim=1).sum().item()


def test_each_place_sees_nine_pixels_or_all():
    assert seen_by(convolutional_encoder(2, 3, 4), 5, 5) == (9, 9)
    for place in ((0, 0), (5, 5), (9, 9), (0, 9)):
        assert seen_by(wide_encoder(2, 3, 4), *place) == (40, 40)


def test_the_wide_eye_is_that_of_the_book_and_what_it_adds():
    wide, narrow = wide_encoder(2, 3, 4).eval(), convolutional_encoder(2, 3, 4).eval()
    parts = [part for part in wide if not isinstance(part, Around)]
    narrow.load_state_dict(torch.nn.Sequential(*parts).state_dict())
    x = torch.rand(1, 3, 40, 40)
    assert not torch.allclose(wide(x), narrow(x))
    for part in wide:
        if isinstance(part, Around):
            torch.nn.init.zeros_(part.layers[1].weight)
    torch.testing.assert_close(wide(x), narrow(x))


# ------------------------------------------------------------------ the studies


@pytest.fixture
def known(monkeypatch):
    """A small gallery, small networks, one epoch."""
    gallery = made_up()
    shape = {"widths": (4, 6, 8), "embedding_size": 6, "hidden_size": 10, "heads": 2}
    for study in (picture_eye_rates, picture_eyes):
        monkeypatch.setattr(study, "load_pictures", lambda: gallery)
        monkeypatch.setattr(study, "wide_captioner", partial(shared.wide_captioner, **shape))
    monkeypatch.setattr(picture_seeds, "load_pictures", lambda: gallery)
    small = partial(recipes.captioner, **shape)
    monkeypatch.setattr(picture_seeds, "trained", partial(shared.trained, network=small))
    monkeypatch.setattr(shared, "pictures", lambda: replace(recipes.pictures(), epochs=1))
    return gallery


@pytest.mark.parametrize("study", [picture_eye_rates, picture_eyes, picture_seeds])
def test_each_study_measures_both_sides_and_can_be_made_again(known, study):
    settings = [*study.RUNS.values()][-1]
    found = study.run(settings)
    for side in ("tones", "names"):
        assert 0 <= found[f"{side}_exact"] <= found[f"{side}_name"] <= 1
    assert study.run(settings, stop=2) == {"trace": found["trace"][:2]}


def test_rates_are_judged_on_held_out_pictures_and_eyes_on_the_test(known, monkeypatch):
    seen = []
    model = SimpleNamespace(parameters=lambda: [])
    trained = lambda *_, **changes: (model, None, SimpleNamespace(losses=[changes["lr"]]))  # noqa: E731
    for study, apart in ((picture_eye_rates, known.held_out), (picture_eyes, known.test)):
        monkeypatch.setattr(study, "trained", trained)
        monkeypatch.setattr(study, "judged", lambda *given: seen.append(given[2]) or {})
        study.run(next(iter(study.RUNS.values())))
        assert seen == [apart.tones, apart.combinations]
        seen.clear()


def test_the_chosen_rate_is_one_that_was_tried_with_another_seed():
    tried = picture_eye_rates.RUNS.values()
    assert picture_eyes.RATE in {one["lr"] for one in tried}
    assert not {one["seed"] for one in tried} & {one["seed"] for one in picture_eyes.RUNS.values()}
    assert {one["seed"] for one in picture_seeds.RUNS.values()} == {1, 2}
