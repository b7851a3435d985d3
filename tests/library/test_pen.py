"""The pen: mixtures of Gaussians, what a movement costs, and letting it write."""

import math
from dataclasses import replace

import pytest
import torch
from torch.distributions import Categorical, MixtureSameFamily, MultivariateNormal
from torch.nn.functional import cross_entropy

from rnnbook.data.kanji import load_kanji
from rnnbook.data.kanji_strokes import DRAW, END, LIFT, encode_drawings, known_before, movements
from rnnbook.decoding.kanji import MOST, draw_kanji
from rnnbook.layers.mixture import STRAIGHTEST, Mixture, draw_point, log_density, mixture_of
from rnnbook.metrics.kanji import costs, mean_nats_per_point, nats_per_point
from rnnbook.models.kanji import Pen
from rnnbook.training.objectives import mixture_density, movement_losses
from rnnbook.training.recipes.kanji import DrawingBatches, kanji, with_slips

TWO = (((54.5, 39.5), (69.5, 39.5)), ((54.5, 54.5), (54.5, 84.5), (69.5, 84.5)))
BENT = (((10.0, 10.0), (90.0, 15.0), (80.0, 95.0)),)


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


def some_mixture(*shape, M=3) -> Mixture:
    return mixture_of(torch.randn(*shape, 6 * M, dtype=torch.float64))


def by_torch(mixture: Mixture) -> MixtureSameFamily:
    spread, slant = mixture.log_spread.exp(), mixture.correlation
    covariance = torch.diag_embed(spread**2)
    covariance[..., 0, 1] = covariance[..., 1, 0] = slant * spread.prod(dim=-1)
    return MixtureSameFamily(
        Categorical(logits=mixture.log_weight), MultivariateNormal(mixture.mean, covariance)
    )


# ------------------------------------------------------------------ the mixture


def test_the_density_is_that_of_torch():
    mixture, points = some_mixture(4, 5), torch.randn(4, 5, 2, dtype=torch.float64)
    assert torch.allclose(log_density(mixture, points), by_torch(mixture).log_prob(points))


def test_the_density_adds_up_to_one():
    mixture = some_mixture()
    line = torch.linspace(-40, 40, 801, dtype=torch.float64)
    grid = torch.stack(torch.meshgrid(line, line, indexing="ij"), dim=-1)
    density = log_density(mixture, grid).exp()
    assert (density.sum() * (line[1] - line[0]) ** 2).item() == pytest.approx(1, abs=1e-6)


def test_whatever_the_network_puts_out_is_a_mixture():
    for numbers in (torch.full((12,), 1e4), torch.full((12,), -1e4), torch.zeros(12)):
        mixture = mixture_of(numbers)
        assert mixture.log_weight.exp().sum().item() == pytest.approx(1)
        assert mixture.correlation.abs().max() <= STRAIGHTEST
        assert log_density(mixture, torch.zeros(2)).isfinite()


def test_the_numbers_of_the_network_are_those_of_the_mixture():
    numbers = torch.arange(12.0) / 10
    mixture = mixture_of(numbers)
    assert torch.allclose(mixture.log_weight.exp(), torch.tensor([0.0, 0.1]).softmax(0))
    assert torch.allclose(mixture.mean, torch.tensor([[0.2, 0.4], [0.3, 0.5]]))
    assert torch.allclose(mixture.log_spread, torch.tensor([[0.6, 0.8], [0.7, 0.9]]))
    assert torch.allclose(mixture.correlation, 0.99 * torch.tensor([1.0, 1.1]).tanh())


@pytest.mark.parametrize("temperature", [1.0, 0.25])
def test_points_are_drawn_from_the_mixture(temperature):
    """Mean and covariance of 100,000 points, against those of the mixture at that temperature."""
    mixture = some_mixture()
    many = Mixture(*(part.expand(100_000, *part.shape) for part in mixture))
    points = draw_point(many, temperature, torch.Generator().manual_seed(0))
    weight = (mixture.log_weight / temperature).softmax(dim=0)
    law = by_torch(mixture).component_distribution
    mean = weight @ law.mean
    apart = law.mean - mean
    inner = temperature * law.covariance_matrix + apart[:, :, None] * apart[:, None]
    covariance = (weight[:, None, None] * inner).sum(dim=0)
    assert torch.allclose(points.mean(dim=0), mean, atol=0.03)
    assert torch.allclose(points.T.cov(), covariance, atol=0.08)


