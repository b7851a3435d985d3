"""Letting a model write: temperature, top-k, seeds, streaming."""

from itertools import islice

import pytest
import torch
from torch import nn

from rnnbook.data.vocabulary import Vocabulary
from rnnbook.decoding.sampling import draw, sample, stream
from rnnbook.models.recurrent import CharacterModel

VOCABULARY = Vocabulary("abcde\n")


@pytest.fixture
def model():
    torch.manual_seed(0)
    return CharacterModel(nn.LSTM(4, 8, batch_first=True), len(VOCABULARY), dropout=0.5)


def draws(logits, n=4000, temperature=1.0, top_k=None):
    generator = torch.Generator().manual_seed(0)
    logits = torch.tensor(logits)
    return torch.stack([draw(logits, temperature, top_k, generator) for _ in range(n)]).flatten()


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_draws_follow_the_softmax_at_a_temperature(temperature):
    logits = [1.0, 0.0, -1.0, 2.0]
    shares = draws(logits, temperature=temperature).bincount(minlength=4) / 4000
    expected = (torch.tensor(logits) / temperature).softmax(0)
    assert (shares - expected).abs().max() < 0.03  # four standard deviations at 4,000 draws


def test_temperature_zero_is_the_likeliest():
    assert set(draws([0.1, 0.3, 0.2], n=50, temperature=0).tolist()) == {1}


def test_top_k_draws_from_the_k_likeliest_alone():
    assert set(draws([0.0, 3.0, 2.0, 1.0, -9.0], top_k=2).tolist()) == {1, 2}
    assert set(draws([0.0, 0.0, 0.0], top_k=99).tolist()) == {0, 1, 2}


def test_same_seed_same_text_other_seed_other_text(model):
    texts = [sample(model, VOCABULARY, "ab", 60, seed=seed) for seed in (1, 1, 2)]
    assert texts[0] == texts[1] != texts[2]
    assert texts[0].startswith("ab") and len(texts[0]) == 62


def test_the_stream_is_the_sample_and_comes_one_character_at_a_time(model):
    pieces = list(islice(stream(model, VOCABULARY, "ab", seed=1), 60))
    assert all(len(piece) == 1 for piece in pieces)
    assert "ab" + "".join(pieces) == sample(model, VOCABULARY, "ab", 60, seed=1)


def test_the_state_is_carried_while_writing(model):
    """Writing on from the state equals reading the whole text again at every step."""
    text = "ab"
    with torch.no_grad():
        model.eval()
        for _ in range(30):
            logits, _ = model(VOCABULARY.encode(text)[None])
            text += VOCABULARY.decode([logits[0, -1].argmax()])
    assert sample(model, VOCABULARY, "ab", 30, temperature=0) == text


def test_a_stream_leaves_gradients_switched_on(model):
    next(stream(model, VOCABULARY, "a"))
    assert torch.is_grad_enabled()


@pytest.mark.parametrize(
    ("prompt", "options", "message"),
    [
        ("", {}, "prompt is empty"),
        ("a", {"temperature": -1}, "temperature is -1"),
        ("a", {"top_k": 0}, "top_k is 0"),
        ("aé☃", {}, "'é', '☃'"),
    ],
)
def test_bad_input_is_named(model, prompt, options, message):
    with pytest.raises(ValueError, match=message):
        sample(model, VOCABULARY, prompt, 5, **options)


def test_vocabulary():
    vocabulary = Vocabulary("hello")
    assert vocabulary.characters == ["e", "h", "l", "o"] and len(vocabulary) == 4
    assert vocabulary.encode("hole").tolist() == [1, 3, 2, 0]
    assert vocabulary.encode("").tolist() == []
    assert vocabulary.decode(vocabulary.encode("hello")) == "hello"
    with pytest.raises(ValueError, match=r"does not know 'x', 'あ'; it knows 4 characters: 'ehlo'"):
        vocabulary.encode("hあxxo")
