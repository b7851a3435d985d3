"""From words to words: what is searched for together, and names of several words."""

import math
from itertools import product

import pytest
import torch

from rnnbook.data.vocabulary import Vocabulary
from rnnbook.data.words import SIGNS, encode_pairs, encode_words
from rnnbook.decoding import names as transliteration
from rnnbook.decoding.names import Reading, join_words, transliterate
from rnnbook.decoding.search import Answer, beam, complete_first
from rnnbook.layers.attention import DotProductAttention
from rnnbook.models.encoder_decoder import END, EncoderDecoder
from rnnbook.training.batches import PairBatches
from rnnbook.training.loop import train
from rnnbook.training.objectives import answering
from rnnbook.training.settings import Settings

LETTERS, KANA = "abc", "アイウ"
WORDS = ["cab", "a", "bcabc", "bb", "a", "cabac"]


@pytest.fixture(scope="module")
def model():
    """It has begun to learn the spelling of words, so that its answers end, and are not cut off."""
    torch.manual_seed(0)
    words = ["".join(word) for n in range(1, 6) for word in product(LETTERS, repeat=n)]
    pairs = [(word, (word.translate(str.maketrans(LETTERS, KANA)),)) for word in words]
    model = EncoderDecoder(4, 4, 4, 16, DotProductAttention)
    batches = PairBatches(*encode_pairs(pairs, LETTERS, KANA), 32)
    train(model, batches, Settings(steps=150, lr=2e-2, objective=answering))
    return model.double().eval()


@pytest.mark.parametrize("together", [1, 2, 256])
def test_each_word_has_the_answers_that_it_has_alone(model, together, monkeypatch):
    monkeypatch.setattr(transliteration, "TOGETHER", together)
    found = transliterate(model, LETTERS, KANA, WORDS, width=3)
    assert len(found) == len(WORDS)
    for word, ranked in zip(WORDS, found, strict=True):
        source, lengths = encode_words([word], Vocabulary(LETTERS, SIGNS))
        (alone,) = beam(model, source, lengths, 18, width=3)
        alone = complete_first(alone)
        assert all(one.ended for one in alone)
        texts = ["".join(KANA[i - 1] for i in one.ids) for one in alone]
        assert [one.text for one in ranked] == texts and len(set(texts)) == 3
        scores = [one.log_probability for one in alone]
        assert [one.log_probability for one in ranked] == pytest.approx(scores)


def test_a_reading_that_was_cut_off_comes_behind_all_that_have_ended(model, monkeypatch):
    ranked = [Answer([1] * 9, -1.0, False), Answer([2], -2.0, True), Answer([3], -3.0, True)]
    monkeypatch.setattr(transliteration, "beam", lambda *_, **options: [ranked])
    (found,) = transliterate(model, LETTERS, KANA, ["a"])
    assert [one.text for one in found] == ["イ", "ウ", "ア" * 9]


def test_the_longest_of_the_words_together_has_room(model):
    """A model that never ends an answer writes until it is cut off."""
    with torch.no_grad():
        model.head.bias[END] = -100
    found = transliterate(model, LETTERS, KANA, WORDS, width=1)
    assert {len(best.text) for (best,) in found} == {2 * max(map(len, WORDS)) + 8}


def test_no_words_have_no_answers(model):
    assert transliterate(model, LETTERS, KANA, []) == []


def test_pairs_have_a_row_for_each_reading():
    pairs = [("ab", ("ア", "イウ")), ("c", ("ウ",))]
    source, lengths, target, steps = encode_pairs(pairs, LETTERS, KANA)
    assert source.tolist() == [[1, 2], [1, 2], [3, 0]] and lengths.tolist() == [2, 2, 1]
    assert target.tolist() == [[1, 0], [2, 3], [3, 0]] and steps.tolist() == [1, 2, 1]


def test_the_words_of_a_name_are_joined_and_their_probabilities_multiplied():
    first = [Reading("ア", math.log(0.6)), Reading("イ", math.log(0.4))]
    second = [Reading("ウ", math.log(0.9)), Reading("エ", math.log(0.1))]
    joined = join_words([first, second], 2)
    assert [one.text for one in joined] == ["ア・ウ", "イ・ウ"]
    assert [math.exp(one.log_probability) for one in joined] == pytest.approx([0.54, 0.36])
    assert join_words([first], 1) == first[:1]
    assert len(join_words([first * 50] * 30, 100)) == 100  # not every combination is tried
