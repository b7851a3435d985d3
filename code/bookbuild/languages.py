"""Two editions: the switch that stays on the page, and a word where a translation is missing."""

from docutils import nodes
from sphinx.application import Sphinx

EDITIONS = {"en": "English", "ja": "日本語"}
ORIGINAL = "en"  # its pages lie at the top of the site, the others in a folder of their own
UNFINISHED = "このページの日本語訳はまだ完成していません。訳のない部分は英語のまま表示しています。"


def address(language: str, other: str, page: str) -> str:
    """The address of `page` in the edition `other`, seen from the same page in `language`."""
    up = page.count("/") + (language != ORIGINAL)
    folder = "" if other == ORIGINAL else f"{other}/"
    return f"{'../' * up}{folder}{page}.html"


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


def setup(app: Sphinx) -> None:
    app.connect("html-page-context", _add_switch)
    app.connect("doctree-resolved", _say_what_is_missing)
