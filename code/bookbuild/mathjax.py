r"""Serves MathJax with the site, from a package, so that math needs no network.

Why MathJax, and not MathML made at build time: both were tried on twenty equations of this kind
in Chromium, wide and narrow, with and without a math font on the machine. MathML by math-core
printed `\\[4pt]` as text, did not know `\substack`, and left arrows and wide accents unstretched;
by latex2mathml it lost the columns of `aligned`; and without a font of half a megabyte served by
us, σ, ∂ and θ were empty boxes on a machine that has none. MathJax set every equation right, with
the same look everywhere, and gives screen readers MathML. It costs 0.76 MB of scripts (a fifth of
that compressed) and half a second until the formulas stand.
"""

from importlib.util import find_spec
from pathlib import Path
from shutil import copyfile

from sphinx.application import Sphinx

# Of the package's 24 MB, what a page with TeX input and CHTML output may ask for.
FILES = [
    "startup.js",
    "core.js",
    "input/tex.js",
    "input/tex/extensions/*.js",
    "output/chtml.js",
    "output/chtml/fonts/tex.js",
    "output/chtml/fonts/woff-v2/*.woff",
    "a11y/assistive-mml.js",
]


def _copy(app: Sphinx, error: Exception | None) -> None:
    if error or app.builder.format != "html":
        return
    source = Path(find_spec("sphinx-mathjax-offline").origin).parent / "static" / "mathjax"
    target = Path(app.outdir, "_static", "mathjax")
    for pattern in FILES:
        for path in source.glob(pattern):
            copy = target / path.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copyfile(path, copy)


def setup(app: Sphinx) -> None:
    app.connect("build-finished", _copy)
