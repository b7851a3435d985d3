"""Describing pictures: the model, its batches, what it says, and how captions are measured."""

from functools import partial

import pytest
import torch
from torch import Generator

from rnnbook.data.picture_captions import ENGLISH, JAPANESE, LETTERS
from rnnbook.data.picture_gallery import Picture
from rnnbook.data.vocabulary import Vocabulary
from rnnbook.data.words import IGNORED, SIGNS
from rnnbook.decoding.pictures import (
    LIMITS,
    Caption,
    Careful,
    describe,
    describe_carefully,
    repeating,
    said,
)
from rnnbook.decoding.search import Answer, beam, greedy
from rnnbook.metrics.pictures import (
    best_constant,
    bleu,
    captions_of,
    exact_without_tones,
    f1,
    nearest,
    tones_right,
    without_tones_f1,
    word_f1,
)
from rnnbook.models.pictures import Captioner, covered, inked
from rnnbook.training.loop import train
from rnnbook.training.recipes.pictures import (
    CaptionBatches,
    encode_captions,
    pictures,
    shifted,
    vocabulary_of,
)
from rnnbook.training.settings import Settings

pytestmark = pytest.mark.usefixtures("one_thread")

CAPTIONS = [
    (("red cat",), ("赤い猫",)),
    (("blue cat", "blue tomcat"), ("青い猫", "青猫")),
    (("red dog light skin tone",), ("赤い犬、薄い肌色",)),
    (("dog",), ("犬",)),
]


def made_up() -> list[Picture]:
    generator = Generator().manual_seed(0)
    pixels = torch.randint(256, (4, 3, 40, 40), generator=generator, dtype=torch.uint8)
    return [
        Picture(f"{i:X}", pixels[i], english, japanese)
        for i, (english, japanese) in enumerate(CAPTIONS)
    ]


def small(V=9, languages=2, **options) -> Captioner:
    torch.manual_seed(0)
    return Captioner(V, languages, (4, 6, 8), 6, 10, 2, **options)


def pixels_of(some=None):
    return torch.stack([one.pixels for one in some or made_up()])


# ------------------------------------------------------------------ the model


@pytest.mark.parametrize("whole", [False, True])
def test_all_steps_at_once_are_the_steps_one_by_one(whole):
    model = small(whole=whole).eval()
    x, languages = pixels_of(), torch.tensor([0, 1, 1, 0])
    previous = torch.tensor([[0, 1, 2], [0, 3, 3], [0, 8, 1], [0, 5, 6]])
    logits = model(x, languages, previous)
    assert logits.shape == (4, 3, 9)
    seen = model.encode(x, languages)
    state = model.start(seen)
    for t in range(3):
        step, state = model.step(previous[:, t], state, seen)
        torch.testing.assert_close(step, logits[:, t])


def test_a_place_sees_nine_pixels_each_way():
    model = small().eval()
    x = pixels_of()[:1]
    changed = x.clone()
    changed[:, :, 20, 12] = 255 - changed[:, :, 20, 12]
    with torch.no_grad():
        eye = [model.encode(one, torch.tensor([0])).places.view(10, 10, -1) for one in (x, changed)]
    rows, columns = (eye[0] != eye[1]).any(dim=2).nonzero().T
    # a place is 4 pixels on from the one before; its middle is the pixel 4 k
    for k, middle in ((rows, 20), (columns, 12)):
        assert k.min() == (middle - 4) // 4 and k.max() == (middle + 4) // 4


def test_to_cover_a_place_is_to_cover_what_it_sees_in_its_middle():
    pixels = torch.zeros(3, 40, 40, dtype=torch.uint8)
    one = covered(pixels, torch.tensor([23]))  # in row 2, column 3
    assert (one[:, 6:10, 10:14] == 255).all() and one.sum() == 255 * 3 * 16
    assert covered(pixels, torch.arange(100)).sum() == 255 * 3 * 38 * 38  # not the last two rows
    assert torch.equal(covered(pixels, torch.tensor([], dtype=torch.long)), pixels)