def test_a_cold_pen_goes_to_the_likeliest_gaussian():
    mixture = some_mixture(50)
    points = draw_point(mixture, 1e-10, torch.Generator().manual_seed(0))
    best = mixture.log_weight.argmax(dim=1)
    assert torch.allclose(points, mixture.mean[torch.arange(50), best], atol=0.01)


# ------------------------------------------------------------------ what a movement costs


def small(**options) -> Pen:
    return Pen(M=2, hidden_size=8, **options)


def test_the_loss_of_a_drawing_by_hand():
    model = small().eval()
    rows = movements(TWO)
    x = known_before(rows[None, :-1])
    mixture, logits, _ = model(x)
    expected = 0.0
    for t, (right, down, kind) in enumerate(rows.tolist()):
        expected -= logits[0, t].log_softmax(dim=0)[int(kind)].item()
        if kind != END:
            here = Mixture(*(part[0, t].double() for part in mixture))
            expected -= by_torch(here).log_prob(torch.tensor([right, down]).double()).item()
    losses = movement_losses(model, x, rows[None])
    assert losses.shape == (1, 6)
    assert losses.sum().item() == pytest.approx(expected, rel=1e-5)


def test_padding_costs_nothing_and_changes_nothing():
    model = small()
    alone = [costs(model, [strokes])[0].item() for strokes in (TWO, BENT)]
    together, points = costs(model, [TWO, BENT])
    assert together.tolist() == pytest.approx(alone, rel=1e-5) and points.tolist() == [5, 3]
    per_point = nats_per_point(model, [TWO, BENT])
    assert per_point.tolist() == pytest.approx([alone[0] / 5, alone[1] / 3], rel=1e-5)
    assert mean_nats_per_point(model, [TWO, BENT]) == pytest.approx(sum(alone) / 8, rel=1e-5)
    assert not model.training


def test_the_objective_is_the_mean_over_the_drawings_of_a_batch():
    model, batches = small(), DrawingBatches([TWO, BENT], 2)
    loss, state = mixture_density(model, batches.batch(0))
    assert state is None and loss.requires_grad
    assert loss.item() == pytest.approx(costs(model, [TWO, BENT])[0].mean().item(), rel=1e-5)


def test_the_gradient_is_that_of_finite_differences():
    model = small().double()
    y, _ = encode_drawings([TWO, BENT])
    x, y = known_before(y[:, :-1]).double(), y.double()
    weight = model.lstm.weight_hh_l0

    def loss():
        h, _ = model.lstm(x)
        numbers = model.head(h)  # as `forward` does, but in 64 bits
        mixture, logits = mixture_of(numbers[..., :-3]), numbers[..., -3:]
        kind = y[..., 2].long()
        value = cross_entropy(logits.mT, kind, ignore_index=-100, reduction="none")
        goes = (kind == DRAW) | (kind == LIFT)
        return (value - torch.where(goes, log_density(mixture, y[..., :2]), 0)).sum() / 2

    loss().backward()
    with torch.no_grad():
        gradient, step = weight.grad[3, 5].item(), 1e-6
        weight[3, 5] += step
        more = loss().item()
        weight[3, 5] -= 2 * step
        less = loss().item()
    assert (more - less) / (2 * step) == pytest.approx(gradient, rel=1e-5)
    weight.grad = None
    ours = movement_losses(model, x, y).sum() / 2  # in 32 bits
    ours.backward()
    assert loss().item() == pytest.approx(ours.item(), rel=1e-4)
    assert weight.grad[3, 5].item() == pytest.approx(gradient, rel=1e-3)


def test_batches_hold_every_drawing_once_with_others_of_its_length():
    drawings = [(tuple((k, float(i)) for i in range(2 + k % 5)),) for k in range(23)]
    batches = DrawingBatches(drawings, 4, seed=1)
    assert len(batches) == 5
    seen = []
    for step in range(5):
        x, y, continues = batches.batch(step)
        kinds = (y[..., 2] != -100).sum(dim=1)
        assert not continues and x.shape[:2] == y.shape[:2] and y.shape[1] == kinds.max()
        assert kinds.max() - kinds.min() <= 2
        assert torch.equal(x, known_before(y[:, :-1]))
        seen += [row[0, 0].item() for row in y]
    assert len(set(seen)) == 20
    again = DrawingBatches(drawings, 4, seed=1)
    assert torch.equal(again.batch(3).y, batches.batch(3).y)
    assert [batches.batch(k).y.shape for k in range(5)] != [
        batches.batch(5 + k).y.shape for k in range(5)
    ] or any(not torch.equal(batches.batch(k).y, batches.batch(5 + k).y) for k in range(5))


