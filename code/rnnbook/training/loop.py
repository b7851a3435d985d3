"""One training loop for every model of the book: on a processor or a GPU, in one process or many.

What a step trains on is a function of its number alone, so a run that was interrupted goes on from
its checkpoint; on a processor it ends with the same weights, bit for bit. On a GPU it was never
tested. Left out: early stopping, and keeping the best weights (the last ones count).
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from tqdm import tqdm

from rnnbook.progress import progress_bar
from rnnbook.training import checkpoints, distributed, results
from rnnbook.training.batches import Batch, Batches, tree_map
from rnnbook.training.objectives import Objective, classification, in_precision
from rnnbook.training.settings import Diverged, History, Settings

# Steps whose losses stay on a device until they are fetched: to fetch is to wait for a GPU.
FETCH_EVERY = {"cpu": 1, "cuda": 50, "mps": 50}


def train(
    model: nn.Module,
    batches: Batches,
    settings: Settings,
    *,
    evaluate: Callable[[nn.Module], float] | None = None,
    evaluate_every: int | None = None,
    measure: str = "held-out loss",
    sample: Callable[[nn.Module], str] | None = None,
    checkpoint: Path | None = None,
    checkpoint_every: int = 500,
    stop: int | None = None,
) -> History:
    """Train `model` and return what happened.

    `evaluate` is called every `evaluate_every` steps (by default, 500 or an epoch) and after the
    last one; what it returns is recorded and printed under the name `measure`. `sample` is called
    with it, and its texts are recorded.

    With a `checkpoint` file, the run is saved there every `checkpoint_every` steps, and goes on
    from there if the file exists. Go on with the same arguments: they are not stored. With
    `stop`, the run ends after so many steps, with the learning rates of the whole; it is then
    neither evaluated nor saved, unless that step is due.

    In a notebook that uses the results of others (`rnnbook.training.results`), a training that
    begins as theirs ends at once with what theirs ended with.

    Of several processes (`rnnbook.training.distributed`), each trains on its share of every batch,
    and the first alone evaluates and saves.

    Raises `Diverged` when the loss or its gradient is no longer finite: on a processor before it
    can spoil the weights, elsewhere within 50 steps, and before they are saved. Raises
    `CheckpointError` when the checkpoint cannot be used, `ValueError` when `settings` does not say
    for how long to train, and `ProcessError` when a batch cannot be shared out evenly.
    """
    device = torch.device(settings.device)
    optimizer = torch.optim.Adam(model.to(device).parameters(), settings.lr, settings.betas)
    objective = in_precision(settings.precision, device.type, settings.objective)
    torch.manual_seed(distributed.own_seed(settings.seed))
    history, state = History(), None
    if checkpoint and checkpoint.exists():
        history, state = checkpoints.resume(checkpoint, model, optimizer)
        state = tree_map(lambda part: part.to(device), state)
    total, first = settings.total_steps(batches), len(history.losses)
    last = total if stop is None else min(total, stop)
    # pyrefly: ignore[bad-argument-type]
    evaluate_every = evaluate_every or (len(batches) if settings.epochs else 500)
    together, waiting = distributed.together(model), []
    alone = device.type == "cpu" and distributed.count() == 1 and not checkpoint

    model.train()
    begin = time.perf_counter() - history.seconds
    try:
        for step in progress_bar(range(first, last), initial=first, total=total, desc="training"):
            batch, done = distributed.shard(batches.batch(step)).to(device), step + 1
            state = state if batch.continues else None
            set_rate(optimizer, settings.lr * settings.schedule((step + 0.5) / total))
            loss, norm, state = train_step(
                together, optimizer, batch, state, settings.clip, objective
            )
            waiting.append(torch.stack([distributed.mean(loss), norm]))
            looks = evaluate and _is_due(done, evaluate_every, total)
            saves = checkpoint and _is_due(done, checkpoint_every, total)
            if looks or saves or done == last or len(waiting) == FETCH_EVERY[device.type]:
                history.fetch(waiting)
                waiting = []
                history.seconds = time.perf_counter() - begin
            if looks and distributed.is_first():
                history.held_out.append((done, evaluate(model)))  # pyrefly: ignore[not-callable]
                history.samples += [sample(model)] if sample else []
                history.seconds = time.perf_counter() - begin
                model.train()
                history.log.append(_line(history, total, evaluate_every, measure))
                tqdm.write(history.log[-1])
            if saves:
                # pyrefly: ignore[bad-argument-type]
                checkpoints.save(checkpoint, model, optimizer, history, state)
            is_known = alone and done == results.BEGINNING
            if is_known and (found := results.find(model, settings, last, history, evaluate)):
                return found
    except Diverged as error:
        error.history = history
        raise
    if alone:
        results.keep(model, settings, last, history)
    return history


def _is_due(done: int, every: int, total: int) -> bool:
    return done % every == 0 or done == total


def train_step(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    batch: Batch,
    state: Any,
    clip: float,
    objective: Objective = classification,
) -> tuple[Tensor, Tensor, Any]:
    """One step of the optimizer. Returns the loss, the gradient's norm and the new state.

    Raises `Diverged`, instead of taking the step, when the numbers lie in the processor's memory
    and one is not finite.
    """
    loss, state = objective(model, batch, state)
    optimizer.zero_grad()
    loss.backward()
    norm = nn.utils.clip_grad_norm_(model.parameters(), clip)
    on_processor = loss.device.type == "cpu"  # elsewhere, to ask for a number is to wait for it
    if on_processor and not (loss.isfinite() and norm.isfinite()):
        raise Diverged(loss.item(), norm.item())
    optimizer.step()
    return loss.detach(), norm, detach(state)


def detach(state: Any) -> Any:
    """The state, without its history: the gradient stops here, the numbers go on.

    A state may be a tuple of tensors, or None for a model that keeps none.
    """
    return tree_map(Tensor.detach, state)


def set_rate(optimizer: torch.optim.Optimizer, lr: float) -> None:
    """Let the next step be taken with the learning rate `lr`."""
    for group in optimizer.param_groups:
        group["lr"] = lr


def _line(history: History, steps: int, window: int, measure: str) -> str:
    recent = history.losses[-window:]
    done, value = history.held_out[-1]
    return (
        f"step {done:6,} of {steps:,}   training loss {sum(recent) / len(recent):.3f}   "
        f"{measure} {value:.4f}   {history.seconds:4.0f} s"
    )
