"""How the weights of a layer start: PyTorch's way, and those that help it to remember.

What is called a start takes a layer, one of the book's (`rnnbook.layers.recurrent`) or PyTorch's of
the same name, with one layer and one direction, and returns it.
"""

import torch
from torch import Tensor, nn


def uniform_weights(input_size: int, hidden_size: int) -> tuple[nn.Parameter, ...]:
    """W_x (D, H), W_h (H, H) and b (H,), uniform in ±1/√H, as PyTorch starts its weights."""
    bound = hidden_size**-0.5
    shapes = (input_size, hidden_size), (hidden_size, hidden_size), (hidden_size,)
    return tuple(nn.Parameter(torch.empty(shape).uniform_(-bound, bound)) for shape in shapes)


@torch.no_grad()
def set_forget_bias(layer: nn.LSTM, value: float = 1.0) -> nn.LSTM:
    """Start the forget gates of an `nn.LSTM`, of any number of layers, with the bias `value`.

    PyTorch adds two biases; the second one is set to zero.
    """
    H = layer.hidden_size
    for k in range(layer.num_layers):
        getattr(layer, f"bias_ih_l{k}")[H : 2 * H] = value
        getattr(layer, f"bias_hh_l{k}")[H : 2 * H] = 0.0
    return layer


def log_spans(units: int, longest: int) -> Tensor:
    """ln u (units,), with u uniform in (1, longest - 1). Raises `ValueError` below 3."""
    if longest < 3:
        raise ValueError(f"the longest lag is {longest}; it must be 3 or more")
    return torch.empty(units).uniform_(1, longest - 1).log()


@torch.no_grad()
def chrono_start(layer: nn.Module, longest: int) -> nn.Module:
    """Start an LSTM with forget biases ln u and input biases -ln u.

    u is uniform in (1, longest - 1): each cell begins with a memory of about u steps (Tallec and
    Ollivier, 2018).
    """
    H, spans = layer.hidden_size, log_spans(layer.hidden_size, longest)
    if isinstance(layer, nn.LSTM):
        layer.bias_ih_l0[: 2 * H] = torch.cat([-spans, spans])  # PyTorch's order: i, f, g, o
        layer.bias_hh_l0[: 2 * H] = 0  # PyTorch adds two biases
    else:
        layer.b_i.copy_(-spans)
        layer.b_f.copy_(spans)
    return layer


@torch.no_grad()
def orthogonal_start(layer: nn.Module) -> nn.Module:
    """Start a simple RNN with an orthogonal recurrent matrix."""
    _, W_hh, *_ = layer.parameters()
    nn.init.orthogonal_(W_hh)
    return layer


@torch.no_grad()
def identity_start(layer: nn.Module, input_std: float | None = None) -> nn.Module:
    """Start a simple RNN with the identity as its recurrent matrix, and with biases of zero.

    With ReLU this is the IRNN of Le et al. (2015), who also start the weights of the inputs
    small: normal, with the standard deviation `input_std` (theirs is 0.001).
    """
    W_xh, W_hh, *biases = layer.parameters()
    nn.init.eye_(W_hh)
    if input_std is not None:
        nn.init.normal_(W_xh, std=input_std)
    for b in biases:
        nn.init.zeros_(b)
    return layer
