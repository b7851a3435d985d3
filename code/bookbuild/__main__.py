"""`python -m bookbuild` builds both editions; `locale`, `links`, `zip` do what they say.

The English edition is what `jupyter-book build .` makes. The Japanese one is made from the same
sources and the same executions, with the catalogues in book/locale/ja.
"""

import argparse
import gc
import shutil
import sys
from pathlib import Path

# Grammars that jsonschema would build for two seconds, to check addresses that we do not have.
sys.modules.setdefault("rfc3987_syntax", None)  # pyrefly: ignore[no-matching-overload]

from jupyter_book.sphinx import build_sphinx  # noqa: E402

from bookbuild import catalogues, recovery  # noqa: E402

ROOT = Path.cwd()
BUILD = ROOT / "_build"
CACHE = BUILD / ".jupyter_cache"  # of the executions of both editions
JAPANESE = Path("book", "locale", "ja", "LC_MESSAGES")


def build_book() -> None:
    """Both editions. Beside each myst-nb writes working files, so the Japanese one is copied in."""
    tell("The English edition")
    sphinx("html", BUILD / "html")
    tell("The Japanese edition")
    sphinx("html", BUILD / "ja" / "html", language="ja")
    shutil.copytree(BUILD / "ja" / "html", BUILD / "html" / "ja", dirs_exist_ok=True)
    tell(f"The book is ready: open {Path('_build/html/index.html')}")


def update_catalogues() -> None:
    """Bring book/locale/ja up to date, and list what is to be translated. Run after the build."""
    templates = BUILD / "gettext" / "pot"
    shutil.rmtree(templates, ignore_errors=True)
    sphinx("gettext", templates)
    new = {path.relative_to(templates): catalogues.read(path) for path in templates.rglob("*.pot")}
    new[Path("sphinx.pot")] = catalogues.words_of_the_frame(ROOT)
    tell("To be translated")
    for path, catalogue in sorted(new.items()):
        for line in catalogues.update((JAPANESE / path).with_suffix(".po"), catalogue):
            print(line)


def pack() -> None:
    """Pack the built site into one file, which lies in it, too: _build/html/rnnbook.zip."""
    archive = BUILD / "html" / "rnnbook.zip"
    archive.unlink(missing_ok=True)
    packed = shutil.make_archive(str(BUILD / "rnnbook"), "zip", BUILD / "html")
    shutil.move(packed, archive)
    tell(f"The site is packed: {archive.relative_to(ROOT)}, {archive.stat().st_size / 1e6:.0f} MB")


def sphinx(builder: str, output: Path, **settings: str) -> None:
    """Run Sphinx with the settings of _config.yml, and others; warnings are errors.

    The English edition has those that `jupyter-book build .` gives it, or all would be read anew.
    """
    gc.set_threshold(100_000)  # to look for garbage among Sphinx's objects took a third of the time
    if output.parent != BUILD:
        settings["nb_execution_cache_path"] = str(CACHE)
    settings["external_toc_path"] = str(ROOT / "_toc.yml")
    result = build_sphinx(
        ROOT,
        output,
        builder=builder,
        path_config=ROOT / "_config.yml",
        noconfig=True,
        confoverrides={"latex_individualpages": False, **settings},  # it insists on the first
        warningiserror=True,
        keep_going=True,
    )
    if result != 0:  # or what was raised; it has been said already
        sys.exit(130 if isinstance(result, KeyboardInterrupt) else 1)


def tell(text: str) -> None:
    print(f"\n== {text}", flush=True)


TASKS = {
    "book": build_book,
    "locale": update_catalogues,
    "links": lambda: sphinx("linkcheck", BUILD / "links"),  # broken ones are in its output.txt
    "zip": pack,
}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bookbuild", description=__doc__)
    parser.add_argument("task", nargs="?", choices=TASKS, default="book")
    task = parser.parse_args().task
    with recovery.turn(BUILD):
        TASKS[task]()