def test_after_a_slip_the_way_leads_to_the_right_place():
    y, _ = encode_drawings([TWO, BENT] * 500)
    x, ways = with_slips(y, 0.1, torch.Generator().manual_seed(0))
    where, right = 2 * x[..., 5:7], y[..., :2].cumsum(dim=1)
    assert torch.allclose(where + ways[..., :2], right, atol=1e-5)
    assert torch.equal(ways[..., 2], y[..., 2])
    slips = (where[:, 1:] - right[:, :-1]).flatten(0, 1)  # the first movement has none before it
    assert slips.std(dim=0).tolist() == pytest.approx([0.1, 0.1], rel=0.05)
    assert slips.mean(dim=0).abs().max() < 0.01 and where[:, 0].abs().max() == 0


def test_the_slips_of_a_step_are_its_own():
    batches = DrawingBatches([TWO, BENT], 2, slips=0.1)
    assert torch.equal(batches.batch(3).y, batches.batch(3).y)
    assert not torch.equal(batches.batch(3).y, batches.batch(4).y)


def test_the_recipe_learns(one_thread):
    some = [one.strokes for one in load_kanji().train[:96]]
    recipe = replace(kanji(), epochs=6)
    model = recipe.model()
    before = mean_nats_per_point(model, some)
    recipe.train(model, some)
    assert mean_nats_per_point(model, some) < before - 1


# ------------------------------------------------------------------ writing


def test_what_it_writes_depends_on_the_seed_and_begins_as_it_is_told():
    model = small()
    once, again, other = (draw_kanji(model, 3, seed=seed) for seed in (0, 0, 1))
    assert once == again != other and len(once) == 3
    begun = draw_kanji(model, 2, begin=TWO, temperature=0.5)
    for strokes in begun:
        assert strokes[0] == TWO[0]
        assert [*map(list, strokes[1][:3])] == [pytest.approx(point) for point in TWO[1]]


def test_it_stops_where_it_says_the_end_and_goes_no_farther_than_most():
    model = small()
    with torch.no_grad():
        model.head.weight.zero_()
        model.head.bias.zero_()
        model.head.bias[-3:] = torch.tensor([0.0, 0.0, 30.0])
    assert draw_kanji(model, 4) == [[], [], [], []]
    with torch.no_grad():
        model.head.bias[-3:] = torch.tensor([0.0, 30.0, 0.0])
    assert [len(strokes) for strokes in draw_kanji(model, 2)] == [MOST, MOST]
    assert not model.training


@pytest.mark.parametrize(("temperature", "mean"), [(1.0, 4), (0.5, 16)])
def test_each_drawing_ends_by_itself_and_a_cold_one_later(temperature, mean):
    """Where one movement in five is the end, 4 come before it; in the cold, one in seventeen is."""
    model = small()
    with torch.no_grad():
        model.head.weight.zero_()
        model.head.bias.zero_()
        model.head.bias[-3:] = torch.tensor([-60.0, math.log(0.8), math.log(0.2)])
    drawings = draw_kanji(model, 400, temperature=temperature)
    strokes = [len(drawing) for drawing in drawings]  # one for each movement: none is drawn
    assert sum(strokes) / 400 == pytest.approx(mean, rel=0.25)  # five standard deviations


def test_state_and_features_are_handed_on():
    """What it expects after a beginning is what it expects when it reads all of it at once."""
    model = small().eval()
    with torch.no_grad():
        model.head.bias[-3:] = torch.tensor([9.0, 9.0, -30.0])  # it goes on for ever
    (strokes,) = draw_kanji(model, 1, temperature=0.3, seed=3)
    rows = movements(strokes)[None, :-1]
    x = known_before(rows)
    mixture, _, _ = model(x)
    generator = torch.Generator().manual_seed(3)
    for t in range(5):
        here = Mixture(*(part[:, t] for part in mixture))
        point = draw_point(here, 0.3, generator)
        torch.multinomial(torch.ones(1, 3), 1, generator=generator)
        assert torch.allclose(point, rows[:, t, :2], atol=1e-4)


def test_most_is_enough_for_every_kanji():
    assert max(sum(map(len, one.strokes)) for one in load_kanji().kanji) < MOST
