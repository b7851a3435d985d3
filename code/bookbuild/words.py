"""The words of the frame: those in `_("…")` in code and templates, and in `say("…")` in scripts.

They stand there in English. The catalogue `sphinx.po` has them in the language of an edition:
Sphinx looks up those of code and templates; scripts find theirs in the element `#words` of the
page. Where there is no such element, as in a notebook, a live figure speaks English.
"""

import json
from functools import cache
from pathlib import Path

import yaml
from babel.messages.extract import extract_from_file
from sphinx.application import Sphinx
from sphinx.locale import _

from bookbuild.editions import ORIGINAL
from rnnbook.demos.kinds import KINDS as DEMOS

SCRIPTS = ["book/_static/*.js", "code/rnnbook/demos/js/*.js"]
SOURCES = ["code/bookbuild/*.py", "book/_templates/*.html", *SCRIPTS]
LANGUAGES = {".py": "python", ".html": "jinja2", ".js": "javascript"}
MARKS = dict.fromkeys(["_", "say", "gettext"])  # of words; the last stands for {% trans %}


@cache
def words_in(path: Path) -> list[str]:
    """The words of a program or a template that are to be translated."""
    found = extract_from_file(LANGUAGES[path.suffix], path, keywords=MARKS)
    return [words for _, words, _, _ in found]


def all_words(root: Path) -> list[str]:
    """Those of all of them, and the title of the book."""
    title = yaml.safe_load((root / "_config.yml").read_text("utf-8"))["title"]
    paths = [path for glob in SOURCES for path in sorted(root.glob(glob))]
    return [title, *(words for path in paths for words in words_in(path))]


def _add_words(app: Sphinx, page: str, template: str, context: dict, doctree) -> None:
    """Give the scripts of a page their words, if the page is not in English."""
    if app.config.language == ORIGINAL:
        return
    demos = [kind for kind in DEMOS if f'data-demo="{kind}"' in context.get("body", "")]
    names = {"site.js", "widget.js", *(name for kind in demos for name in DEMOS[kind])}
    paths = [path for glob in SCRIPTS for path in app.srcdir.glob(glob) if path.name in names]
    words = {english: _(english) for path in paths for english in words_in(path)}
    context["words"] = json.dumps(words, ensure_ascii=False)


def setup(app: Sphinx) -> None:
    app.connect("html-page-context", _add_words)