def test_a_place_is_inked_where_its_middle_is_not_white():
    pixels = torch.full((3, 40, 40), 255, dtype=torch.uint8)
    assert not inked(pixels).any()
    pixels[1, 9, 13] = 0
    assert inked(pixels).nonzero().flatten().tolist() == [23]
    pixels[0, 0, 0] = 100
    assert inked(pixels).nonzero().flatten().tolist() == [0, 23]


def test_the_weights_are_shares_of_the_places():
    weights = small().eval().alignment(pixels_of(), torch.zeros(4).long(), torch.zeros(4, 2).long())
    assert weights.shape == (4, 2, 2, 10, 10) and weights.min() > 0
    torch.testing.assert_close(weights.sum(dim=(3, 4)), torch.ones(4, 2, 2))
    assert not torch.allclose(weights[:, 0], weights[:, 1])


def test_the_tongue_knows_words_alone_unless_it_begins_with_the_whole():
    languages = torch.zeros(4).long()
    for whole in (False, True):
        model = small(whole=whole).eval()
        seen = model.encode(pixels_of(), languages)
        _, (h, c) = model.step(torch.full((4,), 3), model.start(seen), seen)
        assert torch.equal(h, h[:1].expand_as(h)) != whole
        assert torch.equal(c, c[:1].expand_as(c)) != whole


@pytest.mark.parametrize("whole", [False, True])
def test_the_votes_of_eye_and_words_are_added_unless_they_meet_as_a_whole(whole):
    """What a change of the words does to the logits does not depend on what was found."""
    model = small(whole=whole).eval()
    places = model.encode(pixels_of(), torch.zeros(4).long())
    places = places._replace(places=places.places[:, :1].expand(-1, 100, -1))  # looks do not matter
    start = torch.zeros(4, 10), torch.zeros(4, 10)
    one, other = (model.step(torch.full((4,), word), start, places)[0] for word in (3, 7))
    change = one - other
    assert change.abs().max() > 1e-3
    assert torch.allclose(change, change[:1].expand_as(change), atol=1e-6) != whole


def test_each_head_looks_by_its_own_part_and_sees_it():
    model = small().eval()
    h, places = torch.randn(1, 3, 10), torch.randn(1, 100, 8)
    found, weights = model.find(h, places)
    queries = model.query(h)[0]
    for k, part in enumerate((slice(0, 4), slice(4, 8))):
        some = places[0, :, part]
        shares = (queries[:, part] @ some.T / 2).softmax(dim=1)
        torch.testing.assert_close(weights[0, k], shares)
        torch.testing.assert_close(found[0, :, part], shares @ some)


def test_the_language_is_heard_at_each_step():
    model = small().eval()
    x, previous = pixels_of(), torch.zeros(4, 3).long()
    one, other = (model(x, torch.full((4,), k), previous) for k in (0, 1))
    assert ((one - other).abs().amax(dim=2) > 1e-5).all()


def test_noughts_and_ones_of_dropout_are_drawn_in_the_training_alone():
    model, x = small(dropout=0.5), pixels_of()
    call = partial(model, x, torch.zeros(4).long(), torch.zeros(4, 2).long())
    assert not torch.equal(call(), call())
    model.eval()
    assert torch.equal(call(), call())


# ------------------------------------------------------------------ words and batches


def test_captions_become_numbers_and_again_captions():
    some = made_up()
    for language in (ENGLISH, LETTERS, JAPANESE):
        vocabulary = vocabulary_of(some, [language])
        assert len(vocabulary) == 1 + len(vocabulary.characters)
        data = encode_captions(some, vocabulary, [language])
        assert data.rows.tolist() == [0, 1, 1, 2, 3]
        captions = [one for right in captions_of(some, language) for one in right]
        ids = [row[:n].tolist() for row, n in zip(data.ids, data.lengths, strict=True)]
        assert [said(vocabulary, [0, *one, 0], language) for one in ids] == captions
        assert set(vocabulary.characters) == {
            part for one in captions for part in language.split(one)
        }


