"""Objectives: from a model, a batch and a state to the loss of the batch and the next state.

The training loop knows nothing else of what a model is for. A loss is a mean over the sequences
of a batch; `state` is what the model returned for the batch before, or None.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, ctc_loss, mse_loss

from rnnbook.data.kanji_strokes import END
from rnnbook.data.words import IGNORED
from rnnbook.layers.mixture import log_density
from rnnbook.models.kanji import Pen
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
    (`rnnbook.models.ctc`). Sign 0 is the blank.
    """
    log_p = model(*batch.x).float().log_softmax(dim=2)
    (_, lengths), (signs, counts) = batch.x, batch.y
    losses = ctc_loss(log_p.transpose(0, 1), signs, lengths, counts, reduction="none")
    return losses.mean(), None


def mixture_density(model: Pen, batch: Batch, state: None = None) -> tuple[Tensor, None]:
    """The mean loss of a pen's mixtures (Bishop, 1994; Graves, 2013), in nats per drawing."""
    return movement_losses(model, batch.x, batch.y).sum() / len(batch.y), None


def movement_losses(model: Pen, x: Tensor, y: Tensor) -> Tensor:
    """What each movement costs, in nats: (B, T), behind the last of a drawing 0.

    x (B, T, 9) is what is known before the movements y (B, T, 3). A movement costs the negative
    logarithms of the probability of its kind and of the density where it goes, with lengths in
    units of `rnnbook.data.kanji_strokes.SCALE`; the end costs its kind alone.
    """
    mixture, logits, _ = model(x)
    kind = y[..., 2].long()
    losses = cross_entropy(logits.mT, kind, ignore_index=IGNORED, reduction="none")
    goes = (kind != END) & (kind != IGNORED)
    return losses - torch.where(goes, log_density(mixture, y[..., :2]), 0)


def mean_cross_entropy(logits: Tensor, y: Tensor) -> Tensor:
    """The mean loss, in nats, of logits (B, C) with classes y (B,), or (B, T, C) with (B, T)."""
    return cross_entropy(logits.flatten(0, -2).float(), y.flatten())


def mean_squared_error(outputs: Tensor, y: Tensor) -> Tensor:
    """The mean squared error of outputs (B, 1) with numbers y (B,)."""
    return mse_loss(outputs.squeeze(-1).float(), y)


def has_bfloat16() -> bool:
    """Whether PyTorch runs an LSTM in bfloat16 on this processor; without AVX-512 it may not."""
    try:
        with torch.autocast("cpu", torch.bfloat16):
            nn.LSTM(1, 1)(torch.zeros(1, 1, 1))
    except RuntimeError:
        return False
    return True


def in_precision(precision: str, device_type: str, objective: Objective) -> Objective:
    """The objective as it is for "float32"; for "bfloat16", with its products in that format."""
    if precision == "float32":
        return objective

    def reduced(model: nn.Module, batch: Batch, state: Any) -> tuple[Tensor, Any]:
        with torch.autocast(device_type, getattr(torch, precision)):
            return objective(model, batch, state)

    return reduced
