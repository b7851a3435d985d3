"""Choosing an answer: greedy, beam and sampling, against a search through all answers."""

from copy import deepcopy
from functools import cache
from itertools import product

import pytest
import torch

from rnnbook.data.vocabulary import Vocabulary
from rnnbook.data.words import encode_words, teacher_forced
from rnnbook.decoding.search import beam, greedy, sample
from rnnbook.errors import BookError
from rnnbook.layers.attention import AdditiveAttention
from rnnbook.models.encoder_decoder import END, EncoderDecoder

V, LONGEST = 4, 4  # END and three characters; at most four steps
LETTERS = Vocabulary("abc", 1)
SOURCE, LENGTHS = encode_words(["abc", "b", "ca", "aabbc", "cb"], LETTERS)


@pytest.fixture(params=range(4))
def model(request, one_thread):
    return make_model(request.param)


@cache
def make_model(seed):
    torch.manual_seed(seed)
    model = EncoderDecoder(len(LETTERS), V, 4, 6, AdditiveAttention, dropout=0.5).double()
    with torch.no_grad():
        for p in model.parameters():
            p.mul_(2.5)
    return model.eval()


def everything():
    """All answers of at most LONGEST steps: those that end, and those that are cut off."""
    ends = [list(ids) for n in range(LONGEST) for ids in product(range(1, V), repeat=n)]
    return ends, [list(ids) for ids in product(range(1, V), repeat=LONGEST)]


@cache
@torch.no_grad()
def next_log_probabilities(model, i):
    """For source i, from all that can have been written to the log p of each sign that is next.

    By teacher forcing: each row is fed an answer of three characters, whatever was likely.
    """
    rows = list(product(range(1, V), repeat=LONGEST - 1))
    previous, _ = teacher_forced(torch.tensor(rows), torch.full((len(rows),), LONGEST - 1))
    x = SOURCE[i : i + 1].expand(len(rows), -1), LENGTHS[i : i + 1].expand(len(rows)), previous
    logs = model(*x).log_softmax(dim=2).tolist()
    return {ids[:n]: logs[k][n] for k, ids in enumerate(rows) for n in range(LONGEST)}


def log_probability(model, i, ids, ended=True):
    """That of an answer to source i."""
    steps, following = [*ids, END] if ended else list(ids), next_log_probabilities(model, i)
    return sum(following[tuple(steps[:n])][c] for n, c in enumerate(steps))


def scores(model, i):
    """All answers to source i: (log probability, steps, ids)."""
    ends, cut = everything()
    scored = [(log_probability(model, i, ids), len(ids) + 1, ids) for ids in ends]
    return scored + [(log_probability(model, i, ids, False), LONGEST, ids) for ids in cut]


def ranked(scored, power=0.0):
    """The best first: (score, ids)."""
    return sorted(((s / steps**power, ids) for s, steps, ids in scored), reverse=True)


def test_a_beam_as_wide_as_all_answers_finds_them_in_their_order(model):
    all_scores = [scores(model, i) for i in range(len(SOURCE))]
    for power in (0.0, 0.5, 1.0):
        found = beam(model, SOURCE, LENGTHS, LONGEST, width=200, power=power)
        _compare(found, [ranked(scored, power) for scored in all_scores], power)


def _compare(found, wanted, power):
    for answers, expected in zip(found, wanted, strict=True):
        assert [answer.ids for answer in answers] == [ids for _, ids in expected]
        scores = [answer.log_probability for answer in answers]
        lengths = [len(answer.ids) + answer.ended for answer in answers]
        normalised = [s / n**power for s, n in zip(scores, lengths, strict=True)]
        assert normalised == pytest.approx([score for score, _ in expected], abs=1e-4)