def test_two_languages_share_one_vocabulary_and_are_told_apart():
    some = made_up()
    vocabulary = vocabulary_of(some)
    assert {"cat", "猫", "、"} <= set(vocabulary.characters)
    data = encode_captions(some, vocabulary)
    assert data.languages.tolist() == [0] * 5 + [1] * 5
    assert data.rows.tolist() == [0, 1, 1, 2, 3] * 2
    assert said(vocabulary, data.ids[5].tolist(), JAPANESE) == "赤い猫"
    with pytest.raises(ValueError, match="does not know 'dog'"):
        encode_captions(some, vocabulary_of(some[:2]))


def test_an_epoch_meets_each_caption_once_with_its_own_picture():
    some = made_up()
    vocabulary = vocabulary_of(some)
    data = encode_captions(some, vocabulary)
    batches = CaptionBatches(data, 5, seed=1, shift=0)
    assert len(batches) == 2
    met = []
    for step in (2, 3):
        batch = batches.batch(step)
        (x, languages, previous), y = batch.x, batch.y
        assert not batch.continues and not previous[:, 0].any()
        assert len(set(languages.tolist())) == 1
        for k in range(5):
            steps = int((y[k] != IGNORED).sum())
            assert y[k, steps - 1] == 0 and torch.equal(previous[k, 1:steps], y[k, : steps - 1])
            language = (ENGLISH, JAPANESE)[languages[k]]
            caption = said(vocabulary, y[k, :steps].tolist(), language)
            (i,) = [i for i, one in enumerate(some) if torch.equal(one.pixels, x[k])]
            assert caption in getattr(some[i], language.name)
            met.append(caption)
    assert sorted(met) == sorted(one for both in CAPTIONS for right in both for one in right)
    with pytest.raises(ValueError, match="10 sequences do not fill a batch of 11"):
        CaptionBatches(data, 11)


def test_a_batch_depends_on_seed_and_step_alone():
    data = encode_captions(made_up(), vocabulary_of(made_up()))
    one = CaptionBatches(data, 4, seed=3)
    one.batch(7)
    again, other = CaptionBatches(data, 4, seed=3), CaptionBatches(data, 4, seed=4)
    assert torch.equal(one.batch(5).x[0], again.batch(5).x[0])
    assert torch.equal(one.batch(5).y, again.batch(5).y)
    assert not torch.equal(one.batch(5).x[0], other.batch(5).x[0])
    assert not torch.equal(one.batch(5).x[0], one.batch(7).x[0])


def test_pictures_are_moved_by_all_distances_and_what_comes_in_is_white():
    picture = pixels_of()[:1]
    wide = torch.nn.functional.pad(picture, (2, 2, 2, 2), value=255)
    parts = {
        wide[0, :, a : a + 40, b : b + 40].numpy().tobytes(): (a, b)
        for a in range(5)
        for b in range(5)
    }
    moved = shifted(picture.expand(600, -1, -1, -1), 2, Generator().manual_seed(0))
    assert {parts[one.numpy().tobytes()] for one in moved.contiguous()} == set(parts.values())
    assert torch.equal(shifted(picture, 0, Generator()), picture)


# ------------------------------------------------------------------ what is said


