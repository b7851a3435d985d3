"""Measures: how good a model is, on data that it was not trained on.

They leave the model in evaluation mode, without dropout. The data may lie in the processor's
memory, wherever the model does.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy


def device_of(model: nn.Module) -> torch.device:
    """The device on which a model computes."""
    return next(model.parameters()).device


@torch.no_grad()
def accuracy(model: nn.Module, x: Tensor, y: Tensor, batch_size: int = 1000) -> float:
    """The share of examples x (N, …) whose highest logit is that of the class y (N,)."""
    model.eval()
    device, right = device_of(model), 0
    for x_part, y_part in zip(x.split(batch_size), y.split(batch_size), strict=True):
        logits, _ = model(x_part.to(device))
        right += (logits.argmax(dim=-1) == y_part.to(device)).sum().item()
    return right / len(x)


@torch.no_grad()
def carried_loss(model: nn.Module, ids: Tensor, window: int = 1000) -> float:
    """Mean loss, in nats per character, over all of ids (N,), read once from start to end.

    The state is carried from the first character to the last; the window only bounds the memory.
    """
    model.eval()
    ids, total, state = ids.to(device_of(model)), 0.0, None
    for x, y in zip(ids[:-1].split(window), ids[1:].split(window), strict=True):
        logits, state = model(x[None], state)  # (1, window, V)
        total += cross_entropy(logits[0], y, reduction="sum").item()
    return total / (len(ids) - 1)


@torch.no_grad()
def windowed_loss(model: nn.Module, ids: Tensor, window: int) -> float:
    """Mean loss, in nats per character, over ids (N,) cut into windows, each begun without a state.

    This is how models without a state are measured. What does not fill a window is left out.
    """
    model.eval()
    ids, num_windows = ids.to(device_of(model)), (len(ids) - 1) // window
    x = ids[: num_windows * window].view(num_windows, window)
    y = ids[1 : num_windows * window + 1].view(num_windows, window)
    total = 0.0
    for x_part, y_part in zip(x.split(64), y.split(64), strict=True):
        logits, _ = model(x_part)  # (64, window, V)
        total += cross_entropy(logits.flatten(0, 1), y_part.flatten(), reduction="sum").item()
    return total / y.numel()


@torch.no_grad()
def overlapping_loss(model: nn.Module, ids: Tensor, window: int, new: int) -> float:
    """Mean loss, in nats per character, over ids (N,) read in windows that overlap.

    Each window goes on `new` characters after the one before, and only its last `new` predictions
    count, which have at least window - new + 1 characters to go by; of the first window, all.
    What does not fill a window is left out.
    """
    model.eval()
    ids = ids.to(device_of(model))
    x, y = ids[:-1].unfold(0, window, new), ids[1:].unfold(0, window, new)  # (windows, window)
    losses = torch.cat(
        [
            cross_entropy(model(x_part)[0].transpose(1, 2), y_part, reduction="none")
            for x_part, y_part in zip(x.split(64), y.split(64), strict=True)
        ]
    )  # (windows, window)
    counted = torch.cat([losses[0, :-new], losses[:, -new:].flatten()])
    return counted.mean().item()
