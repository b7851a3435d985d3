"""One look for every figure of the book."""

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from matplotlib_inline.backend_inline import set_matplotlib_formats

from rnnbook.page.glue import glue

# The hues of Okabe and Ito (2008), told apart with any kind of colour vision; the light ones are
# darker here, so that every line stands out from white at 3 to 1 or more.
COLORS = ["#0072B2", "#B36B00", "#009E73", "#CC79A7", "#3A95CC", "#C23B22"]
INK = "#333333"


def use_book_style() -> None:
    """Draw the figures of this notebook in the style of the book, as vector graphics."""
    # Without a date, and with the salt below, the same figure gives the same file.
    set_matplotlib_formats("svg", metadata={"Date": None})
    plt.rcParams.update(
        {
            "axes.edgecolor": INK,
            "axes.labelcolor": INK,
            "axes.prop_cycle": plt.cycler(color=COLORS),
            "axes.spines.right": False,
            "axes.spines.top": False,
            "figure.constrained_layout.use": True,
            "figure.figsize": (6.4, 3.2),
            "font.size": 10,
            "grid.color": "#dddddd",
            "image.cmap": "gray_r",  # ink on paper
            "image.interpolation": "none",  # each value a square; and the files are small
            "legend.frameon": False,
            "lines.linewidth": 1.8,
            "mathtext.fontset": "cm",  # the letters of the formulas on the page
            "svg.hashsalt": "rnnbook",
            "text.color": INK,
            "xtick.color": INK,
            "ytick.color": INK,
        }
    )


def show(name: str, figure: Figure) -> None:
    """Show `figure`, and keep it under `name` for a caption elsewhere in the chapter.

    A cell that calls this has the tag `remove-output`: on the page, the figure then stands in
    its `{glue:figure}`; in a live notebook, below the cell.
    """
    glue(name, figure)
    plt.close(figure)  # or Jupyter would show it a second time
