"""Which networks can say what stood behind a letter? By how many letters they have read.

Every network meets the same sequences, of 1 to 16 pairs, drawn anew at each step. The matrices and
the attention are beside an LSTM of 32 units. The LSTM of 96 units keeps as many numbers from step
to step as the matrix of 32 × 4 with its LSTM, and that of 288 units as many as that of 32 × 16.
Learning rates were tried, with three seeds (the transformers, which take long, with one), until the
best, by the mean loss of the last steps, lay between two others; three further seeds then used it.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from rnnbook.data.tasks import NUM_DIGITS, NUM_LETTERS, associative_recall
from rnnbook.data.words import IGNORED
from rnnbook.layers.initialisation import set_forget_bias
from rnnbook.layers.keeping import KeepingLSTM, look_back, matrix_state
from rnnbook.models.recurrent import CharacterModel
from rnnbook.models.transformer import RotaryTransformer, Transformer
from rnnbook.training.batches import FreshBatches
from rnnbook.training.loop import train
from rnnbook.training.settings import Settings

THREADS = 1
SIGNS, MOST, WIDTH = NUM_LETTERS + NUM_DIGITS, 16, 32
STEPS, BATCH, LAST = 3000, 64, 100  # LAST: over how many steps at the end the loss is averaged
COUNTS = (1, 2, 4, 6, 8, 10, 12, 14, 16)  # numbers of pairs at which a network is judged
JUDGED, JUDGED_SEED = 500, 1_000_000_007  # sequences for each of them


def lstm(units: int) -> nn.Module:
    """An LSTM that has its state and nothing else."""
    return set_forget_bias(nn.LSTM(WIDTH, units, batch_first=True))


NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "LSTM, 96 units": lambda: CharacterModel(lstm(96), SIGNS),
    "LSTM, 288 units": lambda: CharacterModel(lstm(288), SIGNS),
    "matrix, 32 × 4": lambda: CharacterModel(KeepingLSTM(WIDTH, WIDTH, 4, matrix_state), SIGNS),
    "matrix, 32 × 16": lambda: CharacterModel(KeepingLSTM(WIDTH, WIDTH, 16, matrix_state), SIGNS),
    "looking back": lambda: CharacterModel(KeepingLSTM(WIDTH, WIDTH, 16, look_back), SIGNS),
    "transformer": lambda: Transformer(SIGNS, 64, layers=2, heads=1, window=3 * MOST),
    "rotary transformer": lambda: RotaryTransformer(SIGNS, 64, layers=2, heads=1),
}
RATES = dict.fromkeys(NETWORKS, (3e-3, 1e-2, 3e-2)) | {
    "LSTM, 96 units": (3e-3, 1e-2, 3e-2, 1e-1),
    "matrix, 32 × 4": (1e-3, 3e-3, 1e-2, 3e-2),
    "matrix, 32 × 16": (1e-3, 3e-3, 1e-2, 3e-2),
    "looking back": (3e-3, 1e-2, 3e-2, 1e-1),
    "transformer": (1.25e-4, 2.5e-4, 5e-4, 1e-3),
    "rotary transformer": (5e-4, 1e-3, 2e-3, 4e-3),
}
CHOSEN = {
    "LSTM, 96 units": 3e-2,
    "LSTM, 288 units": 1e-2,
    "matrix, 32 × 4": 1e-2,
    "matrix, 32 × 16": 3e-3,
    "looking back": 3e-2,
    "transformer": 2.5e-4,
    "rotary transformer": 2e-3,
}
SEEDS = (1, 2, 3)  # of the runs that count
TRIED = dict.fromkeys(NETWORKS, (0, 4, 5)) | {  # seeds with which a rate is chosen
    "transformer": (0,),  # it takes long
    "rotary transformer": (0,),
}


def settings(network: str, lr: float, seed: int, steps: int = STEPS) -> dict[str, Any]:
    """One run."""
    return {"network": network, "lr": lr, "steps": steps, "seed": seed}


CHOICE = [
    settings(net, lr, seed) for net, rates in RATES.items() for lr in rates for seed in TRIED[net]
]
RESULTS = [settings(net, lr, seed) for net, lr in CHOSEN.items() for seed in SEEDS]
RUNS = {
    f"{one['network']}, {one['lr']:g}, {one['steps']} steps, seed {one['seed']}": one
    for one in [*CHOICE, *RESULTS]
}


def batches(seed: int) -> FreshBatches:
    """Sequences of as many pairs as the generator of a step draws, from 1 to MOST."""

    def make(num_sequences: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        pairs = int(torch.randint(1, MOST + 1, (), generator=generator))
        return associative_recall(num_sequences, pairs, generator)

    return FreshBatches(make, BATCH, seed)


@torch.no_grad()
def share_right(model: nn.Module, pairs: int) -> float:
    """Which share of the digits a model says rightly, in fresh sequences of so many pairs."""
    x, y = associative_recall(JUDGED, pairs, torch.Generator().manual_seed(JUDGED_SEED))
    asked = y != IGNORED
    return (model(x)[0].argmax(dim=2) == y)[asked].float().mean().item()


def run(settings: dict[str, Any], stop: int | None = None) -> dict[str, Any]:
    """Train one network; see `rnnbook.studies`."""
    torch.manual_seed(settings["seed"])
    model = NETWORKS[settings["network"]]()
    chosen = Settings(steps=settings["steps"], lr=settings["lr"], seed=settings["seed"])
    losses = train(model, batches(settings["seed"]), chosen, stop=stop).losses
    model.eval()
    return {
        "parameters": sum(p.numel() for p in model.parameters()),
        "loss": round(sum(losses[-LAST:]) / LAST, 4),
        "right": [] if stop else [round(share_right(model, pairs), 4) for pairs in COUNTS],
        "trace": losses,
    }
