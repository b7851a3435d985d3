"""Says, at the end of a build, what each chapter took, and leaves it in `execution.json`."""

import json
import time
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.util import logging

logger = logging.getLogger(__name__)


def _report(app: Sphinx, error: Exception | None) -> None:
    pages = getattr(app.env, "nb_metadata", {})
    chapters = {
        name: {
            "seconds": round(data["exec_data"]["runtime"], 1),
            "succeeded": data["exec_data"]["succeeded"],
            "executed_now": data["exec_data"]["mtime"] >= app.bookbuild_start,
        }
        for name, data in sorted(pages.items())
        if "exec_data" in data
    }
    for name, chapter in chapters.items():
        now = "executed in" if chapter["executed_now"] else "from the cache; it took"
        logger.info(f"  {name}: {now} {chapter['seconds']} s")
    executed = sum(chapter["executed_now"] for chapter in chapters.values())
    logger.info(f"  {executed} of {len(chapters)} chapters executed")
    report = Path(app.outdir).parent / "execution.json"
    report.write_text(json.dumps({"chapters": chapters, "error": error and str(error)}, indent=2))


def setup(app: Sphinx) -> None:
    app.bookbuild_start = time.time()
    app.connect("build-finished", _report)
