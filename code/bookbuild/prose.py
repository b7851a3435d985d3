"""The book's own prose in both languages, as `rnnbook.data.pages` reads it.

It is taken from the catalogues of the Japanese edition, which hold both languages sentence by
sentence.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from babel.messages.pofile import read_po

JAPANESE = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")
MARKUP = re.compile(r"\{[\w:]+\}`[^`]*`|`+[^`]*`+|\$[^$]*\$|\]\([^)]*\)|<[^>]*>|[*_\[\]]")


def pairs(catalogues: Path) -> Iterator[tuple[str, str]]:
    """(English, Japanese) of every paragraph of the catalogues in a folder, without markup."""
    for path in sorted(catalogues.glob("*.po")):
        if path.stem == "api":  # descriptions of functions, not prose
            continue
        with open(path, "rb") as file:
            messages = [message for message in read_po(file) if message.id and message.string]
        for message in messages:
            english, japanese = plain(message.id), plain(message.string)
            translated = JAPANESE.search(japanese) and not JAPANESE.search(english)
            if translated and len(english) > 40:
                yield english, japanese


def plain(text: str) -> str:
    """The words of a paragraph in MyST Markdown, in one line."""
    return " ".join(MARKUP.sub("", text).split())
