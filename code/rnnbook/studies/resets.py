"""What does an empty state cost a network that has met many while it was trained?

The LSTM of the league (`rnnbook.studies.shakespeare`), one pass, with the same rate and the same
seeds; but before each window every stream loses its state with some probability. Judged by the
whole validation text with the state carried along and in windows begun without one.
"""

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from rnnbook.data.shakespeare_ids import load_ids
from rnnbook.metrics.evaluation import carried_loss, windowed_loss
from rnnbook.studies.search import NETWORKS, recipe
from rnnbook.studies.shakespeare import RATES, STEPS
from rnnbook.training.batches import tree_map
from rnnbook.training.recipes.shakespeare import WINDOW

THREADS = 1
SEEDS = range(3)
PROBABILITIES = (0.0, 1 / 16, 1.0)
RUNS = {
    f"LSTM, resets {p:g}, seed {seed}": {"network": "LSTM", "resets": p, "seed": seed}
    for p in PROBABILITIES
    for seed in SEEDS
}


class Forgetful(nn.Module):
    """A character model whose streams lose their state with probability p while it trains."""

    def __init__(self, model: nn.Module, p: float):
        super().__init__()
        self.model, self.p = model, p

    def forward(self, ids: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        """ids (B, T) → logits (B, T, V) and the state, whose tensors are (layers, B, H)."""
        if self.training and state is not None:
            kept = torch.rand(len(ids), 1) >= self.p  # (B, 1)
            state = tree_map(lambda part: part * kept, state)
        return self.model(ids, state)


def run(settings: dict[str, Any], stop: int | None = None) -> dict[str, Any]:
    """Train one network; see `rnnbook.studies`."""
    ids, validation, V = load_ids()
    plain = recipe(settings["network"], RATES[settings["network"]], STEPS, settings["seed"])
    chosen = replace(
        plain, network=lambda V: Forgetful(NETWORKS[settings["network"]](V), settings["resets"])
    )
    model = chosen.model(V)
    history = chosen.train(model, ids, stop=stop)
    result: dict[str, Any] = {"trace": history.losses}
    if stop is None:
        result["carried"] = round(carried_loss(model, validation), 4)
        result["windows of 256"] = round(windowed_loss(model, validation, 256), 4)
        result["windows of 64"] = round(windowed_loss(model, validation, WINDOW), 4)
        by_position = losses_by_position(model, validation, WINDOW)
        result["by_position"] = [round(loss, 4) for loss in by_position.tolist()]
    return result


@torch.no_grad()
def losses_by_position(model: nn.Module, ids: Tensor, window: int) -> Tensor:
    """The mean loss of the first, second, … prediction (window,) in windows begun afresh."""
    model.eval()
    num_windows = (len(ids) - 1) // window
    x = ids[: num_windows * window].view(num_windows, window)
    y = ids[1 : num_windows * window + 1].view(num_windows, window)
    losses = [
        cross_entropy(model(x_part)[0].transpose(1, 2), y_part, reduction="none")
        for x_part, y_part in zip(x.split(64), y.split(64), strict=True)
    ]  # (64, window) each
    return torch.cat(losses).mean(dim=0)
