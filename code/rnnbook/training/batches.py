"""What a step trains on: a function of its number alone, so that a run can be gone on with."""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor

from rnnbook.data.words import teacher_forced


class Batch(NamedTuple):
    """Inputs x and targets y, and whether x goes on where the x of the step before ended.

    Both are a tensor with a row for each sequence, or a tuple of such tensors.
    """

    x: Any
    y: Any
    continues: bool

    def to(self, device: torch.device) -> "Batch":
        """The same batch in the memory of a device."""
        x, y = (tree_map(lambda part: part.to(device), parts) for parts in (self.x, self.y))
        return self._replace(x=x, y=y)


def tree_map(change: Callable[[Tensor], Tensor], tensors: Any) -> Any:
    """The same structure of tensors, each of them changed; None stays None.

    A structure is a tensor, None, or a tuple of structures: the form of a batch, and of a state.
    """
    if tensors is None:
        return None
    if isinstance(tensors, tuple):
        return tuple(tree_map(change, part) for part in tensors)
    return change(tensors)


class Batches(Protocol):
    """Where `train` has its batches from."""

    def batch(self, step: int) -> Batch:
        """The batch of a step, from 0 on, without end."""


class MiniBatches:
    """Shuffled mini-batches of examples x (N, …) with targets y (N,), in a new order each epoch.

    `len(batches)` is the number of steps in an epoch. The few examples that do not fill a batch
    are left for another epoch. Raises `ValueError` if all of them together do not.
    """

    def __init__(self, x: Tensor, y: Tensor, batch_size: int, seed: int = 0):
        if len(x) < batch_size:
            raise ValueError(f"{len(x)} examples do not fill a batch of {batch_size}")
        self.x, self.y, self.batch_size, self.seed = x, y, batch_size, seed
        self._epoch = -1

    def __len__(self) -> int:
        return len(self.x) // self.batch_size

    def batch(self, step: int) -> Batch:
        """The batch of a step, from 0 on, without end."""
        epoch, i = divmod(step, len(self))
        if epoch != self._epoch:
            generator = torch.Generator().manual_seed(self.seed * 1_000_003 + epoch)
            self._epoch, self._order = epoch, torch.randperm(len(self.x), generator=generator)
        rows = self._order[i * self.batch_size : (i + 1) * self.batch_size]
        return Batch(self.x[rows], self.y[rows], continues=False)


class SimilarLengths:
    """Which of N sequences with lengths (N,) go together at each step.

    They are sorted by length before they are cut into batches, so that little of a batch is
    padding; which sequences of a length meet, and the order of the batches, is drawn anew in each
    epoch. `len(…)` is the number of steps in an epoch; the few sequences that do not fill a batch
    are left for another one. Raises `ValueError` if all of them together do not.
    """

    def __init__(self, lengths: Tensor, batch_size: int, seed: int = 0):
        if len(lengths) < batch_size:
            raise ValueError(f"{len(lengths)} sequences do not fill a batch of {batch_size}")
        self.lengths, self.batch_size, self.seed, self._epoch = lengths, batch_size, seed, -1

    def __len__(self) -> int:
        return len(self.lengths) // self.batch_size

    def rows(self, step: int) -> Tensor:
        """The sequences of a step, from 0 on, without end: (batch_size,)."""
        epoch, i = divmod(step, len(self))
        if epoch != self._epoch:
            self._epoch, self._rows = epoch, self._draw(epoch)
        return self._rows[i]

    def _draw(self, epoch: int) -> Tensor:
        """The sequences of all batches of an epoch: (len(self), batch_size)."""
        generator = torch.Generator().manual_seed(epoch + 1_000_003 * self.seed)
        rows = torch.randperm(len(self.lengths), generator=generator)
        rows = rows[: len(self) * self.batch_size]
        batches = rows[self.lengths[rows].argsort(stable=True)].view(len(self), -1)
        return batches[torch.randperm(len(self), generator=generator)]


class PairBatches:
    """Shuffled mini-batches of pairs of sequences of similar length (`SimilarLengths`).

    `source` (N, S) with lengths (N,) is what is read, `target` (N, T) with lengths (N,) what is
    to be written (`rnnbook.data.words.encode_words`). x of a batch is the source, its lengths and
    the character before each step; y is the character at each step.
    """

    def __init__(
        self,
        source: Tensor,
        source_lengths: Tensor,
        target: Tensor,
        target_lengths: Tensor,
        batch_size: int,
        seed: int = 0,
    ):
        self.source, self.source_lengths = source, source_lengths
        self.previous, self.y = teacher_forced(target, target_lengths)
        self.steps = target_lengths + 1  # of the decoder
        lengths = source_lengths * (self.steps.max() + 1) + self.steps  # of the two, in this order
        self.order = SimilarLengths(lengths, batch_size, seed)

    def __len__(self) -> int:
        return len(self.order)

    def batch(self, step: int) -> Batch:
        """The batch of a step, from 0 on, without end."""
        rows = self.order.rows(step)
        lengths, T = self.source_lengths[rows], self.steps[rows].max()
        x = self.source[rows, : lengths.max()], lengths, self.previous[rows, :T]
        return Batch(x, self.y[rows, :T], continues=False)


class FreshBatches:
    """Examples made anew for each step.

    `make(batch_size, generator)` returns x (B, …) and y (B, …), as the tasks of
    `rnnbook.data.tasks` do; the generator of a step depends on the seed and the step alone.
    """

    def __init__(
        self,
        make: Callable[[int, torch.Generator], tuple[Any, Any]],
        batch_size: int,
        seed: int = 0,
    ):
        self.make, self.batch_size, self.seed = make, batch_size, seed

    def batch(self, step: int) -> Batch:
        """The batch of a step, from 0 on, without end."""
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + step)
        return Batch(*self.make(self.batch_size, generator), continues=False)


class Streams:
    """One long sequence of ids (N,), cut into `batch_size` parallel streams, read in windows.

    The batch of a step has x and y of the shape (batch_size, window); y is x, one character on.
    Row b of a batch goes on where row b of the batch before ended, until the streams begin anew.
    What does not fill a window at the end of the streams is never read. Raises `ValueError` if
    the streams are shorter than a window.
    """

    def __init__(self, ids: Tensor, batch_size: int, window: int):
        self.window = window
        length = (len(ids) - 1) // batch_size  # of one stream
        if length < window:
            raise ValueError(f"streams of {length} characters do not fill a window of {window}")
        self.x = ids[: batch_size * length].view(batch_size, length)
        self.y = ids[1 : batch_size * length + 1].view(batch_size, length)

    def __len__(self) -> int:
        return self.x.shape[1] // self.window

    def batch(self, step: int) -> Batch:
        """The batch of a step, from 0 on, without end."""
        i = step % len(self)
        columns = slice(i * self.window, (i + 1) * self.window)
        return Batch(self.x[:, columns], self.y[:, columns], continues=i > 0)
