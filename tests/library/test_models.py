"""The rivals of the LSTM: equal to PyTorch's parts, and neither looks ahead."""

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy, scaled_dot_product_attention

from rnnbook.layers.attention import CausalAttention
from rnnbook.layers.min_gru import ConvolvedMinGRU
from rnnbook.layers.recurrent import LSTM
from rnnbook.metrics.evaluation import carried_loss, overlapping_loss
from rnnbook.models.block import Block
from rnnbook.models.deep_min_gru import DeepMinGRU
from rnnbook.models.recurrent import CharacterModel
from rnnbook.models.transformer import Transformer
from rnnbook.records.record import Record
from rnnbook.studies import digit_recipes, digits, shakespeare

V = 7


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def small(kind):
    """A small model with weights large enough that everything matters."""
    model = Transformer(V, 8, 2, 2, window=16) if kind == "transformer" else DeepMinGRU(V, 8, 2)
    with torch.no_grad():
        for p in model.parameters():
            p.add_(0.3 * torch.randn_like(p))
    return model.eval()


def test_attention_is_that_of_pytorch():
    attention = CausalAttention(12, heads=3).double()
    x = torch.randn(2, 5, 12, dtype=torch.float64)
    q, k, v = attention.query_key_value(x).view(2, 5, 3, 3, 4).permute(2, 0, 3, 1, 4)
    expected = scaled_dot_product_attention(q, k, v, is_causal=True)  # (2, heads, 5, 4)
    expected = attention.out(expected.transpose(1, 2).reshape(2, 5, 12))
    torch.testing.assert_close(attention(x)[0], expected)


def test_a_block_is_a_layer_of_pytorchs_encoder():
    torch.set_default_dtype(torch.float64)
    try:
        ours = Block(CausalAttention(12, heads=3), 12)
        layer = nn.TransformerEncoderLayer(
            12, 3, 48, 0.0, "gelu", batch_first=True, norm_first=True, bias=False
        )
        x = torch.randn(2, 5, 12)
    finally:
        torch.set_default_dtype(torch.float32)
    with torch.no_grad():
        layer.self_attn.in_proj_weight.copy_(ours.mixer.query_key_value.weight)
        layer.self_attn.out_proj.weight.copy_(ours.mixer.out.weight)
        for own, theirs in ((ours.norm_1, layer.norm1), (ours.norm_2, layer.norm2)):
            own.weight.copy_(torch.rand(12) + 0.5)
            theirs.weight.copy_(own.weight)
        layer.linear1.weight.copy_(ours.perceptron[0].weight)
        layer.linear2.weight.copy_(ours.perceptron[2].weight)
    mask = nn.Transformer.generate_square_subsequent_mask(5).double()
    torch.testing.assert_close(ours(x)[0], layer(x, src_mask=mask, is_causal=True))


@pytest.mark.parametrize("kind", ["transformer", "minGRU stack"])
def test_a_later_character_changes_no_earlier_logit(kind):
    model, ids = small(kind), torch.randint(V, (2, 10))
    changed = ids.clone()
    changed[:, 6] = (ids[:, 6] + 1) % V
    before, after = model(ids)[0], model(changed)[0]
    assert torch.equal(before[:, :6], after[:, :6])
    assert ((before - after)[:, 6:].abs().amax(dim=2) > 1e-6).all()  # and all later ones


def test_the_transformer_has_the_size_of_nanogpt_and_starts_near_the_uniform_model():
    model = Transformer(65)
    layers = 4 * (12 * 128**2 + 2 * 128) + 128
    assert sum(p.numel() for p in model.parameters()) == layers + (65 + 64) * 128
    ids = torch.randint(65, (8, 65))
    loss = cross_entropy(model(ids[:, :64])[0].flatten(0, 1), ids[:, 1:].flatten())
    assert loss.item() == pytest.approx(torch.tensor(65.0).log().item(), abs=0.1)


def test_the_transformer_refuses_more_than_its_window():
    with pytest.raises(ValueError, match="17 characters are more than the window of 16"):
        small("transformer")(torch.zeros(1, 17, dtype=torch.long))


def test_the_stack_goes_on_where_it_stopped():
    model, ids = small("minGRU stack"), torch.randint(V, (2, 10))
    whole, _ = model(ids)
    first, state = model(ids[:, :1])  # fewer than the three inputs that it keeps
    second, state = model(ids[:, 1:4], state)
    third, _ = model(ids[:, 4:], state)
    torch.testing.assert_close(torch.cat([first, second, third], dim=1), whole)


def test_the_convolution_is_that_of_pytorch():
    mixer, x = ConvolvedMinGRU(6), torch.randn(2, 9, 6)
    convolution = nn.Conv1d(6, 6, 4, padding=3, groups=6, bias=False)
    with torch.no_grad():
        convolution.weight.copy_(mixer.weights.T[:, None])
    mixed = convolution(x.transpose(1, 2))[:, :, :9].transpose(1, 2)
    torch.testing.assert_close(mixer(x)[0], mixer.layer(mixed)[0])


def test_the_loss_in_overlapping_windows_is_that_of_each_character_alone():
    model, ids = small("transformer"), torch.randint(V, (30,))
    total, count = 0.0, 0
    for k in range(1, 27):  # 8 + 3 · 6 = 26 predictions
        start = 0 if k <= 8 else 3 * ((k - 8 + 2) // 3)
        logits, _ = model(ids[None, start:k])
        total += cross_entropy(logits[0, -1], ids[k]).item()
        count += 1
    assert overlapping_loss(model, ids[:27], 8, 3) == pytest.approx(total / count, rel=1e-5)


def test_one_window_over_all_is_the_carried_loss():
    model, ids = CharacterModel(LSTM(3, 5), V), torch.randint(V, (41,))
    assert overlapping_loss(model, ids, 40, 8) == pytest.approx(carried_loss(model, ids), rel=1e-5)


def test_the_league_uses_the_rates_that_the_search_found():
    runs = Record.load("search").runs.values()
    best = {}
    for run in sorted(runs, key=lambda run: -run["held_out"]):
        best[run["settings"]["network"]] = run["settings"]["lr"]
    assert best == shakespeare.RATES


def test_the_digits_use_the_recipe_that_did_best_in_the_time():
    runs = Record.load("digit_recipes").runs.values()
    scores, seconds = {}, {}
    for run in runs:
        recipe = run["settings"]["recipe"]
        scores.setdefault(recipe, []).append(run["held_out"])
        seconds.setdefault(recipe, []).append(run["training_seconds"])
    in_time = [name for name in scores if max(seconds[name]) * 60_000 / 55_000 <= 90]
    assert max(in_time, key=lambda recipe: sum(scores[recipe])) == digits.RECIPE


def test_a_shifted_image_keeps_its_ink():
    images = torch.zeros(50, 28, 28)
    images[:, 10, 20] = 1.0
    moved = digit_recipes.shift(images, 1, torch.Generator().manual_seed(0))
    places = {tuple(place) for place in moved.nonzero()[:, 1:].tolist()}
    assert moved.sum() == 50
    assert places == {(r, c) for r in (9, 10, 11) for c in (19, 20, 21)}
    still = digit_recipes.shift(images, 0, torch.Generator().manual_seed(0))
    assert torch.equal(still, images)
