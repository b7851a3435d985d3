"""Live figures: pieces of HTML in which a model works under the reader's hands.

A demo is the output of a cell: one piece of HTML with its styles, its program and, if it has any,
its weights. So it works in JupyterLab and in Colab alike, and shows the very model that the cell
was given. The output also has these parts one by one, from which the site makes files that pages
share (`bookbuild.demos`). The programs are in the folder `js`; `recurrence.js` has the recurrences.
Without JavaScript, a still picture is shown.
"""

import base64
import hashlib
import html
import io
import json
from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from torch import Tensor

from rnnbook.demos.kinds import KINDS, MIME, program, style
from rnnbook.demos.weights import pack
from rnnbook.page.glue import glue


def show(
    name: str,
    kind: str,
    still: Figure,
    *,
    weights: Mapping[str, Tensor] | None = None,
    **settings: Any,
) -> None:
    """Show a demo, and keep it under `name` for its place in the chapter, as `plotting.show` does.

    `still` is shown where there is no JavaScript; its alternative text stands in the chapter, above
    the caption. `settings` are what the program of this kind reads; `weights` go with it: matrices
    (rows, columns) in 8 bits, vectors in 32. Raises `ValueError` for a kind that does not exist.
    """
    glue(name, Demo(kind, picture(still), weights, settings))
    plt.close(still)


def picture(figure: Figure) -> str:
    """The figure as SVG."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue()


class Demo:
    """What a notebook shows for a demo."""

    def __init__(self, kind: str, still: str, weights, settings: Mapping[str, Any]):
        if kind not in KINDS:
            raise ValueError(f"there is no demo {kind!r}; there are: {', '.join(KINDS)}")
        self.kind, self.still = kind, still
        self.packed = json.dumps(pack(weights)) if weights else ""
        self.settings = json.dumps(settings)

    def __repr__(self) -> str:
        return f"<the demo {self.kind}>"

    @property
    def name(self) -> str:
        """The name of its weights, made of their digest; empty if it has none."""
        return hashlib.sha256(self.packed.encode()).hexdigest()[:16] if self.packed else ""

    @property
    def model(self) -> str:
        """The JavaScript that lets its program find the weights."""
        return f'(window.rnnbookModels ??= {{}})["{self.name}"] = {self.packed};\n'

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, Any]:
        parts = {"kind": self.kind, "settings": self.settings, "still": self.still}
        weights = {"weights": self.name, "model": self.model} if self.packed else {}
        return {MIME: parts | weights}

    def _repr_html_(self) -> str:
        still = base64.b64encode(self.still.encode()).decode()
        return "\n".join(
            [
                f'<div class="rnn-demo" data-demo="{self.kind}" data-weights="{self.name}" '
                f'data-settings="{html.escape(self.settings)}"><img class="still" '
                f'src="data:image/svg+xml;base64,{still}" alt="{self.kind}, a picture"></div>',
                f"<style>\n{style()}</style>",
                f"<script>{self.model}</script>" if self.packed else "",
                f"<script>\n{program(self.kind)}</script>",
            ]
        )
