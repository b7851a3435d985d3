"""A recipe: a model and how it is trained, for all who train with the same."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from rnnbook.training.batches import Batches
from rnnbook.training.loop import train
from rnnbook.training.settings import History, Settings


@dataclass(frozen=True, kw_only=True)
class Recipe(Settings):
    """All that a run needs besides its data. `dataclasses.replace` makes another one from it.

    Attributes:
        network: makes the model, from the sizes of its vocabularies.
        batches: makes the batches from the training data and the seed.
        vocabularies: the names of the model's vocabularies (`rnnbook.data.vocabulary`), if any.
        signs: how many numbers of each are left free for signs.
    """

    network: Callable[..., nn.Module]
    batches: Callable[..., Batches]
    vocabularies: tuple[str, ...] = ()
    signs: int = 0

    def model(self, *sizes: int) -> nn.Module:
        """A new model; its weights depend on the seed."""
        torch.manual_seed(self.seed)
        return self.network(*sizes)

    def train(self, model: nn.Module, *data: Any, **options) -> History:
        """Train on data as `batches` takes it, with the options of `train`."""
        return train(model, self.batches(*data, self.seed), self, **options)
