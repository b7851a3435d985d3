"""Running Sphinx as `jupyter-book build .` does, with the settings of _config.yml and others."""

import gc
import sys
from pathlib import Path

# Grammars that jsonschema would build for two seconds, to check addresses that we do not have.
sys.modules.setdefault("rfc3987_syntax", None)  # pyrefly: ignore[no-matching-overload]

from jupyter_book.sphinx import build_sphinx  # noqa: E402

ROOT = Path.cwd()
BUILD = ROOT / "_build"
CACHE = BUILD / ".jupyter_cache"  # of the executions of all editions


def sphinx(builder: str, output: Path, page: str = "", **settings: str | list[str]) -> int:
    """Run Sphinx, for all pages or one; the exit code. For all pages, warnings are errors.

    The English edition has the settings that `jupyter-book build .` gives it, or all would be read
    anew.
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
        warningiserror=not page,
        keep_going=not page,
        filenames=[str(ROOT / f"{page}.md")] if page else [],
    )
    if isinstance(result, KeyboardInterrupt):
        return 130
    return int(result != 0)  # or what was raised; it has been said already


def tell(text: str) -> None:
    print(f"\n== {text}", flush=True)
