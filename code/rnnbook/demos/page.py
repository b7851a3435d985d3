"""Live figures: pieces of HTML in which a model works under the reader's hands.

A demo is the output of a cell: one piece of HTML with its styles, its program and, if it has any,
its weights. So it works in the site, in JupyterLab and in Colab alike, and shows the very model
that the cell was given. (When the site is written, `bookbuild.demos` moves the program and the
weights into files that pages share.) The programs are in the folder `js`; `recurrence.js` has the
recurrences. Without JavaScript, a still picture is shown.
"""

import base64
import hashlib
import html
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from torch import Tensor

from rnnbook.demos.weights import pack
from rnnbook.glue import glue

JS = Path(__file__).parent / "js"
KINDS = ("digits", "gates", "gradient", "trainer", "writer")


def show(
    name: str,
    kind: str,
    still: Figure,
    *,
    alt: str,
    weights: Mapping[str, Tensor] | None = None,
    **settings: Any,
) -> None:
    """Show a demo, and keep it under `name` for its place in the chapter, as `plotting.show` does.

    `still` is shown, with the text `alt`, where there is no JavaScript. `settings` are what the
    program of this kind reads; `weights` go with it: matrices (rows, columns) in 8 bits, vectors
    in 32. Raises `ValueError` for a kind that does not exist.
    """
    glue(name, Demo(kind, picture(still), alt, weights, settings))
    plt.close(still)


def picture(figure: Figure) -> str:
    """The figure as the address of an SVG that holds its own data."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    return "data:image/svg+xml;base64," + base64.b64encode(buffer.getvalue()).decode()


class Demo:
    """What a notebook shows for a demo."""

    def __init__(self, kind: str, still: str, alt: str, weights, settings: Mapping[str, Any]):
        if kind not in KINDS:
            raise ValueError(f"there is no demo {kind!r}; there are: {', '.join(KINDS)}")
        self.kind, self.still, self.alt = kind, still, alt
        self.packed = json.dumps(pack(weights)) if weights else ""
        self.settings = json.dumps(settings)

    def __repr__(self) -> str:
        return f"<the demo {self.kind}: {self.alt}>"

    def _repr_html_(self) -> str:
        name = hashlib.sha256(self.packed.encode()).hexdigest()[:16] if self.packed else ""
        root = (
            f'<div class="rnn-demo" data-demo="{self.kind}" data-weights="{name}" '
            f'data-settings="{html.escape(self.settings)}">'
            f'<img class="still" src="{self.still}" alt="{html.escape(self.alt)}"></div>'
        )
        model = f'(window.rnnbookModels ??= {{}})["{name}"] = {self.packed};' if name else ""
        return "\n".join(
            [
                root,
                f'<style data-demo-part="style">\n{style()}</style>',
                f'<script data-demo-part="model">{model}</script>' if model else "",
                f'<script data-demo-part="program">\n{program(self.kind)}</script>',
            ]
        )


def style() -> str:
    """The style sheet of all demos."""
    return (JS / "demo.css").read_text("utf-8")


def program(kind: str) -> str:
    """The JavaScript of a demo, closed in itself: nothing on the page can clash with it."""
    files = ("recurrence.js", "widget.js", f"{kind}.js")
    body = "\n".join((JS / file).read_text("utf-8") for file in files)
    return f'(() => {{\n"use strict";\n{body}\n}})();\n'