@pytest.fixture(scope="module")
def trained():
    """A small model that has learned four pictures by heart, in two languages."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    some = made_up()
    vocabulary = vocabulary_of(some)
    recipe = pictures()
    model = small(len(vocabulary))
    data = encode_captions(some, vocabulary)
    settings = Settings(steps=250, lr=2e-2, objective=recipe.objective)
    train(model, CaptionBatches(data, 10), settings)
    torch.set_num_threads(threads)
    return model, vocabulary


@pytest.mark.parametrize("width", [1, 3])
def test_pictures_learned_by_heart_are_described_in_both_languages(trained, width):
    model, vocabulary = trained
    some = made_up()
    for k, language in enumerate((ENGLISH, JAPANESE)):
        captions = describe(model, vocabulary, pixels_of(), language, k, width)
        right = captions_of(some, language)
        assert all(one in those for one, those in zip(captions, right, strict=True))
    assert not model.training


def test_pictures_are_described_alike_alone_and_together(trained, monkeypatch):
    model, vocabulary = trained
    together = describe(model, vocabulary, pixels_of(), ENGLISH)
    monkeypatch.setattr("rnnbook.decoding.pictures.TOGETHER", 3)
    assert describe(model, vocabulary, pixels_of(), ENGLISH) == together
    short = describe(model, vocabulary, pixels_of(), JAPANESE, 1, longest=2)
    assert max(len(one) for one in short) == 2


def test_a_caption_that_was_cut_off_is_no_better_than_a_complete_one(trained, monkeypatch):
    model, vocabulary = trained
    ranked = [Answer([1] * 9, -1.0, False), Answer([2], -2.0, True)]
    monkeypatch.setattr("rnnbook.decoding.pictures.beam", lambda *_, **options: [ranked])
    (best,) = describe(model, vocabulary, pixels_of()[:1], ENGLISH, width=2)
    assert best == said(vocabulary, [2], ENGLISH)


def test_the_search_gives_the_probability_of_what_it_has_written(trained):
    model, _ = trained
    languages = torch.tensor([0, 1, 0, 1])
    found = greedy(model, pixels_of(), languages)
    (best, *_), *_ = beam(model, pixels_of()[:1], languages[:1], width=3)
    previous = torch.tensor([[0, *found[0].ids]])
    log_p = model(pixels_of()[:1], languages[:1], previous).log_softmax(dim=2)[0]
    ids = torch.tensor([*found[0].ids, 0])
    assert log_p.gather(1, ids[:, None]).sum().item() == pytest.approx(found[0].log_probability)
    assert best.log_probability >= found[0].log_probability - 1e-5


# ------------------------------------------------------------------ what is said carefully


class Stubborn(torch.nn.Module):
    """Says the last word that it knows on and on; the end only if there is nothing else to say."""

    def __init__(self, vocabulary):
        super().__init__()
        self.rate = torch.nn.Parameter(torch.linspace(7, 9, len(vocabulary)))
        self.rate.data[0] = 0

    def encode(self, pictures, languages):
        return pictures

    def start(self, seen):
        return (torch.zeros(len(seen), 1),)

    def step(self, previous, state, seen):
        return self.rate.expand(len(previous), -1), state


@pytest.mark.parametrize("width", [1, 4])
def test_a_caption_keeps_to_its_language_and_ends_and_repeats_no_run(width):
    english, japanese = ["field", "rice", "river", "sudan"], "田米川港山空海雨"
    vocabulary = Vocabulary([*english, *japanese], SIGNS)
    model = Stubborn(vocabulary)
    for language, words in ((ENGLISH, english), (JAPANESE, japanese)):
        captions = describe_carefully(model, vocabulary, pixels_of(), language, width=width)
        limits = LIMITS[language]
        for text, probability in captions:
            tokens = language.split(text)
            runs = [tuple(tokens[i : i + limits.run]) for i in range(len(tokens) - limits.run + 1)]
            assert set(tokens) <= set(words) and len(tokens) == limits.longest
            assert len(runs) == len(set(runs))
            assert all([word] * 3 != tokens[i : i + 3] for word in words for i in range(9))
            assert 0 < probability < 1


def test_what_would_repeat_a_run_or_stand_three_times_in_a_row():
    assert repeating([], 3) == repeating([1], 3) == repeating([1, 2], 3) == set()
    assert repeating([1, 2, 3, 1, 2], 3) == {3}
    assert repeating([1, 2, 3, 1, 2, 4, 1, 2], 3) == {3, 4}
    assert repeating([5, 5], 3) == repeating([5, 5], 6) == {5}
    assert repeating([1, 2, 3, 1, 2], 4) == set()


def test_the_probability_is_that_of_the_model_among_what_may_be_said(trained):
    model, vocabulary = trained
    for k, language in enumerate((ENGLISH, JAPANESE)):
        captions = describe_carefully(model, vocabulary, pixels_of(), language, k)
        assert [one.text for one in captions] == describe(
            model, vocabulary, pixels_of(), language, k, width=4
        )
        careful = Careful(model, vocabulary, LIMITS[language])
        for picture, (text, probability) in zip(pixels_of(), captions, strict=True):
            ids = [*vocabulary.encode(language.split(text)).tolist(), 0]
            seen = careful.encode(picture[None], torch.tensor([k]))
            state, expected = careful.start(seen), 1.0
            for last, chosen in zip([0, *ids], ids, strict=False):
                logits, state = careful.step(torch.tensor([last]), state, seen)
                expected *= logits.softmax(dim=1)[0, chosen].item()
            assert probability == pytest.approx(expected, rel=1e-4)
        assert max(captions, key=lambda one: one.probability).probability > 0.3
        assert isinstance(captions[0], Caption)


# ------------------------------------------------------------------ how good captions are


def test_f1_is_the_harmonic_mean_of_two_shares():
    caption, reference = "a red red cat", "red cat sleeping"
    precision, recall = 2 / 4, 2 / 3
    assert f1(caption, reference) == pytest.approx(2 / (1 / precision + 1 / recall))
    assert f1("", "") == 1 and f1("", "cat") == 0
    assert f1("猫赤い", "赤い猫", list) == 1 and f1("猫赤い", "赤い猫") == 0


def test_the_reference_that_suits_best_counts():
    right = [("artist", "man artist"), ("cat",)]
    assert word_f1(["man artist", "dog"], right) == 0.5
    assert word_f1(["artist", "cat"], right) == 1
    with pytest.raises(ValueError):
        word_f1(["artist"], right)


def test_tones_are_measured_alone_and_left_out():
    right = [("man farmer light skin tone",), ("dog",), ("kiss dark skin tone light skin tone",)]
    captions = ["farmer light skin tone", "dog", "kiss light skin tone dark skin tone"]
    assert tones_right(captions, right) == pytest.approx(2 / 3)
    assert without_tones_f1(captions, right) == pytest.approx((2 / 3 + 1 + 1) / 3)
    assert exact_without_tones(captions, right) == pytest.approx(2 / 3)
    assert tones_right(["dog light skin tone"], [("dog",)]) == 0


def test_bleu_of_a_small_case_by_hand():
    captions, right = ["the cat sat on the mat"], [("the cat sat on a mat", "one cat is there")]
    # Of runs of one word five of six are right ("the" but once), of two three of five, of three
    # two of four, of four one of three. It is as long as the reference: nothing is taken off.
    shares = 5 / 6 * 3 / 5 * 2 / 4 * 1 / 3
    assert bleu(right[0][:1], right) == pytest.approx(1)
    assert bleu(captions, right) == pytest.approx(shares ** (1 / 4))
    with pytest.raises(ValueError):
        bleu(captions * 2, right)


def test_the_floors_are_the_best_that_cost_nothing():
    right = [("a b",), ("a c",), ("a b d", "a c"), ("e",)]
    firsts = [(one[0],) for one in right]
    best = max(
        (word_f1([one] * 4, firsts) for (one,) in firsts),
    )
    assert word_f1([best_constant(right)] * 4, firsts) == pytest.approx(best)


def test_the_nearest_known_picture_gives_its_caption():
    known = made_up()
    dark = [one._replace(pixels=(one.pixels * 0.9).to(torch.uint8)) for one in known[::-1]]
    assert nearest(dark, known, ENGLISH) == [one.english[0] for one in known[::-1]]
    assert nearest(dark, known, JAPANESE)[0] == "犬"


def test_a_caption_without_its_tones_is_the_name_of_a_picture():
    names = {
        "man cook dark skin tone": "man cook",
        "dog": "dog",
        "kiss man man light skin tone dark skin tone": "kiss man man",
    }
    for caption, name in names.items():
        assert made_up()[0]._replace(english=(caption,)).name == name
