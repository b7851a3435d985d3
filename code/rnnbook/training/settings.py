"""How a model is trained, and what happened while it was."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from rnnbook.errors import BookError
from rnnbook.training.batches import Batches
from rnnbook.training.objectives import Objective, classification
from rnnbook.training.schedules import warmup_cosine


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How to train with Adam (Kingma and Ba, 2015).

    Attributes:
        steps: how many steps to take; or
        epochs: how often to read all examples, where the batches have a length.
        lr: the highest learning rate.
        schedule: its course: from the progress, 0 to 1, to a factor of `lr`.
        clip: the norm of the whole gradient is clipped to this.
        betas: Adam's two.
        seed: PyTorch's random numbers, from which dropout draws, are reset to it.
        objective: what is made smaller.
        device: "cpu", "cuda" or "mps".
        precision: "float32", or "bfloat16" for the products (PyTorch's autocast).
    """

    steps: int | None = None
    epochs: int | None = None
    lr: float
    schedule: Callable[[float], float] = warmup_cosine
    clip: float = 1.0
    betas: tuple[float, float] = (0.9, 0.999)
    seed: int = 0
    objective: Objective = classification
    device: str = "cpu"
    precision: str = "float32"

    def total_steps(self, batches: Batches) -> int:
        """The steps of the whole training. Raises `ValueError` unless one number says it."""
        if (self.steps is None) == (self.epochs is None):
            raise ValueError("give the number of steps or that of epochs, and not both")
        # pyrefly: ignore[bad-argument-type, unsupported-operation]
        return self.epochs * len(batches) if self.steps is None else self.steps


@dataclass
class History:
    """What happened at each step, and how the model did on held-out data now and then."""

    losses: list[float] = field(default_factory=list)  # mean loss of the batch
    gradient_norms: list[float] = field(default_factory=list)  # before clipping
    held_out: list[tuple[int, float]] = field(default_factory=list)  # (steps done, measure)
    samples: list[str] = field(default_factory=list)  # what the model wrote meanwhile
    log: list[str] = field(default_factory=list)  # the lines that were printed
    seconds: float = 0.0  # evaluation included, interruptions not

    def fetch(self, waiting: list[Tensor]) -> None:
        """Take over the loss and the norm of each step, (2,), that wait on a device.

        Raises `Diverged` at the first that is not finite.
        """
        for loss, norm in torch.stack(waiting).tolist() if waiting else []:
            if not (math.isfinite(loss) and math.isfinite(norm)):
                raise Diverged(loss, norm)
            self.losses.append(loss)
            self.gradient_norms.append(norm)


class Diverged(BookError):
    """The loss or its gradient is no longer finite. `history` is what happened before."""

    history: History

    def __init__(self, loss: float, norm: float):
        super().__init__(loss, norm)  # which a process hands to another one

    def __str__(self) -> str:
        loss, norm = self.args
        return (
            f"the loss is {loss:g} and the norm of its gradient {norm:g}: try a lower learning rate"
        )
