"""`python -m bookbuild` builds both editions; `chapter lstm` builds one chapter, and serves it.

The English edition is what `jupyter-book build .` makes. The Japanese one is made from the same
sources and the same executions, with the catalogues in book/locale/ja. `locale` brings these up to
date, `links` tries links to other sites, `zip` packs the site.
"""

import argparse
import shutil
import sys
import zipfile
from contextlib import suppress
from pathlib import Path

from bookbuild import catalogues, published, recovery
from bookbuild.running import BUILD, ROOT, sphinx, tell

JAPANESE = Path("book", "locale", "ja", "LC_MESSAGES")


def build_book() -> None:
    """Both editions. Beside each myst-nb writes working files, so the Japanese one is copied in."""
    tell("The English edition")
    run("html", BUILD / "html")
    tell("The Japanese edition")
    run("html", BUILD / "ja" / "html", language="ja")
    shutil.copytree(BUILD / "ja" / "html", BUILD / "html" / "ja", dirs_exist_ok=True)
    tell(f"The book is ready: open {Path('_build/html/index.html')}")


def update_catalogues() -> None:
    """Bring book/locale/ja up to date, and list what is to be translated. Run after the build."""
    templates = BUILD / "gettext" / "pot"
    shutil.rmtree(templates, ignore_errors=True)
    run("gettext", templates)
    new = {path.relative_to(templates): catalogues.read(path) for path in templates.rglob("*.pot")}
    new[Path("sphinx.pot")] = catalogues.words_of_the_frame(ROOT)
    tell("To be translated")
    for path, catalogue in sorted(new.items()):
        for line in catalogues.update((JAPANESE / path).with_suffix(".po"), catalogue):
            print(line)


def pack() -> None:
    """Pack the built site into one file, which lies in it, too: _build/html/rnnbook.zip."""
    site, archive = BUILD / "html", BUILD / "html" / "rnnbook.zip"
    others = {path for path in site.rglob("*") if published.FOLDER not in path.parts} - {archive}
    with zipfile.ZipFile(BUILD / "rnnbook.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        for path in sorted(others):  # without what other builds take from the site
            packed.write(path, path.relative_to(site))
    shutil.move(BUILD / "rnnbook.zip", archive)
    tell(f"The site is packed: {archive.relative_to(ROOT)}, {archive.stat().st_size / 1e6:.0f} MB")


def run(builder: str, output: Path, **settings: str) -> None:
    """Run Sphinx; exit where it fails."""
    if code := sphinx(builder, output, **settings):
        sys.exit(code)


TASKS = {
    "book": build_book,
    "locale": update_catalogues,
    "links": lambda: run("linkcheck", BUILD / "links"),  # broken ones are in its output.txt
    "zip": pack,
}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bookbuild", description=__doc__)
    parser.add_argument("task", nargs="?", choices=[*TASKS, "chapter"], default="book")
    parser.add_argument("name", nargs="?", default="", help="of the chapter, such as lstm")
    arguments = parser.parse_args()
    if arguments.task == "chapter":
        from bookbuild.chapter import show  # and with it, a server

        with suppress(KeyboardInterrupt):
            show(arguments.name)
    else:
        with recovery.turn(BUILD):
            TASKS[arguments.task]()
