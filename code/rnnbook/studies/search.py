"""Which learning rate suits each network of the league of characters?

Every network is trained for 500 steps with each of five rates, one seed, on the training text
without its first 50,000 characters, and judged by these, in windows of 64 begun without a state.
The validation text is not used. `rnnbook.studies.shakespeare` then trains with the best rates.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from torch import nn

from rnnbook.data.shakespeare import HELD_OUT
from rnnbook.data.shakespeare_ids import load_ids
from rnnbook.layers.initialisation import set_forget_bias
from rnnbook.metrics.evaluation import windowed_loss
from rnnbook.models.deep_min_gru import DeepMinGRU
from rnnbook.models.recurrent import CharacterModel
from rnnbook.models.transformer import Transformer
from rnnbook.training.recipes.recipe import Recipe
from rnnbook.training.recipes.shakespeare import WINDOW, text_streams

THREADS = 1
STEPS = 500

# From the size of the vocabulary. All have about 0.8 million parameters, as many as nanoGPT's
# transformer for a processor. In one pass none has dropout: that is too little to learn a text by
# heart.
NETWORKS: dict[str, Callable[..., nn.Module]] = {
    "simple RNN": lambda V, p=0.0: CharacterModel(nn.RNN(128, 800, batch_first=True), V, p),
    "GRU": lambda V, p=0.0: CharacterModel(nn.GRU(128, 448, batch_first=True), V, p),
    "LSTM": lambda V, p=0.0: CharacterModel(
        set_forget_bias(nn.LSTM(128, 376, batch_first=True)), V, p
    ),
    "minGRU stack": lambda V, p=0.0: DeepMinGRU(V, dropout=p),
    "transformer": lambda V, p=0.0: Transformer(V, dropout=p),
}
LOWEST = {"LSTM": 4e-3, "minGRU stack": 4e-3}  # elsewhere 1e-3; each rate is twice the one before
RATES = {net: [LOWEST.get(net, 1e-3) * 2**k for k in range(5)] for net in NETWORKS}
RUNS = {f"{net}, {lr:g}": {"network": net, "lr": lr} for net in NETWORKS for lr in RATES[net]}


def recipe(network: str, lr: float, steps: int, seed: int = 0, dropout: float = 0.0) -> Recipe:
    """How a network of the league is trained."""
    return Recipe(
        network=partial(NETWORKS[network], p=dropout),
        batches=text_streams,
        steps=steps,
        lr=lr,
        betas=(0.9, 0.99),
        seed=seed,
    )


def run(settings: dict[str, Any], stop: int | None = None) -> dict[str, Any]:
    """Train one network with one learning rate; see `rnnbook.studies`."""
    ids, _, V = load_ids()
    chosen = recipe(settings["network"], settings["lr"], STEPS)
    model = chosen.model(V)
    history = chosen.train(model, ids[HELD_OUT:], stop=stop)
    if stop is not None:
        return {"trace": history.losses}
    loss = windowed_loss(model, ids[:HELD_OUT], WINDOW)
    return {"held_out": round(loss, 4), "trace": history.losses}
