"""Looking inside a recurrent network: its gradient at every time step, its gates, its states.

Works on the layers of `rnnbook.layers.recurrent`, whose steps can be taken one at a time. To look
into a layer of PyTorch's, copy it first: `LSTM.from_torch(layer)`.
"""

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from rnnbook.layers.recurrent import LSTM
from rnnbook.models.recurrent import SequenceClassifier


def state_gradients(model: SequenceClassifier, x: Tensor, y: Tensor) -> Tensor:
    """∂L/∂h_t for every t, (B, T, H), where L is a sequence's loss after the last step.

    x is (B, T, D), y (B,). Its norm says how strongly a small change of the state at t changes
    the loss.
    """
    return _gradients(model, x, y)[0]


def cell_gradients(model: SequenceClassifier, x: Tensor, y: Tensor) -> Tensor:
    """∂L/∂c_t for every t, (B, T, H): `state_gradients` for the cell states of an LSTM.

    The change of h_t that c_t causes is included. Raises `TypeError` for another layer.
    """
    if not isinstance(model.layer, LSTM):
        raise TypeError(f"{type(model.layer).__name__} has no cell state")
    return _gradients(model, x, y)[1]


def _gradients(model: SequenceClassifier, x: Tensor, y: Tensor) -> tuple[Tensor, ...]:
    layer = model.layer
    zeros = x.new_zeros(len(x), layer.hidden_size, requires_grad=True)
    state = (zeros, zeros) if isinstance(layer, LSTM) else zeros
    states = []  # one tuple for each step: (h,) or (h, c)
    for x_t in x.unbind(dim=1):
        state = layer.step(x_t, state)
        states.append(state if isinstance(state, tuple) else (state,))
    loss = cross_entropy(model.head(states[-1][0]), y, reduction="sum")
    # The sum: each sequence then has the gradient of its own loss, whatever the batch.
    wanted = [part for parts in states for part in parts]
    gradients = torch.autograd.grad(loss, wanted, materialize_grads=True)
    kinds = len(states[0])
    return tuple(torch.stack(gradients[k::kinds], dim=1) for k in range(kinds))


@torch.no_grad()
def gate_traces(lstm: LSTM, x: Tensor) -> dict[str, Tensor]:
    """The gates and states of an LSTM that reads x (B, T, D): i, f, g, o, h, c, (B, T, H) each."""
    h = c = x.new_zeros(len(x), lstm.hidden_size)
    steps = []
    for x_t in x.unbind(dim=1):
        gates = lstm.gates(x_t, h)
        h, c = lstm.step(x_t, (h, c))
        steps.append((*gates, h, c))
    traces = [torch.stack(trace, dim=1) for trace in zip(*steps, strict=True)]
    return dict(zip("ifgohc", traces, strict=True))
