"""What is each part of an LSTM for? One task, at most equal numbers of parameters, parts left out.

The task is `store_and_recall`: a sign has to be stored when a flag says so, kept while others go
by, and said when another flag asks. Every kind of cell is as large as it can be without having
more parameters than an LSTM of 16 units. The accuracy is that on 2,000 sequences that were not
trained on, where the sign is asked for; a guess is right in half of the cases.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from rnnbook.data.tasks import store_and_recall
from rnnbook.layers import ablations
from rnnbook.layers.initialisation import chrono_start, identity_start, orthogonal_start
from rnnbook.layers.recurrent import GRU, LSTM, RNN
from rnnbook.models.recurrent import SequenceLabeller
from rnnbook.training.batches import MiniBatches
from rnnbook.training.loop import train
from rnnbook.training.settings import Settings

THREADS = 1  # the tensors are small
T, RATE = 60, 0.08  # steps, and the probability of each flag at a step
STEPS, BATCH, LR = 2000, 50, 1e-2
EVERY = 100  # steps between two looks at the accuracy
SEEDS = range(5)

CELLS: dict[str, Callable[[int], nn.Module]] = {
    "LSTM, forget bias 1": lambda H: LSTM(3, H, 1.0),
    "LSTM, forget bias 0": lambda H: LSTM(3, H, 0.0),
    "LSTM, chrono start": lambda H: chrono_start(LSTM(3, H), T),
    "no input gate": lambda H: ablations.NoInputGate(3, H),
    "no forget gate": lambda H: ablations.NoForgetGate(3, H),
    "no output gate": lambda H: ablations.NoOutputGate(3, H),
    "coupled gates": lambda H: ablations.CoupledGates(3, H),
    "peepholes": lambda H: ablations.Peepholes(3, H),
    "layer normalisation": lambda H: ablations.LayerNormLSTM(3, H),
    "GRU": lambda H: GRU(3, H),
    "simple RNN": lambda H: RNN(3, H),
    "simple RNN, orthogonal start": lambda H: orthogonal_start(RNN(3, H)),
    "simple RNN, identity start": lambda H: identity_start(RNN(3, H, torch.relu)),
}
RUNS = {f"{cell}, seed {seed}": {"cell": cell, "seed": seed} for cell in CELLS for seed in SEEDS}


def num_parameters(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def fitting(make: Callable[[int], nn.Module]) -> nn.Module:
    """The largest cell of a kind with no more parameters than an LSTM of 16 units."""
    limit, H = num_parameters(LSTM(3, 16)), 1
    while num_parameters(make(H + 1)) <= limit:
        H += 1
    return make(H)


def run(settings: dict[str, Any], stop: int | None = None) -> dict[str, Any]:
    """Train one cell; see `rnnbook.studies`."""
    seed = settings["seed"]
    torch.manual_seed(seed)
    layer = fitting(CELLS[settings["cell"]])
    model = SequenceLabeller(layer, num_classes=3)
    generator = torch.Generator().manual_seed(1)
    batches = MiniBatches(*store_and_recall(20_000, T, generator, RATE), BATCH, seed)
    x, y = store_and_recall(2000, T, generator, RATE)
    history = train(
        model,
        batches,
        Settings(steps=STEPS, lr=LR, seed=seed),
        evaluate=lambda model: right_when_asked(model, x, y),
        evaluate_every=EVERY,
        measure="accuracy",
        stop=stop,
    )
    losses = history.losses
    return {
        "units": layer.hidden_size,
        "parameters": num_parameters(layer),
        "accuracy": [round(score, 4) for _, score in history.held_out],
        "loss": round(sum(losses[-100:]) / len(losses[-100:]), 4),
        "trace": losses,
    }


@torch.no_grad()
def right_when_asked(model: SequenceLabeller, x: torch.Tensor, y: torch.Tensor) -> float:
    """The share of right answers where an answer is asked for."""
    answers = model(x)[0].argmax(dim=2)
    asked = x[:, :, 2] == 1
    return (answers == y)[asked].float().mean().item()
