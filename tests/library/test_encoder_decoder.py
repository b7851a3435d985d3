"""Reading one sequence and writing another: attention, padding, the loss, the batches."""

import math
from functools import partial

import pytest
import torch
from torch.nn.functional import scaled_dot_product_attention

from rnnbook.data.vocabulary import Vocabulary
from rnnbook.data.words import IGNORED, SIGNS, encode_words, teacher_forced
from rnnbook.layers.attention import AdditiveAttention, DotProductAttention
from rnnbook.models.encoder_decoder import END, START, EncoderDecoder
from rnnbook.models.rotary_pair import RotaryPair
from rnnbook.models.transformer_pair import TransformerPair
from rnnbook.training.batches import Batch, PairBatches
from rnnbook.training.loop import train
from rnnbook.training.objectives import answering
from rnnbook.training.settings import Settings

LETTERS, KANA = Vocabulary("abc", SIGNS), Vocabulary("アイウエ", SIGNS)
WORDS = ["abcab", "c", "bca"]
READINGS = ["アイウ", "エ", "イウアエア"]
ATTENTIONS = [None, DotProductAttention, AdditiveAttention]
MODELS = [*ATTENTIONS, TransformerPair, RotaryPair]


@pytest.fixture(autouse=True)
def _seed(one_thread):
    torch.manual_seed(0)


def small(kind, dropout=0.0, neighbours=False):
    """A model, recurrent with an attention or a transformer, in which every weight matters."""
    sizes = len(LETTERS), len(KANA)
    if kind in (TransformerPair, RotaryPair):
        return kind(*sizes, 8, 2, 2, dropout).double().eval()
    model = EncoderDecoder(*sizes, 4, 6, kind, dropout, neighbours).double()
    with torch.no_grad():
        for p in model.parameters():
            p.add_(0.5 * torch.randn_like(p))
        model.read_embedding.weight[0] = 0  # of padding, which never changes
    return model.eval()


def batch(words=WORDS, readings=READINGS):
    previous, y = teacher_forced(*encode_words(readings, KANA))
    return Batch((*encode_words(words, LETTERS), previous), y, continues=False)


# ------------------------------------------------------------------ words


def test_words_become_rows_behind_which_there_are_zeros():
    ids, lengths = encode_words(WORDS, LETTERS)
    assert ids.tolist() == [[1, 2, 3, 1, 2], [3, 0, 0, 0, 0], [2, 3, 1, 0, 0]]
    assert lengths.tolist() == [5, 1, 3]
    assert [LETTERS.decode(row) for row in ids] == WORDS


def test_the_decoder_is_given_what_it_has_just_answered():
    previous, y = teacher_forced(*encode_words(["アイ", "エ"], KANA))
    assert previous.tolist() == [[START, 1, 2], [START, 4, 0]]
    assert y.tolist() == [[1, 2, END], [4, END, IGNORED]]


@pytest.mark.parametrize(
    ("words", "message"),
    [(["ab", ""], "word 2 of 2 is empty"), (["ab", "aöb"], "does not know 'ö'; it knows 3 ch")],
)
def test_a_word_that_cannot_be_read_is_named(words, message):
    with pytest.raises(ValueError, match=message):
        encode_words(words, LETTERS)


# ------------------------------------------------------------------ attention


def test_dot_product_attention_is_that_of_pytorch():
    attention = DotProductAttention(4, 6).double()
    queries, memory = torch.randn(2, 3, 4).double(), torch.randn(2, 5, 6).double()
    mask = torch.tensor([[True] * 5, [True, True, False, True, False]])
    seen, weights = attention(queries, attention.keys(memory), memory, mask)
    expected = scaled_dot_product_attention(
        attention.query(queries), memory, memory, attn_mask=mask[:, None]
    )
    torch.testing.assert_close(seen, expected)
    torch.testing.assert_close(weights @ memory, expected)


