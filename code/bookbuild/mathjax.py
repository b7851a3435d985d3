r"""Sets the formulas when the site is built, with MathJax in an engine within Python.

Why MathJax, and not MathML made at build time: of twenty equations of this kind, each converter
lost something (`\\[4pt]`, `\substack`, the columns of `aligned`, the width of arrows), and without
a font of half a megabyte σ, ∂ and θ were empty boxes. MathJax set every equation right, with the
same look everywhere, and gives screen readers MathML.

Why not MathJax in the reader's browser, as is usual: it costs each page 0.76 MB of scripts, and on
a slow phone seconds of work, while the text jumps as the formulas arrive.
"""

import json
import re
from functools import cache
from importlib.resources import files

from docutils import nodes
from py_mini_racer import MiniRacer
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number

logger = logging.getLogger(__name__)

MATHJAX = files("sphinx-mathjax-offline") / "static" / "mathjax"
COMPONENTS = [
    "core", "adaptors/liteDOM", "input/tex-full", "output/chtml", "output/chtml/fonts/tex",
    "a11y/assistive-mml",
]  # fmt: skip
START = """
var window = globalThis, console = { log() {}, warn() {}, error() {} };
var MathJax = {
  startup: { typeset: false },
  loader: {
    load: Object.keys(components),
    paths: { mathjax: "" },
    require: (path) => (0, eval)(components[path.replace(/^\\/|\\.js$/g, "")]),
  },
  tex: { packages: { "[-]": ["noerrors", "noundefined"] } },
  chtml: { matchFontHeight: false, scale: 1.08, fontURL: "FONTS", adaptiveCSS: false },
};
"""
TYPESET = "MathJax.startup.adaptor.outerHTML(MathJax.tex2chtml({tex}, {{display: {display}}}))"
STYLES = "MathJax.startup.adaptor.textContent(MathJax.chtmlStylesheet())"
NAME = re.compile(r"mjx-[\w-]+|TEX-\w+")
NOT_NEEDED = re.compile(  # by style sheets or readers
    r' (?:data-mjx-[\w-]+|unselectable)="[^"]*"| display="inline"'
)
MARKS = ",.;:!?)、。，）」"  # with none of them a line may begin


@cache
def _engine() -> MiniRacer:
    engine = MiniRacer()
    sources = {name: (MATHJAX / f"{name}.js").read_text("utf-8") for name in COMPONENTS}
    engine.eval(f"var components = {json.dumps(sources)};")
    engine.eval(START)
    engine.eval((MATHJAX / "startup.js").read_text("utf-8"))
    return engine


@cache
def typeset(tex: str, display: bool) -> str:
    """A formula in TeX as HTML, with MathML for screen readers.

    Raises:
        ValueError: MathJax does not understand the formula.
    """
    made = _engine().eval(TYPESET.format(tex=json.dumps(tex), display=json.dumps(display)))
    if "data-mjx-error" in made:
        message = made.split('data-mjx-error="')[1].split('"')[0]
        raise ValueError(f"{message}: {tex}")
    return NOT_NEEDED.sub("", made)


@cache
def _rules() -> list[tuple[str, set[str]]]:
    """Every rule of MathJax's style sheet, with the elements and classes that it is for."""
    rules = _engine().eval(STYLES).strip().split("\n\n")
    return [(rule, set(NAME.findall(rule.partition("{")[0]))) for rule in rules]


def styles(body: str, fonts: str) -> str:
    """The rules that the formulas in the HTML of a page need; their fonts are in `fonts`."""
    names = set(NAME.findall(body))
    return "\n".join(rule for rule, needs in _rules() if needs <= names).replace("FONTS", fonts)


# ------------------------------------------------------------------ in Sphinx


def html(formula: nodes.math | nodes.math_block) -> str:
    """What MathJax makes of a formula of a page; nothing of one that it does not understand."""
    tex, display = formula.astext(), isinstance(formula, nodes.math_block)
    if "\\\\" in tex and display and not formula["nowrap"]:
        tex = rf"\begin{{split}}{tex}\end{{split}}"
    try:
        return typeset(tex, display)
    except ValueError as error:
        logger.warning("%s", error, location=formula)
        return ""


class KeepMarks(SphinxPostTransform):
    """Keeps a formula and the marks right behind it in one line: browsers would part them."""

    default_priority = 800
    formats = ("html",)

    def run(self) -> None:
        for formula in list(self.document.findall(nodes.math)):
            after = formula.next_node(descend=False, siblings=True)
            if isinstance(after, nodes.Text) and after.startswith(tuple(MARKS)):
                siblings, place = formula.parent, formula.parent.index(formula)
                rest = after.lstrip(MARKS)
                marks = nodes.Text(after.removesuffix(rest))
                together = nodes.inline("", "", formula, marks, classes=["together"])
                siblings[place : place + 2] = [together, rest]


def _visit_inline(translator, node: nodes.math) -> None:
    translator.body.append(f'<span class="math">{html(node)}</span>')
    raise nodes.SkipNode


def _visit_display(translator, node: nodes.math_block) -> None:
    translator.body.append(translator.starttag(node, "div", CLASS="math"))
    if node["number"]:
        translator.body.append(f'<span class="eqno">({get_node_equation_number(translator, node)})')
        translator.add_permalink_ref(node, "")
        translator.body.append("</span>")
    translator.body.append(f"{html(node)}</div>\n")
    raise nodes.SkipNode


def _add_fonts(app: Sphinx, config: Config) -> None:
    if config.html_math_renderer == "built":
        config.html_static_path.append(str(MATHJAX / "output/chtml/fonts/woff-v2"))


def _add_styles(app: Sphinx, page: str, template: str, context: dict, doctree) -> None:
    if 'class="math"' in context.get("body", ""):
        context["math_styles"] = styles(context["body"], context["pathto"]("_static", 1))


def setup(app: Sphinx) -> None:
    app.add_html_math_renderer("built", (_visit_inline, None), (_visit_display, None))
    app.add_post_transform(KeepMarks)
    app.connect("config-inited", _add_fonts)
    app.connect("html-page-context", _add_styles)
