"""Many small networks of one kind, trained side by side as one.

Tensors as small as ours cost the same whether they hold the numbers of one network or of three;
twenty networks in one tensor take a fraction of the time of twenty trainings. Each has its own
weights, reads its own batches, and has its own gradient, clipped by itself: none knows of the
others. Left out: evaluation, checkpoints, a state that is carried on, and an error when a loss is
no longer finite; `rnnbook.training.loop` has them.
"""

from collections.abc import Callable, Sequence
from copy import deepcopy

import torch
from torch import Tensor, nn

from rnnbook.training.batches import Batches
from rnnbook.training.loop import set_rate
from rnnbook.training.settings import Settings


def side_by_side(networks: Sequence[nn.Module]) -> nn.Module:
    """One network whose parameters hold those of all these, which must be of one kind.

    A matrix (D, H) becomes (S, D, H), a vector (H,) becomes (S, 1, H); so what only multiplies
    from the right and adds, as our cells do, does to x (S, B, D) what each did to its x (B, D).
    """
    whole = deepcopy(networks[0])
    for name, first in list(whole.named_parameters()):
        numbers = torch.stack([network.get_parameter(name).data for network in networks])
        owner, _, own_name = name.rpartition(".")
        shape = (len(networks), 1, -1) if first.dim() == 1 else numbers.shape
        setattr(whole.get_submodule(owner), own_name, nn.Parameter(numbers.view(shape)))
    return whole


def clip_each(parameters: Sequence[nn.Parameter], limit: float) -> None:
    """Clip the norm of the gradient of each network of a stack to `limit`, as PyTorch does."""
    squares = [p.grad.square().sum(dim=(1, 2)) for p in parameters]  # (S,) each
    norm = sum(squares).sqrt()  # pyrefly: ignore[missing-attribute]
    factor = (limit / (norm + 1e-6)).clamp(max=1)
    for p in parameters:
        p.grad *= factor[:, None, None]


def train_side_by_side(
    networks: nn.Module,
    batches: Sequence[Batches],
    losses_of: Callable[[nn.Module, Tensor, Tensor], Tensor],
    settings: Settings,
    *,
    evaluate: Callable[[nn.Module], None] | None = None,
    evaluate_every: int = 500,
    stop: int | None = None,
) -> list[list[float]]:
    """Train a stack of networks, each on its own batches, and return the losses of each step.

    `losses_of` gives the loss of each network, (S,), for x (S, B, …) and y (S, B, …). `evaluate`
    is called every `evaluate_every` steps and after the last one. With `stop` it ends after so
    many steps, with the learning rates of the whole. Of the settings, the objective, the seed,
    the device and the precision do not count.
    """
    parameters = list(networks.parameters())
    optimizer = torch.optim.Adam(parameters, settings.lr, settings.betas)
    total, history = settings.total_steps(batches[0]), []
    last = total if stop is None else min(total, stop)
    for step in range(last):
        parts = [own.batch(step) for own in batches]
        x, y = (torch.stack([getattr(part, name) for part in parts]) for name in "xy")
        set_rate(optimizer, settings.lr * settings.schedule((step + 0.5) / total))
        losses = losses_of(networks, x, y)
        optimizer.zero_grad()
        losses.sum().backward()  # each network has its own part of the sum
        clip_each(parameters, settings.clip)
        optimizer.step()
        history.append(losses.tolist())
        if evaluate and ((step + 1) % evaluate_every == 0 or step + 1 == last):
            evaluate(networks)
    return history