def test_additive_attention_is_its_equation():
    attention = AdditiveAttention(4, 6).double()
    queries, memory = torch.randn(1, 3, 4).double(), torch.randn(1, 5, 6).double()
    mask = torch.ones(1, 5, dtype=torch.bool)
    _, weights = attention(queries, attention.keys(memory), memory, mask)
    W, U, b, v = (p.detach() for p in attention.parameters())
    for t in range(3):
        scores = [v[0] @ torch.tanh(W @ queries[0, t] + U @ k + b) for k in memory[0]]
        torch.testing.assert_close(weights[0, t].detach(), torch.stack(scores).softmax(0))


@pytest.mark.parametrize("kind", [DotProductAttention, AdditiveAttention])
def test_nothing_looks_at_padding(kind):
    attention = kind(4, 6)
    queries, memory = torch.randn(1, 3, 4), torch.randn(1, 5, 6)
    mask = torch.tensor([[True, True, True, False, False]])
    seen, weights = attention(queries, attention.keys(memory), memory, mask)
    assert (weights[:, :, 3:] == 0).all() and (weights[:, :, :3] > 0).all()
    torch.testing.assert_close(weights.sum(2), torch.ones(1, 3))
    short = memory[:, :3]
    alone, _ = attention(queries, attention.keys(short), short, mask[:, :3])
    torch.testing.assert_close(seen, alone)


# ------------------------------------------------------------------ the model


@pytest.mark.parametrize(
    ("kind", "neighbours"),
    [*((kind, False) for kind in MODELS), *((kind, True) for kind in ATTENTIONS)],
)
def test_a_batch_is_what_each_pair_is_alone(kind, neighbours):
    """Neither the padding of the source nor that of the answer changes anything."""
    model = small(kind, neighbours=neighbours)
    logits = model(*batch().x)
    for i, (word, reading) in enumerate(zip(WORDS, READINGS, strict=True)):
        alone = model(*batch([word], [reading]).x)[0]
        torch.testing.assert_close(logits[i, : len(reading) + 1], alone)


@pytest.mark.parametrize("kind", MODELS)
def test_teacher_forcing_is_the_steps_in_a_row(kind):
    model = small(kind)
    source, lengths, previous = batch().x
    memory = model.encode(source, lengths)
    state, rows = model.start(memory), []
    for t in range(previous.shape[1]):
        logits, state = model.step(previous[:, t], state, memory)
        rows.append(logits)
    torch.testing.assert_close(torch.stack(rows, dim=1), model(source, lengths, previous))


def test_the_encoder_reads_in_both_directions_and_ends_at_the_end_of_each_word():
    model = small(None)
    memory = model.encode(*encode_words(WORDS, LETTERS))
    h, _ = model.start(memory)
    for i, n in enumerate(map(len, WORDS)):
        forwards, backwards = memory.states[i, n - 1, :3], memory.states[i, 0, 3:]
        torch.testing.assert_close(h[i], torch.cat([forwards, backwards]))
        assert (memory.states[i, n:] == 0).all()
    changed = model.encode(*encode_words(["abcac", "c", "bca"], LETTERS))
    assert (memory.states[0, 0, 3:] != changed.states[0, 0, 3:]).all()  # the first letter's


def test_without_attention_only_the_last_state_of_the_encoder_counts():
    model = small(None)
    source, lengths, previous = batch().x
    memory = model.encode(source, lengths)
    blank = memory._replace(states=torch.zeros_like(memory.states))
    state = model.start(memory)
    torch.testing.assert_close(*(model.decode(previous, state, m)[0] for m in (memory, blank)))


