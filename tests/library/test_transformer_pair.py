"""The transformer that reads one sequence and writes another: equal to PyTorch's layers.

What it has in common with the recurrent network is in `test_encoder_decoder`.
"""

import math

import pytest
import torch
from torch import nn
from torch.nn.functional import scaled_dot_product_attention

from rnnbook.data.words import encode_words
from rnnbook.decoding.search import beam, greedy
from rnnbook.layers.attention import MultiHeadAttention
from rnnbook.layers.rotary import RotaryMultiHeadAttention
from rnnbook.models.rotary_pair import RotaryPair
from rnnbook.models.transformer_pair import Read, Reader, TransformerPair, Writer, positions
from test_encoder_decoder import LETTERS, WORDS, batch, small

LAYER = dict(batch_first=True, norm_first=True, bias=False, dtype=torch.float64)


@pytest.fixture(autouse=True)
def _seed(one_thread):
    torch.manual_seed(0)


def copy(theirs, layer):
    """Give PyTorch's attention the weights of ours: of the queries, keys and values, and out."""
    given = torch.cat([layer.query.weight, layer.key.weight, layer.value.weight])
    theirs.in_proj_weight.data.copy_(given)
    theirs.out_proj.weight.data.copy_(layer.out.weight)


def copy_perceptron(theirs, perceptron):
    theirs.linear1.weight.data.copy_(perceptron[0].weight)
    theirs.linear2.weight.data.copy_(perceptron[2].weight)


def test_each_head_is_an_attention_of_pytorch():
    attention = MultiHeadAttention(6, heads=2).double()
    x, memory = torch.randn(2, 3, 6).double(), torch.randn(2, 5, 6).double()
    mask = torch.tensor([[True] * 5, [True, True, True, False, False]])
    seen, weights = attention(x, memory, mask)
    heads = [
        scaled_dot_product_attention(*parts, attn_mask=mask[:, None])
        for parts in zip(
            attention.query(x).split(3, dim=2),
            attention.key(memory).split(3, dim=2),
            attention.value(memory).split(3, dim=2),
            strict=True,
        )
    ]
    torch.testing.assert_close(seen, attention.out(torch.cat(heads, dim=2)))
    assert (weights[1, :, :, 3:] == 0).all()
    torch.testing.assert_close(weights.sum(3), torch.ones(2, 2, 3).double())


def test_a_layer_that_reads_is_that_of_pytorch():
    ours, theirs = (
        Reader(12, 3, 0.0).double(),
        nn.TransformerEncoderLayer(12, 3, 48, 0.0, "gelu", **LAYER),
    )
    copy(theirs.self_attn, ours.attention)
    copy_perceptron(theirs, ours.perceptron)
    x, mask = torch.randn(2, 5, 12).double(), torch.arange(5) < torch.tensor([[5], [3]])
    expected = theirs(x, src_key_padding_mask=~mask)
    torch.testing.assert_close(ours(x, mask)[mask], expected[mask])


def test_a_layer_that_writes_is_that_of_pytorch():
    ours, theirs = (
        Writer(12, 3, 0.0).double(),
        nn.TransformerDecoderLayer(12, 3, 48, 0.0, "gelu", **LAYER),
    )
    theirs.self_attn.in_proj_weight.data.copy_(ours.written.query_key_value.weight)
    theirs.self_attn.out_proj.weight.data.copy_(ours.written.out.weight)
    copy(theirs.multihead_attn, ours.read)
    copy_perceptron(theirs, ours.perceptron)
    x, states = torch.randn(2, 4, 12).double(), torch.randn(2, 5, 12).double()
    mask = torch.arange(5) < torch.tensor([[5], [3]])
    later = nn.Transformer.generate_square_subsequent_mask(4).double()
    expected = theirs(x, states, tgt_mask=later, memory_key_padding_mask=~mask)
    torch.testing.assert_close(ours(x, Read(states, mask))[0], expected)


def test_places_are_told_by_sines_and_cosines():
    found = positions(3, 4)
    by_hand = [[math.sin(t), math.cos(t), math.sin(t / 100), math.cos(t / 100)] for t in range(3)]
    torch.testing.assert_close(found, torch.tensor(by_hand, dtype=torch.float64))


@pytest.mark.parametrize("pair", [TransformerPair, RotaryPair])
def test_the_order_of_the_letters_counts(pair):
    """Without places an attention could not tell abc from cba."""
    model = small(pair)
    there, back = (model(*batch([word], ["ア"]).x) for word in ("abc", "cba"))
    assert (there - back).abs().max() > 1e-3


def test_heads_with_rotary_places_look_by_distance_alone():
    """Two queries and the letters, moved three places on: each weight moves with them."""
    torch.manual_seed(0)
    attention = RotaryMultiHeadAttention(8, heads=2).double()
    x, memory = torch.randn(1, 2, 8).double(), torch.randn(1, 5, 8).double()
    _, here = attention(x, memory, torch.ones(1, 5, dtype=torch.bool))
    front = torch.zeros(1, 3, 8).double()
    mask = torch.arange(8)[None] >= 3
    _, moved = attention(torch.cat([front, x], 1), torch.cat([front, memory], 1), mask)
    torch.testing.assert_close(moved[:, :, 3:, 3:], here)
    _, alone = attention(x, torch.cat([front, memory], 1), mask)
    assert (alone[..., 3:] - here).abs().max() > 1e-3


def test_rotary_places_are_turned_within_every_part_that_looks():
    torch.manual_seed(0)
    plain, rotary = small(TransformerPair), small(RotaryPair)
    numbers = [sum(p.numel() for p in model.parameters()) for model in (plain, rotary)]
    assert numbers[0] == numbers[1]
    looking = [m for m in rotary.modules() if "Attention" in type(m).__name__]
    assert len(looking) == 6 and all("Rotary" in type(m).__name__ for m in looking)


def test_every_head_of_every_layer_lies_on_the_letters():
    weights = small(TransformerPair).alignment(*batch().x)  # (B, layers, heads, T, S)
    assert weights.shape == (3, 2, 2, 6, 5)
    torch.testing.assert_close(weights.sum(4), torch.ones(3, 2, 2, 6).double())
    assert (weights[1, ..., 1:] == 0).all() and (weights[2, ..., 3:] == 0).all()


def test_a_beam_search_of_width_1_is_greedy():
    """The rows of its state are what has been written, and are put into another order."""
    model, (source, lengths, _) = small(TransformerPair), batch().x
    narrow, wide = (beam(model, source, lengths, 8, width=width) for width in (1, 4))
    assert [found[0].ids for found in narrow] == [a.ids for a in greedy(model, source, lengths, 8)]
    for i, word in enumerate(WORDS):
        (alone,) = beam(model, *encode_words([word], LETTERS), 8, width=4)
        assert [answer.ids for answer in alone] == [answer.ids for answer in wide[i]]
