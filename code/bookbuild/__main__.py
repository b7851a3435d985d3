"""`python -m bookbuild` builds both editions; `locale`, `pages`, `links`, `zip` do what they say.

The English edition is what `jupyter-book build .` makes. The Japanese one is made from the same
sources and the same executions, with the catalogues in book/locale/ja.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

from babel.messages.catalog import Message
from babel.messages.pofile import read_po

from bookbuild import failures, prose
from bookbuild.languages import JAPANESE
from rnnbook.data import pages

ROOT = Path.cwd()
BUILD = ROOT / "_build"
LOCALE = ROOT / "book" / "locale"
CATALOGUES = LOCALE / "ja" / "LC_MESSAGES" / "book"


def main(what: str = "book") -> None:
    tasks = {
        "book": build_book,
        "locale": update_catalogues,
        "pages": copy_prose,
        "links": try_links,
        "zip": pack,
    }
    tasks[what]()


def build_book() -> None:
    """Both editions, in _build/html and _build/html/ja."""
    with failures.turn(BUILD):
        fetch_data()
        say("The English edition")
        sphinx("html", BUILD / "html")
        say("The Japanese edition")
        build_japanese()
    say(f"The book is ready: open {Path('_build/html/index.html')}")


def fetch_data() -> None:
    """Fetch what the chapters need, once, so that they need not wait for each other later."""
    fetched = BUILD / "data-fetched"
    if not fetched.exists():
        say("The data")
        run("python", "-m", "rnnbook", "data")
        fetched.touch()


def build_japanese() -> None:
    """Build beside the English edition, then move in with it.

    Not in place: myst-nb writes its working files beside the folder it builds into, and these
    are not to be published.
    """
    sphinx("html", BUILD / "ja" / "html", JAPANESE)
    shutil.rmtree(BUILD / "html" / "ja", ignore_errors=True)
    shutil.copytree(BUILD / "ja" / "html", BUILD / "html" / "ja")


def update_catalogues() -> None:
    """Bring book/locale/ja up to date, and list what is to be translated. Run after the build."""
    pot = BUILD / "gettext" / "pot"
    shutil.rmtree(pot, ignore_errors=True)
    sphinx("gettext", pot)
    run("sphinx-intl", "update", "--no-obsolete", "-p", pot, "-d", LOCALE, "-l", "ja")
    say("To be translated")
    for path in sorted(LOCALE.rglob("*.po")):
        path.write_text(without_dates(path.read_text("utf-8")), "utf-8")
        for message in untranslated(path):
            state = "changed" if message.fuzzy else "new"
            print(f"{path.relative_to(ROOT)}: {state}: {message.id[:60]}")


def without_dates(catalogue: str) -> str:
    """A catalogue with as much of its header as is needed, so that only messages change in it."""
    catalogue = catalogue[catalogue.index('msgid ""\n') :]
    kept = "Language|MIME-Version|Content-Type|Content-Transfer-Encoding"
    head, messages = catalogue.split("\n\n", 1)
    head = re.sub(rf'\n"(?!(?:{kept}): ).*"', "", head)
    return f"{head}\n\n{messages}"


def untranslated(path: Path) -> list[Message]:
    """The messages of a catalogue that have no translation, or one of another sentence."""
    with open(path, "rb") as file:
        catalogue = read_po(file)
    return [
        message for message in catalogue if message.id and (message.fuzzy or not message.string)
    ]


def copy_prose() -> None:
    """Copy today's prose to where `rnnbook.data.pages` reads it; a chapter trains on it anew."""
    lines = [f"{english}\t{japanese}\n" for english, japanese in prose.pairs(CATALOGUES)]
    pages.COPY.write_text("".join(lines), "utf-8")
    say(f"{len(lines)} paragraphs copied; mend the date in rnnbook/data/pages.py")


def try_links() -> None:
    """Try every link to another site; those that fail are in _build/links/output.txt."""
    sphinx("linkcheck", BUILD / "links")


def pack() -> None:
    """Pack the built site into one file, which lies in it, too: _build/html/rnnbook.zip."""
    archive = BUILD / "html" / "rnnbook.zip"
    archive.unlink(missing_ok=True)
    packed = shutil.make_archive(str(BUILD / "rnnbook"), "zip", BUILD / "html")
    shutil.move(packed, archive)
    say(f"The site is packed: {archive.relative_to(ROOT)}, {archive.stat().st_size / 1e6:.0f} MB")


def sphinx(builder: str, output: Path, overrides: dict | None = None) -> None:
    """Run Sphinx with the settings of _config.yml and `overrides`; warnings are errors.

    Nothing is executed that the English edition has executed: they share a cache. The English
    edition itself has the settings that `jupyter-book build .` gives it, or all would be read anew.
    """
    # It checks the settings with jsonschema, which imports, where it can, a second of grammars for
    # kinds of addresses that no setting of ours has.
    sys.modules["rfc3987_syntax"] = None
    from jupyter_book.sphinx import build_sphinx

    overrides = overrides or {}
    if output != BUILD / "html":
        overrides = {**overrides, "nb_execution_cache_path": str(BUILD / ".jupyter_cache")}
    result = build_sphinx(
        ROOT,
        output,
        builder=builder,
        path_config=ROOT / "_config.yml",
        noconfig=True,
        confoverrides={
            "external_toc_path": str(ROOT / "_toc.yml"),
            "latex_individualpages": False,  # build_sphinx insists on it
            **overrides,
        },
        warningiserror=True,
        keep_going=True,
    )
    if result != 0:
        sys.exit(f"Sphinx failed: {result}")


def run(command: str, *arguments: object) -> None:
    """Run a command of this environment; if that fails, stop with its exit code."""
    program = Path(sys.executable).with_name(command)
    result = subprocess.run([str(program), *map(str, arguments)])
    if result.returncode:
        sys.exit(result.returncode)


def say(text: str) -> None:
    print(f"\n== {text}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
