"""From words to words: what is searched for together, and names of several words."""

import math

import pytest
import torch

from rnnbook.data.vocabulary import Vocabulary
from rnnbook.data.words import SIGNS, encode_pairs, encode_words
from rnnbook.decoding import transliteration
from rnnbook.decoding.search import Answer, beam, complete_first
from rnnbook.decoding.transliteration import Reading, join_words, transliterate
from rnnbook.layers.attention import DotProductAttention
from rnnbook.models.encoder_decoder import END, EncoderDecoder

LETTERS, KANA = "abc", "アイウ"
WORDS = ["cab", "a", "bcabc", "bb", "a", "cabac"]


@pytest.fixture
def model(one_thread):
    torch.manual_seed(0)
    model = EncoderDecoder(4, 4, 4, 6, DotProductAttention).double()
    with torch.no_grad():
        for p in model.parameters():
            p.mul_(2)
    return model


@pytest.mark.parametrize("together", [1, 2, 256])
def test_each_word_has_the_answers_that_it_has_alone(model, together, monkeypatch):
    monkeypatch.setattr(transliteration, "TOGETHER", together)
    found = transliterate(model, LETTERS, KANA, WORDS, width=3)
    assert len(found) == len(WORDS)
    for word, ranked in zip(WORDS, found, strict=True):
        source, lengths = encode_words([word], Vocabulary(LETTERS, SIGNS))
        (alone,) = beam(model, source, lengths, 18, width=3)
        alone = complete_first(alone)
        texts = ["".join(KANA[i - 1] for i in one.ids) for one in alone]
        together_texts = [one.text for one in ranked]
        assert [text[:8] for text in together_texts] == [text[:8] for text in texts]
        if all(one.ended for one in alone):
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
