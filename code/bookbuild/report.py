"""Says what each chapter took: at the end of a build, in `execution.json`, and on a page.

The page has the directive `{build-report}`. What is said of a chapter was recorded when it was
executed, by a hidden cell at its end, so it is right when the chapter comes from the cache, too.
"""

import json
from pathlib import Path

from docutils import nodes
from myst_nb.core.read import is_myst_markdown_notebook
from sphinx.application import Sphinx
from sphinx.locale import _
from sphinx.util import logging

from bookbuild import gathering
from bookbuild.gathering import table

logger = logging.getLogger(__name__)

GLUED = "bookbuild-machine"  # the name under which the hidden cell leaves its record
CELL = f"""
from rnnbook import machine
from rnnbook.page.glue import glue
glue("{GLUED}", None, shown=False, machine=machine.describe())
"""


def records(app: Sphinx) -> dict[str, dict]:
    """What is known of the last execution of each chapter, unless it has just failed."""
    return {
        name: {
            "seconds": data["runtime"],
            "executed_now": name in app.bookbuild_executed,
            **gathering.outputs(app.env, name)[GLUED]["metadata"]["machine"],
        }
        for name, data in gathering.executions(app.env).items()
        if name not in app.bookbuild_failed
    }


def _report(app: Sphinx, error: Exception | None) -> None:
    if app.builder.format != "html":  # as where links are tried
        return
    chapters = records(app)
    paths = [Path(app.env.doc2path(name)) for name in app.env.found_docs]
    total = sum(is_myst_markdown_notebook(path.read_text("utf-8")) for path in paths)
    logger.info(f"  {len(app.bookbuild_executed)} of {total} chapters executed")
    report = app.outdir.parent / "execution.json"
    report.write_text(json.dumps({"chapters": chapters}, indent=2))


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
    facts = []
    for key, label in labels.items():  # with the value that all chapters have, or all their values
        values = dict.fromkeys(str(one[key]) for one in chapters.values() if key in one)
        facts.append([label, "; ".join(values)])
    rows = []
    for name, one in chapters.items():
        seconds, memory = f"{one['seconds']:.0f}", f"{one['megabytes']:,.0f}"
        rows.append([app.env.titles[name].astext(), seconds, memory, one["date"]])
    headings = [_("Chapter"), _("Seconds"), _("Memory (MB)"), _("Executed on")]
    return [table([], facts), table(headings, rows, "stacked")]


def setup(app: Sphinx) -> None:
    gathering.add_directive(app, "build-report", _tables)
    app.connect("build-finished", _report)
