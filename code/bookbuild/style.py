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


def code_colours() -> str:
    """A rule for each kind of token, with its colours in two styles of Pygments."""
    styles = [get_style_by_name(name) for name in (LIGHT, DARK)]
    rules = []
    for token, name in STANDARD_TYPES.items():
        day, night = (style.style_for_token(token)["color"] for style in styles)
        if name and day and night:
            rules.append(f".highlight .{name} {{ color: light-dark(#{day}, #{night}); }}")
    return "\n".join(rules)


def _add(app: Sphinx, config: Config) -> None:
    sheet = Path(app.srcdir, "book", "_templates", "site.css")
    if sheet.exists():  # when it changes, Sphinx writes every page again, as for every setting
        config.html_context["styles"] = f"{sheet.read_text('utf-8')}\n{code_colours()}"


def setup(app: Sphinx) -> None:
    app.connect("config-inited", _add)
