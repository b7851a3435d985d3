"""What is each part of an LSTM for? Kinds of cells with at most equal numbers of parameters.

The task is `store_a_number`: a number has to be stored when a flag says so, kept while others go
by, and said when another flag asks. Every kind of cell is as large as it can be without having
more parameters than an LSTM of 16 units. Of each kind twenty networks are trained; those of one
seed meet the same sequences in the same order, whatever their kind, and the LSTMs with forget
bias 1 and 0 of one seed begin with the same weights but for those biases.

A network is judged on 1,000 sequences that no network was trained on, the same for all, by the
share of the variance that it leaves where it is asked: its mean squared error there, divided by
that of the best answer that does not know the number, 0.

Fixed before any run with these seeds: the one comparison that is tested is that of forget bias 1
with forget bias 0, seed by seed, after the last step: of how many of the twenty seeds does bias 1
leave less? (A sign test, two-sided.) Every other comparison is exploration. The task, its length,
the number of steps and the learning rate were chosen in trials with the seeds 100 to 103. One
more run gives the simple RNN more steps and a lower learning rate.
"""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from rnnbook.data.tasks import NUMBER_FLOOR, store_a_number
from rnnbook.layers import ablations
from rnnbook.layers.initialisation import chrono_start, orthogonal_start
from rnnbook.layers.recurrent import GRU, LSTM, RNN
from rnnbook.training.batches import MiniBatches
from rnnbook.training.settings import Settings
from rnnbook.training.side_by_side import side_by_side, train_side_by_side

THREADS = 1  # the tensors are small
T, RATE = 100, 0.03  # steps, and the probability of each flag at a step
STEPS, BATCH, LR = 600, 32, 1e-2
WEIGHT = 10.0  # of the steps where a number is asked for, which are few
EVERY = 100  # steps between two looks at the test sequences
SEEDS = range(20)
LAGS = (1, 3, 6, 11, 21, 41, T)  # from the store to the question: 1 to 2, 3 to 5, and so on

CELLS: dict[str, Callable[[int], nn.Module]] = {
    "simple RNN": lambda H: RNN(3, H),
    "simple RNN, orthogonal start": lambda H: orthogonal_start(RNN(3, H)),
    "LSTM, forget bias 1": lambda H: LSTM(3, H, 1.0),
    "LSTM, forget bias 0": lambda H: LSTM(3, H, 0.0),
    "LSTM, chrono start": lambda H: chrono_start(LSTM(3, H), T),
    "no input gate": lambda H: ablations.NoInputGate(3, H),
    "no forget gate": lambda H: ablations.NoForgetGate(3, H),
    "no output gate": lambda H: ablations.NoOutputGate(3, H),
    "coupled gates": lambda H: ablations.CoupledGates(3, H),
    "GRU": lambda H: GRU(3, H),
}
RUNS = {cell: {"cell": cell, "steps": STEPS, "lr": LR, "seeds": [*SEEDS]} for cell in CELLS}
RUNS |= {"simple RNN, longer": {**RUNS["simple RNN"], "steps": 1500, "lr": 3e-3}}


class Teller(nn.Module):
    """Reads a sequence and says a number at every step; one network, or a stack of them."""

    def __init__(self, layer: nn.Module):
        super().__init__()
        head = nn.Linear(layer.hidden_size, 1)
        self.layer, self.W, self.b = layer, nn.Parameter(head.weight.data.T), head.bias

    def forward(self, x: Tensor) -> Tensor:
        """x (…, B, T, D) → a number at every step, (…, B, T)."""
        state: Any = x.new_zeros(*x.shape[:-2], self.layer.hidden_size)
        if isinstance(self.layer, LSTM):
            state = state, state
        states = []
        for x_t in x.unbind(dim=-2):
            state = self.layer.step(x_t, state)
            states.append(state[0] if isinstance(state, tuple) else state)
        h = torch.cat(states, dim=-2)  # (…, T B, H)
        said = (h @ self.W + self.b).squeeze(-1)
        return said.unflatten(-1, (x.shape[-2], x.shape[-3])).transpose(-1, -2)


def num_parameters(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def units(make: Callable[[int], nn.Module]) -> int:
    """How many units a kind of cell may have: not more parameters than an LSTM of 16 has."""
    limit, H = num_parameters(LSTM(3, 16)), 1
    while num_parameters(make(H + 1)) <= limit:
        H += 1
    return H


def network(cell: str, seed: int) -> nn.Module:
    """A new network of a kind, on its own."""
    H = units(CELLS[cell])
    torch.manual_seed(seed)
    return Teller(CELLS[cell](H))


def losses_of(model: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    """The mean squared error of each network, (S,), what is asked for with its WEIGHT."""
    weight = 1 + (WEIGHT - 1) * x[..., 2]
    return (weight * (model(x) - y).square()).mean(dim=(-1, -2))


def lags(x: Tensor) -> Tensor:
    """How long ago a number was stored, at every step, (N, T)."""
    steps = torch.arange(x.shape[1])
    return steps - torch.where(x[..., 1] == 1, steps, 0).cummax(dim=1).values


@torch.no_grad()
def left(model: nn.Module, x: Tensor, y: Tensor) -> dict[str, list]:
    """What each network leaves: where asked, for each span of LAGS, and where to be silent."""
    size = len(model.W)
    errors = (model(x.expand(size, *x.shape)) - y).square()  # (S, N, T)
    asked, lag = x[..., 2] == 1, lags(x)
    spans = [asked & (lag >= a) & (lag < b) for a, b in pairwise(LAGS)]
    by_lag = torch.stack([errors[:, span].mean(dim=1) for span in spans], dim=1) / NUMBER_FLOOR
    return {
        "left": rounded(errors[:, asked].mean(dim=1) / NUMBER_FLOOR),
        "left_by_lag": [rounded(row) for row in by_lag],
        "unasked": rounded(errors[:, ~asked].mean(dim=1)),
    }


def rounded(values: Tensor) -> list[float]:
    return [float(f"{value:.4g}") for value in values.tolist()]


def run(settings: dict[str, Any], stop: int | None = None) -> dict[str, Any]:
    """Train the networks of one kind, all seeds side by side; see `rnnbook.studies`."""
    cell = settings["cell"]
    generator = torch.Generator().manual_seed(1)
    examples = store_a_number(20_000, T, generator, RATE)
    test = store_a_number(1000, T, generator, RATE)
    networks = side_by_side([network(cell, seed) for seed in settings["seeds"]])
    batches = [MiniBatches(*examples, BATCH, seed) for seed in settings["seeds"]]
    looks = []
    chosen = Settings(steps=settings["steps"], lr=settings["lr"])
    losses = train_side_by_side(
        networks,
        batches,
        losses_of,
        chosen,
        evaluate=lambda model: looks.append(left(model, *test)),
        evaluate_every=EVERY,
        stop=stop,
    )
    return {
        "units": networks.layer.hidden_size,
        "parameters": num_parameters(network(cell, 0).layer),
        "left": [look["left"] for look in looks],
        "left_by_lag": looks[-1]["left_by_lag"],
        "unasked": looks[-1]["unasked"],
        "trace": [sum(row) / len(row) for row in losses],
    }
