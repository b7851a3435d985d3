"""Objectives: from a model, a batch and a state to the loss of the batch and the next state.

The training loop knows nothing else of what a model is for. A loss is a mean over the sequences
of a batch; `state` is what the model returned for the batch before, or None.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, ctc_loss, mse_loss

from rnnbook.data.words import IGNORED
from rnnbook.training.batches import Batch

Objective = Callable[[nn.Module, Batch, Any], tuple[Tensor, Any]]


def classification(model: nn.Module, batch: Batch, state: Any = None) -> tuple[Tensor, Any]:
    """The mean cross-entropy, in nats, of a model that maps (x, state) to (logits, state)."""
    logits, state = model(batch.x, state)
    return mean_cross_entropy(logits, batch.y), state


def regression(model: nn.Module, batch: Batch, state: Any = None) -> tuple[Tensor, Any]:
    """The mean squared error of a model that maps (x, state) to (outputs (B, 1), state)."""
    outputs, state = model(batch.x, state)
    return mean_squared_error(outputs, batch.y), state


def answering(
    model: nn.Module, batch: Batch, state: None = None, *, label_smoothing: float = 0.0
) -> tuple[Tensor, None]:
    """The mean loss, in nats per answer, of a model that maps x to logits (B, T, V).

    Each of B sequences is answered by a sequence, whose loss is the sum of the cross-entropies of
    its steps; where y (B, T) is `rnnbook.data.words.IGNORED`, there is no step. A mean over steps
    would weigh a step by how many others happen to share its batch. With `label_smoothing`, this
    share of each target is spread evenly over all V (Szegedy et al., 2016).
    """
    logits = model(*batch.x)
    losses = cross_entropy(
        logits.flatten(0, 1).float(),
        batch.y.flatten(),
        ignore_index=IGNORED,
        label_smoothing=label_smoothing,
        reduction="sum",
    )
    return losses / len(batch.y), None


def transcription(model: nn.Module, batch: Batch, state: None = None) -> tuple[Tensor, None]:
    """The mean CTC loss, in nats per sequence, of a model that maps x to logits (B, T, V).

    x are frames and their lengths (B,); y are signs (B, U) and how many of them there are, (B,).
    The loss is minus the logarithm of the probability of all alignments that say these signs
    (`rnnbook.training.ctc`). Sign 0 is the blank.
    """
    log_p = model(*batch.x).float().log_softmax(dim=2)
    (_, lengths), (signs, counts) = batch.x, batch.y
    losses = ctc_loss(log_p.transpose(0, 1), signs, lengths, counts, reduction="none")
    return losses.mean(), None


def mean_cross_entropy(logits: Tensor, y: Tensor) -> Tensor:
    """The mean loss, in nats, of logits (B, C) with classes y (B,), or (B, T, C) with (B, T)."""
    return cross_entropy(logits.flatten(0, -2).float(), y.flatten())


def mean_squared_error(outputs: Tensor, y: Tensor) -> Tensor:
    """The mean squared error of outputs (B, 1) with numbers y (B,)."""
    return mse_loss(outputs.squeeze(-1).float(), y)


def in_precision(precision: str, device_type: str, objective: Objective) -> Objective:
    """The objective as it is for "float32"; for "bfloat16", with its products in that format."""
    if precision == "float32":
        return objective

    def reduced(model: nn.Module, batch: Batch, state: Any) -> tuple[Tensor, Any]:
        with torch.autocast(device_type, getattr(torch, precision)):
            return objective(model, batch, state)

    return reduced
