"""Networks that are trained side by side end as each would have ended alone."""

import pytest
import torch
from torch import nn

from rnnbook.data.tasks import store_a_number
from rnnbook.studies import parts, parts_longer
from rnnbook.training.batches import MiniBatches
from rnnbook.training.loop import train
from rnnbook.training.settings import Settings
from rnnbook.training.side_by_side import clip_each, side_by_side, train_side_by_side

SEEDS = (0, 1, 2)


def examples(count: int) -> tuple[torch.Tensor, torch.Tensor]:
    return store_a_number(count, 9, torch.Generator().manual_seed(0), 0.2)


@pytest.mark.parametrize("cell", parts_longer.CELLS)
def test_a_stack_says_what_each_of_its_networks_says(cell):
    x, _ = examples(4)
    alone = torch.stack([parts_longer.network(cell, seed)(x) for seed in SEEDS])
    together = side_by_side([parts_longer.network(cell, seed) for seed in SEEDS])
    torch.testing.assert_close(together(x.expand(3, *x.shape)), alone)
    assert not torch.allclose(alone[0], alone[1], atol=1e-3)


@pytest.mark.parametrize("clip", [1e-2, 1e9])
def test_training_in_a_stack_is_training_alone(clip):
    """Whether the gradient is clipped or not, and it is not the same for all three."""
    settings = Settings(steps=8, lr=1e-2, clip=clip, objective=objective)
    batches = [MiniBatches(*examples(40), 8, seed) for seed in SEEDS]
    together = side_by_side([parts.network("LSTM, forget bias 1", seed) for seed in SEEDS])
    looks = []
    losses = train_side_by_side(
        together, batches, parts.losses_of, settings, evaluate=looks.append, evaluate_every=3
    )
    assert len(losses) == 8 and len(looks) == 3
    for k, seed in enumerate(SEEDS):
        alone = parts.network("LSTM, forget bias 1", seed)
        history = train(alone, MiniBatches(*examples(40), 8, seed), settings)
        assert [row[k] for row in losses] == pytest.approx(history.losses, rel=1e-4)
        for name, p in alone.named_parameters():
            own = together.get_parameter(name)[k].reshape(p.shape)
            torch.testing.assert_close(own, p, atol=1e-4, rtol=1e-3)


def objective(model, batch, state):
    """The loss of one network, for the loop."""
    return parts.losses_of(model, batch.x, batch.y), None


def test_a_stack_that_is_stopped_has_the_rates_of_the_whole():
    def losses(stop):
        networks = side_by_side([parts.network("GRU", seed) for seed in SEEDS])
        batches = [MiniBatches(*examples(40), 8, seed) for seed in SEEDS]
        settings = Settings(steps=6, lr=1e-2)
        return train_side_by_side(networks, batches, parts.losses_of, settings, stop=stop)

    assert losses(3) == losses(None)[:3]


def test_each_gradient_is_clipped_by_itself():
    p = nn.Parameter(torch.zeros(2, 3, 4))
    p.grad = torch.stack([torch.full((3, 4), 0.01), torch.full((3, 4), 5.0)])
    before = p.grad.clone()
    clip_each([p], 1.0)
    torch.testing.assert_close(p.grad[0], before[0])
    assert p.grad[1].norm().item() == pytest.approx(1, rel=1e-4)
