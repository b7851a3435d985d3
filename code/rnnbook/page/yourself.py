"""Compares what a reader has written in a section "Write it yourself" with what it should do."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import numpy as np


def compare(mine: Callable, reference: Callable, *inputs: Any, tolerance: float = 1e-4) -> None:
    """Call both functions with `inputs` and print "Right", or what differs first.

    They return an array or a tensor, or a tuple of them, and are given inputs of their own.
    `tolerance` is that of `np.allclose`, relative and absolute. An error of `mine` is printed, not
    raised, so that a page with an empty function can be built.
    """
    print(_verdict(mine, reference, inputs, tolerance))


def _verdict(mine: Callable, reference: Callable, inputs: tuple, tolerance: float) -> str:
    name, wanted = mine.__name__, _arrays(reference(*deepcopy(inputs)))
    try:
        found = mine(*deepcopy(inputs))
    except Exception as error:  # whatever a beginner's function may raise
        return f"{name} stops with {type(error).__name__}: {error}"
    if found is None:
        return f"{name} returns nothing yet."
    try:
        found = _arrays(found)
    except Exception:  # of many kinds: for a list of tensors, a dictionary
        return f"{name} returns a {type(found).__name__}; an array or a tensor is expected."
    if len(found) != len(wanted):
        return f"{name} returns {len(found)} results; {len(wanted)} are expected."
    for number, (one, other) in enumerate(zip(found, wanted, strict=True), 1):
        which = f" {number}" if len(wanted) > 1 else ""
        if one.shape != other.shape:
            return f"Result{which} has the shape {one.shape}; expected is {other.shape}."
        if wrong := _first_difference(one, other, tolerance):
            return f"Result{which} is wrong, first {wrong}."
    return "Right."


def _arrays(result: Any) -> list[np.ndarray]:
    parts = result if isinstance(result, tuple) else (result,)
    arrays = [np.asarray(part.detach() if hasattr(part, "detach") else part) for part in parts]
    if any(array.dtype.kind not in "biufc" for array in arrays):
        raise TypeError("these are no numbers")
    return arrays


def _first_difference(one: np.ndarray, other: np.ndarray, tolerance: float) -> str:
    close = np.isclose(one, other, rtol=tolerance, atol=tolerance)
    if close.all():
        return ""
    place = tuple(int(i) for i in np.argwhere(~close)[0])
    where = f"at index {place}: " if place else ""
    return f"{where}{one[place]:.4g}; expected is {other[place]:.4g}"
