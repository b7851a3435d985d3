"""What is done with the catalogues in book/locale: `make locale`, and the book's own prose."""

import re
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po, write_po
from markdown_it.renderer import RendererHTML
from myst_parser.config.main import MdParserConfig
from myst_parser.parsers.mdit import create_md_parser

from bookbuild.words import all_words

HEAD = """msgid ""
msgstr ""
"Language: ja\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"

"""  # without dates: only messages change
MYST = create_md_parser(MdParserConfig(enable_extensions={"dollarmath"}), RendererHTML)
JAPANESE = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")


def read(path: Path) -> Catalog:
    with open(path, "rb") as file:
        return read_po(file)


def messages(path: Path) -> list[Message]:
    """The messages of a catalogue."""
    return [message for message in read(path) if message.id]


def words_of_the_frame(root: Path) -> Catalog:
    """A catalogue without translations, as Sphinx makes them of the pages."""
    catalogue = Catalog()
    for words in all_words(root):
        catalogue.add(words)
    return catalogue


def update(path: Path, new: Catalog, pending: frozenset[str] = frozenset()) -> Iterator[str]:
    """Bring a catalogue up to date with the messages of today; names those to be translated.

    What is new in the catalogue of a `pending` page stays empty: no old message is offered.
    """
    catalogue = read(path) if path.exists() else Catalog()
    catalogue.update(new, no_fuzzy_matching=path.stem in pending)
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "wb") as file:
        file.write(HEAD.encode())
        write_po(file, catalogue, omit_header=True, no_location=True, ignore_obsolete=True)
    for message in catalogue:
        if message.id and (message.fuzzy or not message.string):
            yield f"{path}: {'changed' if message.fuzzy else 'new'}: {message.id[:60]}"


# ------------------------------------------------------------------ the book's own prose


def pairs(catalogues: Path) -> Iterator[tuple[str, str]]:
    """(English, Japanese) of every paragraph of the catalogues in a folder, without markup."""
    for path in sorted(catalogues.glob("*.po")):
        if path.stem == "api":  # descriptions of functions, not prose
            continue
        for message in messages(path):
            english, japanese = plain(message.id), plain(message.string)
            translated = JAPANESE.search(japanese) and not JAPANESE.search(english)
            if translated and len(english) > 40:
                yield english, japanese


def plain(text: str) -> str:
    """The words of a paragraph in MyST Markdown, in one line, without formulas, code and roles."""
    (paragraph,) = MYST.parseInline(text)
    words = [
        token.content or " "  # nothing is the end of a line
        for token in paragraph.children
        if token.type in ("text", "softbreak")
    ]
    return " ".join("".join(words).split())
