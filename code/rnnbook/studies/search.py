"""Which learning rate suits each network of the league of characters?

Every network is trained for 500 steps with each of five rates, one seed, on the training text
without its first 50,000 characters, and judged by these, in windows of 64 begun without a state.
The validation text is not used. `rnnbook.studies.shakespeare` then trains with the best rates.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from rnnbook.cells import set_forget_bias
from rnnbook.data.shakespeare import load_rebuilt
from rnnbook.data.text import Vocabulary
from rnnbook.models import CharacterModel
from rnnbook.rivals import MinGRUStack, Transformer
from rnnbook.training import History, Streams, train, windowed_loss

THREADS = 1
STEPS = 500
STREAMS, WINDOW = 16, 64  # a batch of text is (16, 64) characters
HELD_OUT = 50_000  # characters at the beginning of the training text

# From the size of the vocabulary. All have about 0.8 million parameters, as many as nanoGPT's
# transformer for a processor. None has dropout: one pass is too little to learn a text by heart.
NETWORKS: dict[str, Callable[[int], nn.Module]] = {
    "simple RNN": lambda V: CharacterModel(nn.RNN(128, 800, batch_first=True), V),
    "GRU": lambda V: CharacterModel(nn.GRU(128, 448, batch_first=True), V),
    "LSTM": lambda V: CharacterModel(set_forget_bias(nn.LSTM(128, 376, batch_first=True)), V),
    "minGRU stack": lambda V: MinGRUStack(V),
    "transformer": lambda V: Transformer(V),
}
LOWEST = {"LSTM": 4e-3, "minGRU stack": 4e-3}  # elsewhere 1e-3; each rate is twice the one before
RATES = {net: [LOWEST.get(net, 1e-3) * 2**k for k in range(5)] for net in NETWORKS}
RUNS = {f"{net}, {lr:g}": {"network": net, "lr": lr} for net in NETWORKS for lr in RATES[net]}


def run(settings: dict[str, Any], stop: int | None = None) -> dict[str, Any]:
    """Train one network with one learning rate; see `rnnbook.study`."""
    ids, _, V = load_text()
    net, lr = settings["network"], settings["lr"]
    model, history = train_network(net, V, ids[HELD_OUT:], lr, seed=0, steps=STEPS, stop=stop)
    if stop is not None:
        return {"trace": history.losses}
    loss = windowed_loss(model, ids[:HELD_OUT], WINDOW)
    return {"held_out": round(loss, 4), "trace": history.losses}


def load_text() -> tuple[Tensor, Tensor, int]:
    """The training and the validation text as numbers, and the size of the vocabulary.

    It is the rebuilt text, which can be had everywhere, so that a record can be made again.
    """
    text = load_rebuilt()
    vocabulary = Vocabulary(text.text)
    return vocabulary.encode(text.train), vocabulary.encode(text.validation), len(vocabulary)


def train_network(
    name: str, vocabulary_size: int, ids: Tensor, lr: float, seed: int, steps: int, stop: int | None
) -> tuple[nn.Module, History]:
    """Make a network and train it on ids (N,), carrying the state as the book's recipe does."""
    torch.manual_seed(seed)
    model = NETWORKS[name](vocabulary_size)
    streams = Streams(ids, STREAMS, WINDOW)
    options = {"betas": (0.9, 0.99), "seed": seed, "stop": stop}
    return model, train(model, streams, steps=steps, lr=lr, **options)
