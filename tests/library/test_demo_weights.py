"""What goes into a live figure, and its recurrences, without a browser."""

import json
from pathlib import Path

import pytest
import torch
from py_mini_racer import JSEvalException, MiniRacer
from torch import nn

from rnnbook.demos import weights
from rnnbook.layers.recurrent import LSTM, RNN


def test_a_weight_that_is_not_finite_is_not_packed():
    for weight in (torch.tensor([[1.0, torch.nan]]), torch.tensor([torch.inf])):
        with pytest.raises(ValueError, match="W holds a weight that is not finite"):
            weights.pack({"W": weight})


@pytest.fixture(scope="module")
def javascript():
    context = MiniRacer()
    context.eval((Path(weights.__file__).parent / "js" / "recurrence.js").read_text("utf-8"))
    return context


def read(javascript, kind, W_x, W_h, b, xs) -> torch.Tensor:
    """The hidden states of a layer of recurrence.js that reads the vectors xs."""
    program = f"""JSON.stringify((() => {{
      const rows = (lists) => rowsOf(Float64Array.from(lists.flat()), lists[0].length);
      const layer = new {kind}(rows({W_x}), rows({W_h}), Float64Array.from({b}));
      return layer.forward({xs}).map((step) => [...step.h]);
    }})())"""
    return torch.tensor(json.loads(javascript.eval(program)), dtype=torch.float64)


SUMS = {"RNN": 1, "LSTM": 4}


def numbers(*shape):
    generator = torch.Generator().manual_seed(sum(shape))
    return torch.randn(*shape, generator=generator, dtype=torch.float64).tolist()


@pytest.mark.parametrize("kind", SUMS)
def test_the_states_are_those_of_our_cells(kind, javascript):
    torch.manual_seed(0)
    layer = getattr(nn, kind)(2, 3, batch_first=True).double()
    x = torch.randn(1, 5, 2, dtype=torch.float64)
    bias = (layer.bias_ih_l0 + layer.bias_hh_l0).tolist()
    parts = layer.weight_ih_l0.tolist(), layer.weight_hh_l0.tolist(), bias
    ours = {"RNN": RNN, "LSTM": LSTM}[kind].from_torch(layer)
    states = read(javascript, kind, *parts, x[0].tolist())
    torch.testing.assert_close(states, ours(x)[0][0].detach(), rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", SUMS)
@pytest.mark.parametrize("wrong", ["x", "W_x", "W_h", "b", "W_x b", "W_x W_h b"])
def test_weights_and_inputs_that_do_not_fit_are_refused(kind, wrong, javascript):
    rows = 3 * SUMS[kind]
    parts = {"W_x": numbers(rows, 2), "W_h": numbers(rows, 3), "b": numbers(rows)}
    x = [numbers(1 if wrong == "x" else 2)]
    for part in wrong.split():
        if part != "x":
            parts[part] = parts[part][:-1]
    with pytest.raises(JSEvalException, match=r"does not fit|rows"):
        read(javascript, kind, *parts.values(), x)
