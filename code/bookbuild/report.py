"""Says what each chapter took: at the end of a build, in `execution.json`, and on a page.

The page has the directive `{build-report}`. What is said of a chapter was recorded when it was
executed, by a hidden cell at its end, so it is right when the chapter comes from the cache, too.
"""

import json
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.locale import _
from sphinx.util import logging

from bookbuild import gathering
from bookbuild.tables import table

logger = logging.getLogger(__name__)

GLUED = "bookbuild-machine"  # the name under which the hidden cell leaves its record
CELL = f"""
from rnnbook import machine
from rnnbook.page.glue import glue
glue("{GLUED}", None, shown=False, machine=machine.describe())
"""


def records(app: Sphinx) -> dict[str, dict]:
    """What is known of the execution of each chapter; of one that failed, not all."""
    found = {}
    for name, data in gathering.executions(app.env).items():
        machine = gathering.outputs(app.env, name).get(GLUED)
        found[name] = {
            "seconds": data["runtime"],
            "succeeded": data["succeeded"],
            "executed_now": name in app.bookbuild_executed,
            **(machine["metadata"]["machine"] if machine else {}),
        }
    return found


def _report(app: Sphinx, error: Exception | None) -> None:
    chapters = records(app)
    for name, chapter in chapters.items():
        now = "executed in" if chapter["executed_now"] else "from the cache; it took"
        logger.info(f"  {name}: {now} {chapter['seconds']:.1f} s")
    executed = sum(chapter["executed_now"] for chapter in chapters.values())
    logger.info(f"  {executed} of {len(chapters)} chapters executed")
    report = Path(app.outdir).parent / "execution.json"
    report.write_text(json.dumps({"chapters": chapters, "error": error and str(error)}, indent=2))


def _tables(app: Sphinx, page: str) -> list[nodes.table]:
    """On what the chapters were executed; and how long each took, and when."""
    labels = {
        "processor": _("Processor"),
        "threads": _("Threads used by PyTorch"),
        "system": _("System"),
        "python": "Python",
        "torch": "PyTorch",
        "numpy": "NumPy",
    }
    chapters = records(app)
    facts = [[label, _distinct(chapters.values(), key)] for key, label in labels.items()]
    rows = [
        [
            app.env.titles[name].astext(),
            f"{chapter['seconds']:.0f}",
            f"{chapter.get('megabytes', 0):,.0f}",
            chapter.get("date", ""),
        ]
        for name, chapter in chapters.items()
    ]
    headings = [_("Chapter"), _("Seconds"), _("Memory (MB)"), _("Executed on")]
    return [table([], facts), table(headings, rows, "stacked")]


def _distinct(records, key: str) -> str:
    """The value that all chapters have, or all the values that they have."""
    return "; ".join(dict.fromkeys(str(record[key]) for record in records if key in record))


def setup(app: Sphinx) -> None:
    gathering.add_directive(app, "build-report", _tables)
    app.connect("build-finished", _report)
