"""The prose of this book's own chapters, in English and in Japanese: the same content, twice.

It comes from the catalogues of the Japanese edition, book/locale/ja, which hold both languages
sentence by sentence. Formulas, code, numbers quoted from cells and links are left out.
"""

import hashlib
import re
import sysconfig
from pathlib import Path

from babel.messages.pofile import read_po

CATALOGUES = Path(__file__).parents[3] / "book" / "locale" / "ja" / "LC_MESSAGES" / "book"
if not CATALOGUES.exists():  # the package was installed without its repository, as in Colab
    CATALOGUES = Path(sysconfig.get_path("data"), "share", "rnnbook", "pages")

JAPANESE = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")
MARKUP = re.compile(r"\{[\w:]+\}`[^`]*`|`+[^`]*`+|\$[^$]*\$|\]\([^)]*\)|<[^>]*>|[*_\[\]]")


def load_pages() -> list[tuple[str, str]]:
    """(English, Japanese) of every paragraph, heading and caption that is longer than a few words.

    Raises `FileNotFoundError` when the catalogues are not there.
    """
    paths = sorted(CATALOGUES.glob("*.po"))
    if not paths:
        raise FileNotFoundError(f"the pages of the book are not in {CATALOGUES}")
    pairs = []
    for path in paths:
        if path.stem == "api":  # descriptions of functions, not prose
            continue
        with open(path, "rb") as file:
            messages = [message for message in read_po(file) if message.id and message.string]
        pairs += [(plain(message.id), plain(message.string)) for message in messages]
    return [
        (english, japanese)
        for english, japanese in pairs
        if len(english) > 40 and JAPANESE.search(japanese) and not JAPANESE.search(english)
    ]


def plain(text: str) -> str:
    """The words of a paragraph in MyST Markdown, in one line."""
    return " ".join(MARKUP.sub("", text).split())


def digest() -> str:
    """The digest of the text, on which the chapters that train on it depend."""
    return hashlib.sha256(repr(load_pages()).encode()).hexdigest()
