"""Connectionist temporal classification: the loss, the search, and the networks that use them."""

import math
from itertools import product

import pytest
import torch
from torch import nn
from torch.nn.functional import ctc_loss
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from rnnbook.data.speech import Recording
from rnnbook.decoding.ctc import best_path, collapse, prefix_beam, transcribe
from rnnbook.layers.bidirectional import Bidirectional, reverse_padded
from rnnbook.metrics.time_warping import warped_distances
from rnnbook.models.ctc import log_probability
from rnnbook.models.speech import FrameReader
from rnnbook.training.batches import Batch
from rnnbook.training.objectives import transcription

pytestmark = pytest.mark.usefixtures("one_thread")

TEXTS = [[], [1], [1, 2], [1, 1], [2, 1, 2], [1, 1, 1], [2, 2, 1]]


def log_probabilities(T: int, V: int = 3, seed: int = 0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(T, V, dtype=torch.float64, generator=generator).mul(2).log_softmax(dim=1)


def counted(log_p, text: list[int]) -> float:
    """The probability of a text: the sum over all alignments that say it."""
    T, V = log_p.shape
    return sum(
        math.exp(sum(log_p[t, sign].item() for t, sign in enumerate(path)))
        for path in product(range(V), repeat=T)
        if collapse(path) == text
    )


# ------------------------------------------------------------------ the loss


def test_an_alignment_is_read_by_its_runs():
    assert collapse([0, 1, 1, 0, 1, 2, 2, 0]) == [1, 1, 2]
    assert collapse([]) == collapse([0, 0]) == []


@pytest.mark.parametrize("T", [1, 2, 5, 6])
@pytest.mark.parametrize("text", TEXTS, ids=str)
def test_the_table_is_the_sum_over_all_alignments(text, T):
    log_p = log_probabilities(T)
    assert log_probability(log_p, text).exp().item() == pytest.approx(counted(log_p, text))


@pytest.mark.parametrize("text", [[1], [5, 1, 1, 2], [3] * 6, list(range(1, 11))], ids=str)
def test_the_table_is_the_loss_of_pytorch(text):
    log_p = log_probabilities(40, 11)
    expected = ctc_loss(
        log_p[:, None],
        torch.tensor([text]),
        torch.tensor([40]),
        torch.tensor([len(text)]),
        reduction="none",
    )
    assert -log_probability(log_p, text).item() == pytest.approx(expected.item(), rel=1e-12)


def test_the_objective_is_the_mean_over_the_sequences_of_a_batch():
    torch.manual_seed(0)
    model = FrameReader(3, 8, 5, noise=0.0).double()
    frames, lengths = torch.randn(2, 9, 3, dtype=torch.float64), torch.tensor([9, 6])
    texts = [[1, 4, 4], [2]]
    signs = torch.tensor([[1, 4, 4], [2, 0, 0]])
    batch = Batch((frames, lengths), (signs, torch.tensor([3, 1])), continues=False)
    loss, state = transcription(model, batch)
    log_p = model(frames, lengths).float().log_softmax(dim=2)
    by_hand = [-log_probability(log_p[b, :T], texts[b]) for b, T in enumerate(lengths)]
    assert loss.item() == pytest.approx(sum(by_hand).item() / 2, rel=1e-5) and state is None


# ------------------------------------------------------------------ the search


@pytest.mark.parametrize("T", [1, 4, 6])
def test_a_beam_that_is_wide_enough_finds_every_text_with_its_probability(T):
    log_p = log_probabilities(T)
    found = prefix_beam(log_p, width=10_000)
    assert sum(math.exp(one.log_probability) for one in found) == pytest.approx(1)
    for one in found[:40]:
        expected = log_probability(log_p, one.text).item()
        assert one.log_probability == pytest.approx(expected, rel=1e-9)
    order = [one.log_probability for one in found]
    assert order == sorted(order, reverse=True)


def test_the_likeliest_text_is_not_that_of_the_best_path():
    log_p = torch.tensor([[0.6, 0.4], [0.6, 0.4]]).log()
    assert best_path(log_p[None], torch.tensor([2])) == [[]]
    first = prefix_beam(log_p)[0]
    assert first.text == [1] and math.exp(first.log_probability) == pytest.approx(0.64)


def test_a_prior_is_added_once_for_each_sign():
    log_p, prior = log_probabilities(5), log_probabilities(3, 3, seed=1)
    found = {tuple(one.text): one.log_probability for one in prefix_beam(log_p, 10_000, prior)}
    for text in ((), (2,), (1, 2), (1, 1), (2, 1, 2)):
        given = sum(prior[a, b].item() for a, b in zip((0, *text), text, strict=False))
        expected = log_probability(log_p, list(text)).item() + given
        assert found[text] == pytest.approx(expected, rel=1e-9)


def test_a_narrow_beam_keeps_so_many():
    assert len(prefix_beam(log_probabilities(6), width=3)) == 3


# ------------------------------------------------------------------ the networks


def test_a_sequence_is_turned_within_its_length():
    x = torch.arange(1.0, 9).view(2, 4, 1)
    there = reverse_padded(x, torch.tensor([4, 2]))
    assert there[:, :, 0].tolist() == [[4, 3, 2, 1], [6, 5, 7, 8]]
    assert torch.equal(reverse_padded(there, torch.tensor([4, 2])), x)


def test_two_directions_do_not_share_an_odd_number_of_units():
    with pytest.raises(ValueError, match="cannot share 5 units"):
        Bidirectional(lambda D, H: nn.LSTM(D, H, batch_first=True), 3, 5)


def test_two_layers_side_by_side_are_pytorchs_layer_in_both_directions():
    torch.manual_seed(0)
    theirs = nn.LSTM(3, 5, batch_first=True, bidirectional=True).double()
    ours = Bidirectional(lambda D, H: nn.LSTM(D, H, batch_first=True), 3, 10).double()
    with torch.no_grad():
        for own, ending in ((ours.forwards, ""), (ours.backwards, "_reverse")):
            for name, weight in own.named_parameters():
                weight.copy_(getattr(theirs, name + ending))
    x, lengths = torch.randn(3, 7, 3, dtype=torch.float64), torch.tensor([7, 4, 1])
    packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    expected, _ = pad_packed_sequence(theirs(packed)[0], batch_first=True)
    found = ours(x, lengths)
    for b, T in enumerate(lengths):
        torch.testing.assert_close(found[b, :T], expected[b, :T])


@pytest.mark.parametrize("both_ways", [False, True])
def test_what_a_network_hears_does_not_depend_on_the_padding(both_ways):
    torch.manual_seed(0)
    model = FrameReader(3, 8, 5, 2, both_ways, dropout=0.5, noise=1.0).double().eval()
    x, lengths = torch.randn(2, 9, 3, dtype=torch.float64), torch.tensor([9, 5])
    together = model(x, lengths)
    alone = model(x[1:, :5], lengths[1:])
    torch.testing.assert_close(together[1, :5], alone[0])


@pytest.mark.parametrize("both_ways", [False, True])
def test_only_in_one_direction_an_answer_is_there_before_the_end(both_ways):
    torch.manual_seed(0)
    model = FrameReader(3, 8, 5, 2, both_ways).double().eval()
    x, lengths = torch.randn(1, 9, 3, dtype=torch.float64), torch.tensor([9])
    changed = x.clone()
    changed[0, 6] += 1
    difference = (model(x, lengths) - model(changed, lengths)).abs().amax(dim=2)[0]
    assert (difference[:6] == 0).all().item() is not both_ways
    assert difference[6] > 0


@pytest.mark.parametrize("only", [{"noise": 1.0}, {"dropout": 0.5}], ids=["noise", "dropout"])
def test_noise_and_dropout_are_for_the_training(only):
    torch.manual_seed(0)
    model = FrameReader(3, 8, 5, **only)
    x, lengths = torch.randn(1, 4, 3), torch.tensor([4])
    assert not torch.equal(model(x, lengths), model(x, lengths))
    model.eval()
    assert torch.equal(model(x, lengths), model(x, lengths))


def test_a_network_writes_the_same_for_a_string_alone_and_among_others():
    torch.manual_seed(0)
    model = FrameReader(13, 8, 11)
    with torch.no_grad():
        model.head.weight.mul_(20)
    strings = [[Recording(torch.randn(T, 13), 0)] for T in (3, 12, 7)] * 40
    together = transcribe(model, strings)
    assert together == [transcribe(model, [string])[0] for string in strings]
    assert any(together) and not model.training


# ------------------------------------------------------------------ time warping


def slowly(one, other) -> float:
    """The least sum of distances over all walks, by the definition."""
    cost, least = torch.cdist(one, other), {}
    for t in range(len(one)):
        for s in range(len(other)):
            before = [least[at] for at in ((t - 1, s), (t, s - 1), (t - 1, s - 1)) if at in least]
            least[t, s] = cost[t, s].item() + (min(before) if before else 0)
    return least[len(one) - 1, len(other) - 1]


def test_the_warped_distance_is_the_least_over_all_walks():
    generator = torch.Generator().manual_seed(0)
    one = torch.randn(6, 3, generator=generator)
    many = torch.randn(5, 8, 3, generator=generator)
    lengths = torch.tensor([8, 1, 5, 7, 2])
    expected = [slowly(one, many[n, :S]) / (6 + S) for n, S in enumerate(lengths.tolist())]
    torch.testing.assert_close(warped_distances(one, many, lengths), torch.tensor(expected))


def test_who_speaks_more_slowly_is_not_far():
    one = torch.randn(5, 3)
    slow = one.repeat_interleave(2, dim=0)
    assert warped_distances(one, slow[None], torch.tensor([10])).item() < 1e-3
