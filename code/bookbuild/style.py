"""The book's style sheet, with the colours of code for light and dark pages, and its script.

The sheet stands in each page: as a file of its own it would keep a slow phone waiting for half a
second before anything is shown, and compressed it is 5 kB. What in a program has the colour of
plain text gets no element of its own: names and brackets are two thirds of a page's elements of
code.
"""

import zlib

from jinja2 import Template
from pygments.formatters import HtmlFormatter
from pygments.styles import get_style_by_name
from pygments.token import STANDARD_TYPES, Text
from sphinx.application import Sphinx
from sphinx.config import Config

STYLES = [get_style_by_name(f"a11y-high-contrast-{theme}") for theme in ("light", "dark")]
COLOURS = {kind: [one.style_for_token(kind)["color"] for one in STYLES] for kind in STANDARD_TYPES}
PLAIN = {kind for kind, colours in COLOURS.items() if colours == COLOURS[Text]}


class Formatter(HtmlFormatter):
    """Writes code as Pygments does, but what is PLAIN as text."""

    def format_unencoded(self, tokensource, outfile) -> None:
        tokens = ((Text if kind in PLAIN else kind, text) for kind, text in tokensource)
        super().format_unencoded(tokens, outfile)


def code_colours() -> str:
    """A rule for each kind of token that is not PLAIN, with its colours in both styles."""
    return "\n".join(
        f".highlight .{STANDARD_TYPES[kind]} {{ color: light-dark(#{day}, #{night}); }}"
        for kind, (day, night) in COLOURS.items()
        if day and night and kind not in PLAIN
    )


def _add(app: Sphinx, config: Config) -> None:
    """What all pages have. When it changes, Sphinx writes them again, as for every setting."""
    for name, more in (("site", code_colours()), ("front", ""), ("slides", "")):
        if (sheet := app.srcdir / f"book/_templates/{name}.css").exists():
            styles = " ".join(Template(sheet.read_text("utf-8")).render().split())  # no comments
            config.html_context[f"{name}_styles"] = f"{styles}\n{more}"
    if (script := app.srcdir / "book/_static/site.js").exists():
        config.html_context["script"] = f"site.js?{zlib.crc32(script.read_bytes()):08x}"


def _set_formatter(app: Sphinx) -> None:
    if app.builder.format == "html":
        app.builder.highlighter.formatter = Formatter


def setup(app: Sphinx) -> None:
    app.connect("builder-inited", _set_formatter)
    app.connect("config-inited", _add)
