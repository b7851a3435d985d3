"""A live figure in which a pen writes kanji, alone or after strokes of the reader's."""

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure
from torch import Tensor

from rnnbook.data.kanji_strokes import Stroke
from rnnbook.demos import figure as page
from rnnbook.demos.weights import linear, lstm_weights
from rnnbook.models.kanji import Pen


def show(
    name: str,
    still: Figure,
    model: Pen,
    beginnings: Mapping[str, Sequence[Stroke]],
    temperature: float,
) -> None:
    """Show a pen that writes.

    `beginnings` are strokes with which the reader may let it begin, by their signs. `name` and
    `still` are as in `page.show`.
    """
    strokes = {sign: list(some) for sign, some in beginnings.items()}
    page.show(
        name,
        "kanji",
        still,
        weights=weights_of(model),
        beginnings=strokes,
        temperature=temperature,
    )


def weights_of(model: Pen) -> dict[str, Tensor]:
    """The weights of a model as `pen.js` names them."""
    return lstm_weights(model.lstm) | linear("head", model.head)
