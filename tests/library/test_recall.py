"""Letters and digits: the task, what is kept beside an LSTM, and the study of both."""

import math

import pytest
import torch
from torch.nn.functional import one_hot, scaled_dot_product_attention

from rnnbook.data.tasks import DIGITS, NUM_DIGITS, NUM_LETTERS, associative_recall
from rnnbook.data.words import IGNORED
from rnnbook.layers.keeping import KeepingLSTM, look_back, matrix_by_steps, matrix_state
from rnnbook.layers.rotary import RotaryAttention, turn
from rnnbook.models.transformer import RotaryTransformer
from rnnbook.records.record import Record
from rnnbook.studies import recall as study

pytestmark = pytest.mark.usefixtures("one_thread")


def test_associative_recall():
    x, y = associative_recall(200, 5, torch.Generator().manual_seed(0))
    assert x.shape == y.shape == (200, 15)
    for sequence, answers in zip(x.tolist(), y.tolist(), strict=True):
        digit_of = dict(zip(sequence[:10:2], sequence[1:10:2], strict=True))
        assert len(digit_of) == 5 and max(digit_of) < NUM_LETTERS
        assert all(DIGITS <= digit < DIGITS + NUM_DIGITS for digit in digit_of.values())
        assert sorted(sequence[10:]) == sorted(digit_of)
        assert answers == [IGNORED] * 10 + [digit_of[letter] for letter in sequence[10:]]
    assert len(x[:, 0].unique()) == NUM_LETTERS and len(x[:, 1].unique()) == NUM_DIGITS
    first = x[:, :10:2].argsort(dim=1)
    same = (first == x[:, 10:].argsort(dim=1)).all(dim=1)
    assert same.float().mean() < 0.05, "asked in another order, but for one in 120"


@pytest.mark.parametrize("pairs", [0, 27])
def test_recall_has_a_letter_for_each_pair(pairs):
    with pytest.raises(ValueError, match=f"{pairs} pairs: there must be 1 to 26"):
        associative_recall(1, pairs, torch.Generator())


@pytest.fixture
def vectors():
    torch.manual_seed(0)
    q, k = torch.randn(2, 3, 7, 4, dtype=torch.float64)
    return q, k, torch.randn(3, 7, 5, dtype=torch.float64)


def test_looking_back_is_attention(vectors):
    expected = scaled_dot_product_attention(*vectors, is_causal=True)
    torch.testing.assert_close(look_back(*vectors), expected)


def test_the_matrix_is_a_recurrence(vectors):
    found = matrix_state(*vectors)
    assert found.shape == (3, 7, 5)
    torch.testing.assert_close(matrix_by_steps(*vectors), found)


def test_the_matrix_gives_back_what_is_kept_under_orthogonal_keys():
    keys, values = torch.eye(4)[None], torch.arange(8.0).view(1, 4, 2)
    found = matrix_state(5 * keys.flip(1), 3 * keys, values)  # lengths do not count
    torch.testing.assert_close(found[0, 3], values[0, 0])  # the last query is the first key
    torch.testing.assert_close(found[0, 0], torch.zeros(2))  # nothing is kept there yet


@pytest.mark.parametrize("keep", [look_back, matrix_state])
def test_a_step_sees_what_was_before_it_and_no_more(keep):
    torch.manual_seed(0)
    layer, x = KeepingLSTM(3, 6, 4, keep), torch.randn(2, 5, 3, requires_grad=True)
    h, state = layer(x)
    assert h.shape == (2, 5, 6) and state is None
    h[:, 2].sum().backward()
    assert (x.grad[:, :3] != 0).all() and (x.grad[:, 3:] == 0).all()
    with torch.no_grad():
        h, _ = layer.lstm(x)
        found = keep(layer.query(h), layer.key(h), layer.value(h))
        torch.testing.assert_close(layer(x)[0], h + layer.out(found))


