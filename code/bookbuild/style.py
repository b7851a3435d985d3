"""The book's style sheet, with the colours of code for light and dark pages.

It stands in each page: as a file of its own it would keep a slow phone waiting for half a second
before anything is shown, and compressed it is 5 kB.
"""

from pathlib import Path

from pygments.styles import get_style_by_name
from pygments.token import STANDARD_TYPES
from sphinx.application import Sphinx
from sphinx.config import Config

LIGHT, DARK = "a11y-high-contrast-light", "a11y-high-contrast-dark"


def code_colours(light: str = LIGHT, dark: str = DARK) -> str:
    """A rule for each kind of token, with its colours in two styles of Pygments."""
    light, dark = map(get_style_by_name, (light, dark))
    rules = []
    for token, name in STANDARD_TYPES.items():
        day, night = (style.style_for_token(token)["color"] for style in (light, dark))
        if name and day and night:
            rules.append(f".highlight .{name} {{ color: light-dark(#{day}, #{night}); }}")
    return "\n".join(rules)


def _read(app: Sphinx, config: Config) -> None:
    source = Path(app.srcdir, "book", "_templates", "site.css")
    if source.exists():
        config.bookbuild_styles = f"{source.read_text('utf-8')}\n{code_colours()}"


def _add(app: Sphinx, page: str, template: str, context: dict, doctree) -> None:
    context["styles"] = app.config.bookbuild_styles


def setup(app: Sphinx) -> None:
    # A setting, so that Sphinx writes every page again when the styles have changed.
    app.add_config_value("bookbuild_styles", "", "html")
    app.connect("config-inited", _read)
    app.connect("html-page-context", _add)
