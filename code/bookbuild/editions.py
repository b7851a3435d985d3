"""The editions: English, and translations made of the same sources with the same executions.

Sentences of the pages are translated by Sphinx; for words of the frame see `bookbuild.words`.
"""

import re

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.locale import _
from sphinx.transforms import SphinxTransform

EDITIONS = {"en": "English", "ja": "日本語"}
ORIGINAL = "en"  # its pages lie at the top of the site, the others in a folder of their own


def place(language: str, page: str) -> str:
    """Where a page of an edition lies, from the top of the site."""
    return f"{page}.html" if language == ORIGINAL else f"{language}/{page}.html"


def way_up(app: Sphinx, page: str) -> str:
    """The way from a page of the edition that is being built to the top of the site."""
    return "../" * place(app.config.language, page).count("/")


class FindCells(SphinxTransform):
    """Lets the cells of tables be translated: Sphinx passes over text that has no place."""

    default_priority = 5  # before Sphinx looks for translations

    def apply(self) -> None:
        for cell in self.document.findall(nodes.entry):
            for paragraph in cell.findall(nodes.paragraph):
                if not paragraph.source:
                    paragraph.source, paragraph.line = self.document["source"], 1


def _translate_settings(app: Sphinx, config: Config) -> None:
    config.html_title = _(config.html_title)
    config.nb_code_prompt_show = _("Show code cell {type}")
    config.nb_code_prompt_hide = _("Hide code cell {type}")


def _add_switch(app: Sphinx, page: str, template: str, context: dict, doctree) -> None:
    context["top"], context["languages"] = way_up(app, page), EDITIONS
    context["editions"] = {code: place(code, page) for code in EDITIONS}


# Of a text that is the same in both languages, such as a name or a number, and of words of the
# frame Sphinx says that it is not translated.
JAPANESE, ENGLISH = re.compile("[ぁ-んァ-ヶ一-龠]"), re.compile("[A-Za-z]{2,} [A-Za-z]{2,}")


def _is_missing(node: nodes.Element) -> bool:
    """Whether an element should have been translated and is not; of images Sphinx never says it."""
    if node.get("translated") is not False or isinstance(node, nodes.image):
        return False
    text = node.astext()
    return bool(ENGLISH.search(text)) and not JAPANESE.search(text)


def _say_what_is_missing(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    missing = list(filter(_is_missing, doctree.findall(nodes.Element)))
    if app.config.language != ORIGINAL and missing:
        for node in missing:
            node["classes"] += ["untranslated", "language-en"]
        words = _("A new version of this page is being translated. What is marked is in English.")
        first_section = next(doctree.findall(nodes.section))
        first_section.insert(1, nodes.note("", nodes.paragraph("", words)))


def _let_go(app: Sphinx, doctree: nodes.document) -> None:
    """Forget the small documents in which Sphinx has parsed translations: they are kept on disk."""
    for node in doctree.findall():
        node.document = doctree


def setup(app: Sphinx) -> None:
    # Not above: myst-nb imports this package for every book (the entry point in pyproject.toml).
    from sphinx_external_toc.events import InsertToctrees

    app.add_transform(FindCells)
    InsertToctrees.default_priority = 5  # so that the captions of the parts are translated, too
    app.connect("config-inited", _translate_settings)
    app.connect("doctree-read", _let_go)
    app.connect("doctree-resolved", _say_what_is_missing)
    app.connect("html-page-context", _add_switch)
