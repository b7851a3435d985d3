"""The counting models, against counting by hand."""

import math

import numpy as np
import pytest

from rnnbook.models.ngrams import as_numbers, discounts, look_up, ngram_losses, ngram_probabilities

TRAIN, OTHER = "abracadabra", "cab"
V = 5  # a, b, c, d, r


def ids(text):
    return np.array(["abcdr".index(character) for character in text])


def by_hand(context, character, n, own=True):
    """The probability of a character, by searching in the text.

    A model's own order counts how often an n-gram occurs; those below, after how many different
    characters it does.
    """
    if n == 0:
        return 1 / V
    context = context[len(context) - n + 1 :]
    before = {}  # the characters before each n-gram
    for k in range(len(TRAIN) - n + 1):
        before.setdefault(TRAIN[k : k + n], []).append(TRAIN[k - 1] if k else "")
    counts = {gram: len(b) if own else len(set(b) - {""}) for gram, b in before.items()}
    counts = {gram: count for gram, count in counts.items() if count}
    lowered = discounts(np.array(list(counts.values())))
    seen = {gram: count for gram, count in counts.items() if gram[:-1] == context}
    below = by_hand(context, character, n - 1, own=False)
    if not seen:
        return below
    saved = sum(lowered[min(count, 3)] for count in seen.values())
    count = seen.get(context + character, 0)
    return (count - lowered[min(count, 3)] + saved * below) / sum(seen.values())


def test_the_probabilities_are_those_counted_by_hand():
    p = ngram_probabilities(ids(TRAIN), ids(OTHER), V, max_order=4)
    assert p.shape == (5, 3)
    for n in range(5):
        for k, character in enumerate(OTHER):
            assert p[n, k] == pytest.approx(by_hand(TRAIN + OTHER[:k], character, n), abs=1e-12)


def test_the_discounts_are_those_of_chen_and_goodman():
    how_often = np.repeat([1, 2, 3, 4, 9], [40, 20, 10, 5, 7])
    y = 40 / (40 + 2 * 20)
    wanted = [0, 1 - 2 * y * 20 / 40, 2 - 3 * y * 10 / 20, 3 - 4 * y * 5 / 10]
    assert discounts(how_often).tolist() == pytest.approx(wanted)


def test_without_rare_counts_the_discounts_are_the_usual_ones():
    assert discounts(np.array([7, 8])).tolist() == [0, 0.75, 0.75, 0.75]
    no_three = np.repeat([1, 2, 4], [9, 3, 1])  # an estimate from none would be arbitrary
    assert discounts(no_three)[3] == 0.75


def test_small_integers_are_counted_as_large_ones_and_too_many_characters_refused():
    text = np.random.default_rng(0).integers(60, size=3000)
    small = ngram_losses(text.astype(np.uint8), text[:100].astype(np.uint8), 60, max_order=5)
    assert small == ngram_losses(text, text[:100], 60, max_order=5)
    with pytest.raises(ValueError, match="lower max_order"):
        ngram_losses(text, text, 150)


@pytest.mark.parametrize("order", range(4))
def test_the_probabilities_of_all_next_characters_add_up_to_one(order):
    text = np.random.default_rng(0).integers(V, size=3000)
    p = [ngram_probabilities(text, np.array([c]), V, max_order=3)[order, 0] for c in range(V)]
    assert sum(p) == pytest.approx(1, abs=1e-12)


def test_the_losses_are_mean_negative_logarithms():
    losses = ngram_losses(ids(TRAIN), ids(OTHER), V, max_order=2)
    p = ngram_probabilities(ids(TRAIN), ids(OTHER), V, max_order=2)
    assert losses[0] == pytest.approx(math.log(V))
    assert losses[2] == pytest.approx(-math.log(p[2].prod()) / 3)


def test_rows_of_characters_become_numbers():
    assert as_numbers(np.array([1, 2, 3, 4]), 3, 10).tolist() == [123, 234]


def test_what_was_never_counted_has_been_seen_zero_times():
    counts = np.unique(np.array([5, 3, 5]), return_counts=True)
    assert look_up(counts, np.array([5, 4, 3, 9])).tolist() == [2, 0, 1, 0]


def test_the_highest_order_is_that_whose_ngrams_fit_into_64_bits():
    text = np.arange(200) % 65
    assert len(ngram_losses(text[:150], text[150:], 65, max_order=10)) == 11
    with pytest.raises(ValueError, match="11 characters of 65"):
        ngram_losses(text[:150], text[150:], 65, max_order=11)