def test_a_letter_is_read_with_its_neighbours():
    """Those of "b" in "abc", by hand; beyond the ends of a word there is nothing."""
    model, read = small(None, neighbours=True), []
    model.encoder.register_forward_pre_hook(lambda _, given: read.append(given[0]))
    model.encode(*encode_words(["abc"], LETTERS))
    a, b, c = model.read_embedding.weight[1:]
    before, own, after = model.neighbours.weight.unbind(dim=2)  # (D, D) each
    first = a + torch.relu(own @ a + after @ b + model.neighbours.bias)
    second = b + torch.relu(before @ a + own @ b + after @ c + model.neighbours.bias)
    torch.testing.assert_close(read[0][0, :2], torch.stack([first, second]))


def test_the_embedding_of_padding_stays_zero():
    model = EncoderDecoder(len(LETTERS), len(KANA), 4, 6, neighbours=True)
    answering(model, batch())[0].backward()
    gradient = model.read_embedding.weight.grad
    assert (model.read_embedding.weight[0] == 0).all() and (gradient[0] == 0).all()
    assert (gradient[1:] != 0).any(dim=1).all()


@pytest.mark.parametrize("attention", ATTENTIONS[1:])
def test_the_alignment_of_an_answer_lies_on_its_letters(attention):
    source, lengths, previous = batch().x
    weights = small(attention).alignment(source, lengths, previous)  # (B, T, S)
    assert weights.shape == (3, 6, 5)
    torch.testing.assert_close(weights.sum(2), torch.ones(3, 6).double())
    assert (weights[1, :, 1:] == 0).all() and (weights[2, :, 3:] == 0).all()


def test_a_model_without_attention_has_no_alignment():
    with pytest.raises(ValueError, match="looks nowhere"):
        small(None).alignment(*batch().x)


@pytest.mark.parametrize("kind", [AdditiveAttention, TransformerPair])
def test_dropout_acts_while_training_only(kind):
    model = small(kind, dropout=0.5)
    assert torch.equal(model(*batch().x), model(*batch().x))
    model.train()
    assert not torch.equal(model(*batch().x), model(*batch().x))


# ------------------------------------------------------------------ the loss


def test_the_loss_is_the_sum_by_hand_over_real_characters():
    model, whole = small(DotProductAttention), batch()
    logs = model(*whole.x).log_softmax(dim=2)
    total = 0.0
    for i, reading in enumerate(READINGS):
        for t, answer in enumerate([*KANA.encode(reading), END]):
            total -= logs[i, t, answer].item()
    assert answering(model, whole)[0].item() == pytest.approx(total / 3, rel=1e-5)


def test_a_smoothed_loss_by_hand():
    """A tenth of each target is spread over all characters."""
    model, whole = small(DotProductAttention), batch()
    logs = model(*whole.x).log_softmax(dim=2)
    total = 0.0
    for i, reading in enumerate(READINGS):
        for t, answer in enumerate([*KANA.encode(reading), END]):
            total -= 0.9 * logs[i, t, answer].item() + 0.1 * logs[i, t].mean().item()
    loss, state = answering(model, whole, label_smoothing=0.1)
    assert loss.item() == pytest.approx(total / 3, rel=1e-5) and state is None


def test_more_padding_changes_neither_the_loss_nor_its_gradient():
    model, whole = small(AdditiveAttention), batch()
    source, lengths, previous = whole.x
    wider = (
        torch.nn.functional.pad(source, (0, 2)),
        lengths,
        torch.nn.functional.pad(previous, (0, 3)),
    )
    padded = Batch(wider, torch.nn.functional.pad(whole.y, (0, 3), value=IGNORED), False)
    losses, gradients = [], []
    for one in (whole, padded):
        model.zero_grad()
        loss, _ = answering(model, one)
        loss.backward()
        losses.append(loss)
        gradients.append([p.grad.clone() for p in model.parameters()])
    torch.testing.assert_close(*losses)
    torch.testing.assert_close(*gradients)


# ------------------------------------------------------------------ batches