def beam_of_lists(model, i, width, power):
    """The same search for one source, hypothesis by hypothesis, by teacher forcing alone."""
    kept = [([], False, 0.0)]
    for _ in range(LONGEST):
        longer = [one for one in kept if one[1]]
        for ids, ended, _ in kept:
            if not ended:
                longer.append((ids, True, log_probability(model, i, ids)))
                for k in range(1, V):
                    longer.append(([*ids, k], False, log_probability(model, i, [*ids, k], False)))
        longer.sort(key=lambda one: one[2] / (len(one[0]) + one[1]) ** power, reverse=True)
        kept = longer[:width]
    return kept


@pytest.mark.parametrize("power", [0.0, 1.0])
@pytest.mark.parametrize("width", [1, 2, 3, 5])
def test_the_beam_is_that_of_a_list_of_hypotheses(model, width, power):
    found = beam(model, SOURCE, LENGTHS, LONGEST, width=width, power=power)
    for i, answers in enumerate(found):
        expected = beam_of_lists(model, i, width, power)
        assert [(a.ids, a.ended) for a in answers] == [one[:2] for one in expected]
        scores = [one[2] for one in expected]
        assert [a.log_probability for a in answers] == pytest.approx(scores, abs=1e-4)


def test_greedy_takes_the_likeliest_step_and_is_a_beam_of_one(model):
    answers = greedy(model, SOURCE, LENGTHS, LONGEST)
    assert answers == [one for (one,) in beam(model, SOURCE, LENGTHS, LONGEST, width=1)]
    for i, answer in enumerate(answers):
        steps = [*answer.ids, END] if answer.ended else answer.ids
        for t in range(len(steps)):
            rivals = [log_probability(model, i, [*steps[:t], k], False) for k in range(1, V)]
            rivals = [log_probability(model, i, steps[:t]), *rivals]
            assert rivals.index(max(rivals)) == steps[t]


def test_scores_are_those_of_teacher_forcing(model):
    answers = greedy(model, SOURCE, LENGTHS, LONGEST) + sample(model, SOURCE, LENGTHS, LONGEST)
    for i, answer in enumerate(answers):
        expected = log_probability(model, i % len(SOURCE), answer.ids, answer.ended)
        assert answer.log_probability == pytest.approx(expected, abs=1e-4)
        assert answer.ended == (len(answer.ids) < LONGEST) and END not in answer.ids


def test_samples_are_as_frequent_as_they_are_probable(model):
    n = 3000
    source, lengths = SOURCE[:1].expand(n, -1), LENGTHS[:1].expand(n)
    drawn = [answer.ids for answer in sample(model, source, lengths, LONGEST, seed=1)]
    for score, ids in ranked(scores(model, 0))[:5]:
        p = torch.tensor(score).exp().item()
        assert drawn.count(ids) / n == pytest.approx(p, abs=4 * (p * (1 - p) / n) ** 0.5)


def test_sampling_at_zero_is_greedy_and_the_seed_decides(model):
    cold = sample(model, SOURCE, LENGTHS, LONGEST, temperature=0)
    assert cold == greedy(model, SOURCE, LENGTHS, LONGEST)
    source, lengths = SOURCE.repeat(20, 1), LENGTHS.repeat(20)
    one, same, other = (sample(model, source, lengths, LONGEST, seed=s) for s in (5, 5, 6))
    assert one == same != other


def test_a_source_is_answered_as_if_it_were_alone(model):
    """Whatever padding and other hypotheses there are beside it."""
    together = beam(model, SOURCE, LENGTHS, LONGEST, width=3)
    for i, n in enumerate(LENGTHS):
        (alone,) = beam(model, SOURCE[i : i + 1, :n], LENGTHS[i : i + 1], LONGEST, width=3)
        assert [a.ids for a in alone] == [a.ids for a in together[i]]


def test_numbers_that_overflow_have_no_best_answer():
    model = deepcopy(make_model(0))
    with torch.no_grad():
        model.head.bias.fill_(torch.inf)
    with pytest.raises(BookError, match="its numbers overflow; train it again"):
        beam(model, SOURCE, LENGTHS, width=2)


def test_a_beam_has_a_width():
    with pytest.raises(ValueError, match="width of the beam is 0; it must be 1 or more"):
        beam(None, SOURCE, LENGTHS, width=0)
