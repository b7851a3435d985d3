"""Writes the HTML of a page as plain Markdown, for notebooks opened where MyST is unknown.

In the HTML, in whichever language, a reference has its number, a citation its authors, and a pasted
value its digits. markdownify knows HTML; what follows is what Sphinx writes in a way of its own.
"""

from html import escape

from bs4 import NavigableString, Tag
from markdownify import MarkdownConverter

SIGNS = str.maketrans({sign: f"\\{sign}" for sign in "\\`*_[]<&$|~"})


class Markdown(MarkdownConverter):
    """Calls the method that is named after a tag; `text` is what is within, as Markdown."""

    class Options:
        heading_style = "atx"
        bullets = "-"

        @staticmethod
        def code_language_callback(pre: Tag) -> str:
            kind, *_ = pre.find_parent(class_="notranslate")["class"]
            return kind.removeprefix("highlight-")

    def escape(self, text: str, parent_tags: set[str]) -> str:
        return text.translate(SIGNS)

    def process_text(self, text: NavigableString, parent_tags: set[str]) -> str:
        """A formula stays as it is."""
        is_formula = "math" in text.parent.get("class", [])
        return str(text) if is_formula else super().process_text(text, parent_tags)

    def convert_span(self, tag: Tag, text: str, parent_tags: set[str]) -> str:
        """The number of a figure or an exercise, in bold."""
        return f"**{text.strip()}** " if "caption-number" in tag.get("class", []) else text

    def convert_details(self, tag: Tag, text: str, parent_tags: set[str]) -> str:
        """A fold, which Markdown takes from HTML."""
        return f"\n\n<details>{text.strip()}\n\n</details>\n\n"

    def convert_summary(self, tag: Tag, text: str, parent_tags: set[str]) -> str:
        return f"<summary>{escape(tag.get_text())}</summary>\n\n"

    def convert_dt(self, tag: Tag, text: str, parent_tags: set[str]) -> str:
        """A term, an item of a list: Markdown has no definitions."""
        return f"- {text.strip()}: "

    def convert_dd(self, tag: Tag, text: str, parent_tags: set[str]) -> str:
        return f"{text.strip()}\n"