def some_pairs(n):
    """n words, of which each has a number of its own, and readings of them."""
    generator = torch.Generator().manual_seed(1)
    sizes = torch.randint(3, 8, (n, 2), generator=generator).tolist()
    words = [
        "".join("abc"[k // 3**j % 3] for j in range(7))[: max(5, s)]
        for k, (s, _) in enumerate(sizes)
    ]
    return words, ["アイウエ"[k % 4] * t for k, (_, t) in enumerate(sizes)]


def pair_batches(n=50, size=8, seed=0):
    words, readings = some_pairs(n)
    data = *encode_words(words, LETTERS), *encode_words(readings, KANA)
    return PairBatches(*data, size, seed), list(zip(words, readings, strict=True))


def pairs_of(one):
    """The pairs in a batch, as text."""
    source, lengths, previous = one.x
    for row, n, before, y in zip(source, lengths, previous, one.y, strict=True):
        reading = KANA.decode(y[y != IGNORED])
        assert y[y != IGNORED][-1] == END and KANA.decode(before) == reading
        assert before[0] == START and (row[n:] == 0).all() and (row[:n] > 0).all()
        yield LETTERS.decode(row), reading


def test_an_epoch_has_each_pair_once_but_for_a_remainder():
    batches, pairs = pair_batches()
    for epoch in range(2):
        seen = [p for i in range(len(batches)) for p in pairs_of(batches.batch(epoch * 6 + i))]
        assert len(batches) == 6 and len(seen) == 48
        assert all(seen.count(pair) <= pairs.count(pair) for pair in seen)


def test_a_batch_is_a_function_of_the_step_and_the_seed():
    first, second, other = (pair_batches(seed=seed)[0] for seed in (3, 3, 4))
    same = [torch.equal(first.batch(k).y, second.batch(k).y) for k in range(14)]
    assert all(same) and torch.equal(pair_batches(seed=3)[0].batch(13).y, first.batch(13).y)
    assert [list(pairs_of(first.batch(k))) for k in range(6)] != [
        list(pairs_of(other.batch(k))) for k in range(6)
    ]
    epochs = [
        sorted(map(str, map(list, map(pairs_of, map(first.batch, k)))))
        for k in (range(6), range(6, 12))
    ]
    assert epochs[0] != epochs[1]  # others meet


def test_batches_are_of_similar_length_and_no_wider_than_they_need_be():
    batches, _ = pair_batches(n=400, size=40)
    sizes = []
    for one in map(batches.batch, range(len(batches))):
        words, readings = zip(*pairs_of(one), strict=True)
        lengths = list(map(len, words))
        assert one.x[0].shape[1] == max(lengths) and one.y.shape[1] == max(map(len, readings)) + 1
        assert max(lengths) - min(lengths) <= 1
        sizes.append(max(lengths))
    assert sizes != sorted(sizes)  # and do not come in the order of their length


def test_too_few_pairs_are_refused():
    with pytest.raises(ValueError, match="7 sequences do not fill a batch of 8"):
        pair_batches(n=7)


@pytest.mark.parametrize(
    "network",
    [
        partial(EncoderDecoder, embedding_size=16, hidden_size=32, attention=DotProductAttention),
        partial(TransformerPair, width=32, layers=1, heads=2),
    ],
    ids=["recurrent", "transformer"],
)
def test_it_learns_to_write_a_word_backwards(network):
    """The answer ends where the word begins: attention has to go from the right to the left."""
    generator = torch.Generator().manual_seed(2)
    words = [
        "".join("abc"[k] for k in torch.randint(3, (5,), generator=generator)) for _ in range(200)
    ]
    to_kana = dict(zip("abc", "アイウ", strict=True))
    readings = ["".join(to_kana[letter] for letter in reversed(word)) for word in words]
    data = *encode_words(words, LETTERS), *encode_words(readings, KANA)
    model = network(len(LETTERS), len(KANA))
    settings = Settings(steps=120, lr=1e-2, objective=answering)
    losses = train(model, PairBatches(*data, 40), settings).losses
    assert losses[0] == pytest.approx(6 * math.log(5), rel=0.1) and losses[-1] < 0.1
