"""A live figure in which spoken digits are read, frame by frame, by two networks."""

import base64
from collections.abc import Sequence
from typing import Any

import torch
from matplotlib.figure import Figure
from torch import Tensor

from rnnbook.data.speech import Recording
from rnnbook.demos import figure as page
from rnnbook.demos.weights import linear, lstm_weights
from rnnbook.models.speech import FrameReader

SCALE = 20  # of the coefficients, in whole numbers of 8 bits


def show(
    name: str,
    still: Figure,
    one: FrameReader,
    both: FrameReader,
    recordings: Sequence[Recording],
    opening: str,
    scale: tuple[Tensor, Tensor],
) -> None:
    """Show strings of recordings, and what two networks hear in them.

    `one` reads in one direction, `both` in both. The figure opens with the digits `opening`, each
    the first of its kind in `recordings`; the reader joins others, so all ten digits must be there.
    `scale` are mean and standard deviation of each coefficient before it was scaled, (13,) both:
    with them the frames can be heard. `name` and `still` are as in `page.show`.
    """
    weights = weights_of("one", one) | weights_of("both", both)
    page.show(name, "speech", still, weights=weights, **settings_of(recordings, opening, scale))


def settings_of(
    recordings: Sequence[Recording], opening: str, scale: tuple[Tensor, Tensor]
) -> dict[str, Any]:
    """What the program reads beside the weights."""
    mean, spread = ([round(value, 3) for value in part.tolist()] for part in scale)
    known = [encode(recording) for recording in recordings]
    return {
        "recordings": known,
        "scale": SCALE,
        "opening": opening,
        "mean": mean,
        "spread": spread,
    }


def encode(recording: Recording) -> dict[str, Any]:
    """A recording as the page keeps it: each coefficient as a whole number in 8 bits."""
    whole = (recording.frames * SCALE).round().clamp(-127, 127).to(torch.int8)
    frames = base64.b64encode(whole.contiguous().numpy().tobytes()).decode()
    return {"digit": recording.digit, "frames": frames}


def weights_of(name: str, model: FrameReader) -> dict[str, Tensor]:
    """The weights of a model as `frame_reader.js` names them, beginning with `name`."""
    found = linear(f"{name}.head", model.head)
    for i, layer in enumerate(model.layers):
        ways = {"forwards": layer}
        if model.both_ways:
            ways = {"forwards": layer.forwards, "backwards": layer.backwards}
        for way, lstm in ways.items():
            for part, weight in lstm_weights(lstm).items():
                found[f"{name}.{i}.{way}.{part}"] = weight
    return found
