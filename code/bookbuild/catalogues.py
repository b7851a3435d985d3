"""What is done with the catalogues in book/locale: `make locale`."""

from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import generate_po, read_po
from sphinx.application import Sphinx

from bookbuild.editions import ORIGINAL
from bookbuild.words import all_words
from rnnbook.files import write_atomically

HEAD = """msgid ""
msgstr ""
"Language: ja\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"

"""  # without dates: only messages change


def read(path: Path) -> Catalog:
    return read_po(path.read_bytes().splitlines())


def messages(path: Path) -> list[Message]:
    """The messages of a catalogue."""
    return [message for message in read(path) if message.id]


def translations(app: Sphinx, name: str) -> dict[str, str]:
    """What the catalogue `name` has in the language of the edition, by the English words.

    Without what is the same in both; of the English edition nothing.
    """
    language = app.config.language
    if language == ORIGINAL:
        return {}
    path = Path(app.srcdir, app.config.locale_dirs[0], language, "LC_MESSAGES", f"{name}.po")
    return {one.id: one.string for one in messages(path) if one.string not in ("", one.id)}


def words_of_the_frame(root: Path) -> Catalog:
    """A catalogue without translations, as Sphinx makes them of the pages."""
    catalogue = Catalog()
    for words in all_words(root):
        catalogue.add(words)
    return catalogue


def update(path: Path, new: Catalog) -> Iterator[str]:
    """Bring a catalogue up to date with the messages of today; names those to be translated."""
    catalogue = read(path) if path.exists() else Catalog()
    catalogue.update(new)
    lines = generate_po(catalogue, omit_header=True, no_location=True, ignore_obsolete=True)
    write_atomically(path, (HEAD + "".join(lines)).encode())
    for message in catalogue:
        if message.id and (message.fuzzy or not message.string):
            yield f"{path}: {'changed' if message.fuzzy else 'new'}: {message.id[:60]}"
