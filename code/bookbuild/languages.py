"""Two editions: the switch that stays on the page, and a word where a translation is missing."""

import re
from gettext import translation
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

EDITIONS = {"en": "English", "ja": "日本語"}
ORIGINAL = "en"  # its pages lie at the top of the site, the others in a folder of their own
JAPANESE = {  # settings of Sphinx and myst-nb for the Japanese edition
    "language": "ja",
    "html_title": "RNN入門 ― 最初の一歩からシェイクスピアまで",
    "numfig_format": {"figure": "図 %s", "table": "表 %s"},
    "nb_code_prompt_show": "コードを表示",
    "nb_code_prompt_hide": "コードを隠す",
}
UNFINISHED = "このページの日本語訳はまだ完成していません。訳のない部分は英語のまま表示しています。"


def address(language: str, other: str, page: str) -> str:
    """The address of `page` in the edition `other`, seen from the same page in `language`."""
    up = page.count("/") + (language != ORIGINAL)
    folder = "" if other == ORIGINAL else f"{other}/"
    return f"{'../' * up}{folder}{page}.html"


class FindCells(SphinxTransform):
    """Lets the cells of tables be translated: Sphinx passes over text that has no place."""

    default_priority = 5  # before Sphinx looks for translations

    def apply(self) -> None:
        for cell in self.document.findall(nodes.entry):
            for paragraph in cell.findall(nodes.paragraph):
                if not paragraph.source:
                    paragraph.source, paragraph.line = self.document["source"], 1


def with_translated_parts(app: Sphinx, chapters: str) -> str:
    """The list of chapters; the captions of its parts are in the catalogue of the front page."""
    folder = Path(app.srcdir, app.config.locale_dirs[0])
    languages = [app.config.language]
    catalogue = translation(app.config.root_doc, folder, languages, fallback=True)
    return re.sub(r'(?<=caption-text">)[^<]+', lambda match: catalogue.gettext(match[0]), chapters)


def _add_switch(app: Sphinx, page: str, template: str, context: dict, doctree) -> None:
    context["editions"] = [
        {"language": other, "name": name, "address": address(app.config.language, other, page)}
        for other, name in EDITIONS.items()
    ]


def _say_what_is_missing(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    # Sphinx marks what it could translate; of images it never says that they are.
    missing = any(
        node.get("translated") is False and not isinstance(node, nodes.image)
        for node in doctree.findall(nodes.Element)
    )
    if app.config.language == "ja" and missing:
        note = nodes.note("", nodes.paragraph("", UNFINISHED))
        first_section = next(doctree.findall(nodes.section))
        first_section.insert(1, note)


def _say_what_is_english(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """The works that are cited are named in English, in both editions."""
    for citation in doctree.findall(nodes.citation):
        citation["classes"].append("language-en")  # docutils makes it the attribute `lang`


def _let_go(app: Sphinx, doctree: nodes.document) -> None:
    """Forget the small documents in which Sphinx has parsed translations: they are kept on disk."""
    for node in doctree.findall():
        node.document = doctree


def setup(app: Sphinx) -> None:
    app.connect("doctree-read", _let_go)
    app.add_transform(FindCells)
    app.connect("html-page-context", _add_switch)
    app.connect("doctree-resolved", _say_what_is_missing)
    app.connect("doctree-resolved", _say_what_is_english)