def test_turned_products_depend_on_the_distance_alone():
    torch.manual_seed(0)
    q, k = torch.randn(2, 3, 1, 8, dtype=torch.float64)  # the same at every step
    products = turn(q.expand(3, 9, 8)) @ turn(k.expand(3, 9, 8)).transpose(1, 2)
    torch.testing.assert_close(products[:, 1:, 1:], products[:, :-1, :-1], rtol=0, atol=1e-5)
    torch.testing.assert_close(products[:, 0, 0], (q @ k.transpose(1, 2))[:, 0, 0])
    assert (products[:, 8, 1:] - products[:, 8, :-1]).abs().min() > 1e-3


def test_the_first_pair_turns_by_a_radian_and_the_next_more_slowly():
    x = turn(torch.tensor([1.0, 0, 1, 0]).expand(3, 4))
    for t, (a, b, c, d) in enumerate(x.tolist()):
        slow = t * 10_000**-0.5
        expected = [math.cos(t), math.sin(t), math.cos(slow), math.sin(slow)]
        assert [a, b, c, d] == pytest.approx(expected, abs=1e-6)


def test_rotary_attention_turns_each_head_by_itself():
    torch.manual_seed(0)
    layer, x = RotaryAttention(8, heads=2), torch.randn(3, 6, 8)
    q, k, v = (
        part.unflatten(2, (2, 4)).transpose(1, 2) for part in layer.query_key_value(x).chunk(3, 2)
    )
    seen = scaled_dot_product_attention(turn(q), turn(k), v, is_causal=True)
    torch.testing.assert_close(layer(x)[0], layer.out(seen.transpose(1, 2).flatten(2)))


def test_a_rotary_transformer_reads_any_length_and_knows_the_order():
    torch.manual_seed(0)
    model = RotaryTransformer(7, 8, layers=1, heads=2).double()  # two know the order by the mask
    assert not any("position" in name for name, _ in model.named_parameters())
    ids = torch.randint(7, (2, 90))
    logits, state = model(ids)
    assert logits.shape == (2, 90, 7) and state is None
    torch.testing.assert_close(model(ids[:, :40])[0], logits[:, :40])  # nobody looks ahead
    swapped = ids[:, [1, 0, *range(2, 90)]]
    assert (model(swapped)[0][:, 5] - logits[:, 5]).abs().max() > 1e-10


class Answerer(torch.nn.Module):
    """Says the digit of each letter, or at all letters the first digit that was read."""

    def __init__(self, *, knows: bool):
        super().__init__()
        self.knows = knows

    def forward(self, x):
        n = x.shape[1] // 3
        places = (x[:, :, None] == x[:, None, : 2 * n : 2]).int().argmax(dim=2)  # (B, T)
        digits = x[:, 1 : 2 * n : 2].gather(1, places if self.knows else 0 * places)
        return one_hot(digits, study.SIGNS).float(), None


def test_the_study_counts_the_digits_that_are_asked_for():
    assert study.share_right(Answerer(knows=True), 8) == 1
    one_in_eight_and_luck = 1 / 8 + 7 / 8 / 10
    assert abs(study.share_right(Answerer(knows=False), 8) - one_in_eight_and_luck) < 0.02


def test_a_batch_of_the_study_has_as_many_pairs_as_its_step_draws():
    batches, counts = study.batches(seed=1), set()
    for step in range(60):
        x = batches.batch(step).x
        assert x.shape[0] == study.BATCH and x.shape[1] % 3 == 0
        counts.add(x.shape[1] // 3)
    assert min(counts) == 1 and max(counts) == study.MOST


def test_the_rates_are_those_that_did_best():
    record = Record.load("recall")

    def tried(network: str, lr: float) -> float:
        """The sum of the losses with a rate, of the seeds that choose."""
        runs = [record.find(network=network, lr=lr, seed=seed) for seed in study.TRIED[network]]
        return sum(run["loss"] for (run,) in runs)

    for network, rates in study.RATES.items():
        assert study.CHOSEN[network] == min(rates, key=lambda lr: tried(network, lr))
        assert min(rates) < study.CHOSEN[network] < max(rates)
        assert not {*study.TRIED[network]} & {*study.SEEDS}


def test_the_first_steps_of_a_run():
    found = study.run(study.settings("matrix, 32 × 4", 1e-3, seed=5), stop=2)
    assert len(found["trace"]) == 2 and abs(found["trace"][0] - 3.6) < 0.3  # ln 36
