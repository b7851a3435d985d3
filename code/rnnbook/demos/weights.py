"""Weights for a web page: matrices in 8 bits, vectors in 32."""

import base64
import copy
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

LARGEST = 127  # of the whole numbers that stand for the weights


def pack(weights: Mapping[str, Tensor]) -> list[dict[str, Any]]:
    """Matrices (rows, columns) and vectors (n,) as base64, little-endian.

    Each row of a matrix has a scale of its own; its largest weight becomes ±127. Raises
    `ValueError` for a weight that is not finite.
    """
    return [pack_one(name, weight.detach()) for name, weight in weights.items()]


def pack_one(name: str, weight: Tensor) -> dict[str, Any]:
    """A matrix or a vector with its name. Raises `ValueError` for what is not finite."""
    if not weight.isfinite().all():
        raise ValueError(f"{name} holds a weight that is not finite; train the model again")
    if weight.dim() == 1:
        return {"name": name, "shape": list(weight.shape), "values": encode(weight.float())}
    whole, scales = quantise(weight)
    return {
        "name": name,
        "shape": list(weight.shape),
        "scales": encode(scales),
        "values": encode(whole),
    }


def quantise(weight: Tensor) -> tuple[Tensor, Tensor]:
    """A matrix (rows, columns) as whole numbers, int8, and a scale for each row (rows,)."""
    scales = (weight.abs().amax(dim=1) / LARGEST).clamp(min=1e-30).float()
    return (weight / scales[:, None]).round().to(torch.int8), scales


def quantised(model: nn.Module) -> nn.Module:
    """A copy of a model with its matrices rounded to 8 bits, as a page gets them."""
    model = copy.deepcopy(model)
    with torch.no_grad():
        for weight in model.parameters():
            if weight.dim() == 2:
                whole, scales = quantise(weight)
                weight.copy_(whole * scales[:, None])
    return model


def encode(values: Tensor) -> str:
    """The bytes of numbers as base64, one number behind the other, row by row."""
    return base64.b64encode(values.contiguous().numpy().tobytes()).decode()


def lstm_weights(layer: nn.LSTM, ending: str = "l0") -> dict[str, Tensor]:
    """The weights of a one-layer `nn.LSTM` as `recurrence.js` names them.

    With the ending "l0_reverse", those of its second direction.
    """
    W_x, W_h, b_x, b_h = (
        getattr(layer, f"{name}_{ending}")
        for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    )
    return {"W_x": W_x, "W_h": W_h, "b": b_x + b_h}  # PyTorch keeps two biases, of one effect


def linear(name: str, layer: nn.Linear) -> dict[str, Tensor]:
    """The matrix of a linear layer, and its bias if it has one."""
    bias = {} if layer.bias is None else {f"{name}_b": layer.bias}
    return {name: layer.weight, **bias}
