"""One training loop for every model of the book, and the measures that go with it.

A model maps (x, state) to (logits, state). What a step trains on is a function of its number
alone, so a run that was interrupted goes on from its checkpoint and ends with the same weights,
bit for bit. Left out: GPUs, several processes, early stopping, and keeping the best weights
(the last ones count).
"""

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, mse_loss

from rnnbook.checkpoints import ADVICE, CheckpointError, load_checkpoint, save_checkpoint
from rnnbook.progress import progress_bar

# ------------------------------------------------------------------ what a step trains on


class Batch(NamedTuple):
    """Inputs x, targets y, and whether x goes on where the x of the step before ended."""

    x: Tensor
    y: Tensor
    continues: bool


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


class FreshBatches:
    """Examples made anew for each step.

    `make(batch_size, generator)` returns x (B, …) and y (B, …), as the tasks of
    `rnnbook.data.tasks` do; the generator of a step depends on the seed and the step alone.
    """

    def __init__(
        self,
        make: Callable[[int, torch.Generator], tuple[Tensor, Tensor]],
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


# ------------------------------------------------------------------ schedules


def constant(progress: float) -> float:
    """The same learning rate all the time."""
    return 1.0


def warmup_cosine(progress: float) -> float:
    """A linear rise over the first tenth, then half a cosine down to zero.

    `progress` runs from 0 to 1; the result multiplies the learning rate. The cosine is that of
    Loshchilov and Hutter (2017), without their restarts.
    """
    if progress < 0.1:
        return progress / 0.1
    return 0.5 * (1 + math.cos(math.pi * (progress - 0.1) / 0.9))


# ------------------------------------------------------------------ losses


def mean_cross_entropy(logits: Tensor, y: Tensor) -> Tensor:
    """The mean loss, in nats, of logits (B, C) with classes y (B,), or (B, T, C) with (B, T)."""
    return cross_entropy(logits.flatten(0, -2), y.flatten())


def mean_squared_error(outputs: Tensor, y: Tensor) -> Tensor:
    """The mean squared error of outputs (B, 1) with numbers y (B,)."""
    return mse_loss(outputs.squeeze(-1), y)


# ------------------------------------------------------------------ the loop


@dataclass
class History:
    """What happened at each step, and how the model did on held-out data now and then."""

    losses: list[float] = field(default_factory=list)  # mean loss of the batch
    gradient_norms: list[float] = field(default_factory=list)  # before clipping
    held_out: list[tuple[int, float]] = field(default_factory=list)  # (steps done, measure)
    seconds: float = 0.0  # evaluation included, interruptions not


def train(
    model: nn.Module,
    batches: MiniBatches | FreshBatches | Streams,
    *,
    steps: int,
    lr: float,
    loss: Callable[[Tensor, Tensor], Tensor] = mean_cross_entropy,
    schedule: Callable[[float], float] = warmup_cosine,
    clip: float = 1.0,
    betas: tuple[float, float] = (0.9, 0.999),
    seed: int = 0,
    evaluate: Callable[[nn.Module], float] | None = None,
    evaluate_every: int = 500,
    measure: str = "held-out loss",
    checkpoint: Path | None = None,
    checkpoint_every: int = 500,
    stop: int | None = None,
) -> History:
    """Train `model` with Adam for `steps` steps and return what happened.

    `loss` is a function of what the model returns for a batch and of the targets. `lr` is the
    highest learning rate, `schedule` its course; the norm of the whole gradient is clipped to
    `clip`; `betas` are Adam's two (Kingma and Ba, 2015). `seed` resets PyTorch's random numbers,
    from which dropout draws.
    `evaluate` is called every `evaluate_every` steps and after the last one; what it returns is
    recorded and printed under the name `measure`.

    With a `checkpoint` file, the run is saved there every `checkpoint_every` steps, and goes on
    from there if the file exists. Go on with the same arguments: they are not stored. With
    `stop`, the run ends after so many steps, with the learning rates of the whole.

    Raises `FloatingPointError` when the loss or its gradient is no longer finite, before it can
    spoil the weights, and `CheckpointError` when the checkpoint cannot be used.
    """
    optimizer = torch.optim.Adam(model.parameters(), lr=lr, betas=betas)
    history, state = History(), None
    torch.manual_seed(seed)
    if checkpoint and checkpoint.exists():
        history, state = _resume(checkpoint, model, optimizer)

    model.train()
    begin = time.perf_counter() - history.seconds
    first = len(history.losses)
    with progress_bar(total=steps, initial=first, desc="training", unit="step") as bar:
        for step in range(first, steps if stop is None else min(steps, stop)):
            batch = batches.batch(step)
            state = state if batch.continues else None
            for group in optimizer.param_groups:
                group["lr"] = lr * schedule((step + 0.5) / steps)
            value, norm, state = train_step(model, optimizer, batch, state, clip, loss)
            history.losses.append(value)
            history.gradient_norms.append(norm)
            history.seconds = time.perf_counter() - begin
            bar.update()
            done = step + 1
            if evaluate and (done % evaluate_every == 0 or done == steps):
                history.held_out.append((done, evaluate(model)))
                model.train()
                bar.write(_line(history, steps, evaluate_every, measure))
            if checkpoint and (done % checkpoint_every == 0 or done == steps):
                _save(checkpoint, model, optimizer, history, state)
    return history


def train_step(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    batch: Batch,
    state: Any,
    clip: float,
    loss: Callable[[Tensor, Tensor], Tensor] = mean_cross_entropy,
) -> tuple[float, float, Any]:
    """One step of the optimizer. Returns the loss, the gradient's norm and the new state."""
    outputs, state = model(batch.x, state)
    value = loss(outputs, batch.y)
    optimizer.zero_grad()
    value.backward()
    norm = nn.utils.clip_grad_norm_(model.parameters(), clip)
    if not (value.isfinite() and norm.isfinite()):
        raise FloatingPointError(
            f"the loss is {value.item():g} and the norm of its gradient {norm.item():g}: "
            "try a lower learning rate"
        )
    optimizer.step()
    return value.item(), norm.item(), detach(state)


def detach(state: Any) -> Any:
    """The state, without its history: the gradient stops here, the numbers go on.

    A state may be a tuple of tensors, or None for a model that keeps none.
    """
    if state is None:
        return None
    return tuple(map(detach, state)) if isinstance(state, tuple) else state.detach()


def _line(history: History, steps: int, window: int, measure: str) -> str:
    recent = history.losses[-window:]
    done, value = history.held_out[-1]
    return (
        f"step {done:6,} of {steps:,}   training loss {sum(recent) / len(recent):.3f}   "
        f"{measure} {value:.4f}   {history.seconds:4.0f} s"
    )


# ------------------------------------------------------------------ checkpoints


def _save(path: Path, model, optimizer, history: History, state: Any) -> None:
    content = {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "history": asdict(history),
        "state": state,
        "random": torch.get_rng_state(),
    }
    save_checkpoint(path, content)


def _resume(path: Path, model, optimizer) -> tuple[History, Any]:
    content = load_checkpoint(path, {"model", "optimizer", "history", "state", "random"})
    try:
        model.load_state_dict(content["model"])
    except Exception as error:  # torch raises many kinds
        raise CheckpointError(f"{path} belongs to another model; {ADVICE}") from error
    try:
        state_of_adam = content["optimizer"]["state"]  # its settings come from the arguments
        optimizer.load_state_dict({**optimizer.state_dict(), "state": state_of_adam})
        history, state = History(**content["history"]), detach(content["state"])
        _check_is_whole(history, optimizer)
        torch.set_rng_state(content["random"])
    except Exception as error:
        raise CheckpointError(f"{path} holds no run that could go on; {ADVICE}") from error
    return history, state


def _check_is_whole(history: History, optimizer: torch.optim.Adam) -> None:
    """Raise `ValueError` unless Adam has made just the steps that the history tells of."""
    numbers = [*history.losses, *history.gradient_norms, history.seconds]
    adam, averages = optimizer.state.items(), ("exp_avg", "exp_avg_sq")
    if not (
        {int(state["step"]) for _, state in adam} == {len(history.losses)}
        and len(history.losses) == len(history.gradient_norms)
        and all(isinstance(number, float) for number in numbers)
        and isinstance(history.held_out, list)
        and all(state[name].shape == p.shape for p, state in adam for name in averages)
    ):
        raise ValueError(f"{len(history.losses)} losses do not fit the steps of Adam")


# ------------------------------------------------------------------ measures


@torch.no_grad()
def accuracy(model: nn.Module, x: Tensor, y: Tensor, batch_size: int = 1000) -> float:
    """The share of examples x (N, …) whose highest logit is that of the class y (N,).

    Leaves the model in evaluation mode, without dropout; so does `carried_loss`.
    """
    model.eval()
    right = 0
    for x_part, y_part in zip(x.split(batch_size), y.split(batch_size), strict=True):
        logits, _ = model(x_part)
        right += (logits.argmax(dim=-1) == y_part).sum().item()
    return right / len(x)


@torch.no_grad()
def carried_loss(model: nn.Module, ids: Tensor, window: int = 1000) -> float:
    """Mean loss, in nats per character, over all of ids (N,), read once from start to end.

    The state is carried from the first character to the last; the window only bounds the memory.
    """
    model.eval()
    total, state = 0.0, None
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
    num_windows = (len(ids) - 1) // window
    x = ids[: num_windows * window].view(num_windows, window)
    y = ids[1 : num_windows * window + 1].view(num_windows, window)
    total = 0.0
    for x_part, y_part in zip(x.split(64), y.split(64), strict=True):
        logits, _ = model(x_part)  # (64, window, V)
        total += cross_entropy(logits.flatten(0, 1), y_part.flatten(), reduction="sum").item()
    return total / y.numel()
