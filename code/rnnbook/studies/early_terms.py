"""Is the gradient from early steps too small to learn from, or drowned by that from late ones?

The gradient of a recurrent layer's weights is a sum with a term for each step. Simple RNNs learn
which of 20 signs came first (the task, sizes, rate and steps of
`rnnbook.metrics.memory_span.train_on_first_sign`), but their layer is trained with the terms of
some steps only. The terms themselves are left as they are: however small those of the early steps
have become on their way back, no other is added to them. Adam divides the size of a gradient out.
The linear layer on top is trained as ever. One kind of run keeps all terms and has 40 times as
many sequences in each batch, so that what the late ones add by chance averages out.

`right` is the share of right answers on 1,000 new sequences. Chosen in trials with the seeds 0 to
4: the five early steps, and the size of the large batches.
"""

from typing import Any

import torch
from torch import Generator, Tensor
from torch.nn.functional import cross_entropy

from rnnbook.data.tasks import first_sign
from rnnbook.layers.recurrent import RNN
from rnnbook.metrics.evaluation import accuracy
from rnnbook.models.recurrent import SequenceClassifier
from rnnbook.training.batches import MiniBatches
from rnnbook.training.loop import train
from rnnbook.training.objectives import Objective
from rnnbook.training.settings import Settings

THREADS = 1
T, H, STEPS, LR = 20, 32, 600, 3e-3
KINDS = {  # the first and the last step whose terms are kept, and the sequences in a batch
    "all": (1, T, 50),
    "early": (1, 5, 50),
    "late": (6, T, 50),
    "all, large batches": (1, T, 2000),
}
RUNS = {
    f"{kind}, seed {seed}": {"kind": kind, "seed": seed} for kind in KINDS for seed in range(10, 15)
}


def run(settings: dict[str, Any], stop: int | None = None) -> dict[str, Any]:
    """Train one network; see `rnnbook.studies`."""
    first, last, size = KINDS[settings["kind"]]
    generator = Generator().manual_seed(1)
    x, y = first_sign(STEPS * size, T, generator)
    x_new, y_new = first_sign(1000, T, generator)
    seed = settings["seed"]
    torch.manual_seed(seed)
    model = SequenceClassifier(RNN(1, H), num_classes=2)
    chosen = Settings(steps=STEPS, lr=LR, seed=seed, objective=loss_with_terms_of(first, last))
    history = train(model, MiniBatches(x, y, size, seed), chosen, stop=stop)
    if stop is not None:
        return {"trace": history.losses}
    return {"right": accuracy(model, x_new, y_new), "trace": history.losses}


def loss_with_terms_of(first: int, last: int) -> Objective:
    """The cross-entropy of a classifier whose layer is a `layers.recurrent.RNN`.

    Its gradient has the terms of the steps `first` to `last` (from 1) only. It goes back through
    the states of all steps; but at the others the layer's weights are taken for constants.
    """

    def objective(model: SequenceClassifier, batch: Any, state: Any) -> tuple[Tensor, None]:
        x, y, _ = batch
        layer = model.layer
        h = x.new_zeros(len(x), layer.hidden_size)
        for t, x_t in enumerate(x.unbind(dim=1), start=1):
            weights = layer.W_xh, layer.W_hh, layer.b_h
            if not first <= t <= last:
                weights = tuple(w.detach() for w in weights)
            W_xh, W_hh, b_h = weights
            h = layer.nonlinearity(x_t @ W_xh + h @ W_hh + b_h)  # (B, H)
        return cross_entropy(model.head(h), y), None

    return objective
