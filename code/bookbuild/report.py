"""Says what each chapter took: at the end of a build, in `execution.json`, and on a page.

The page has the directive `{build-report}`. What is said of a chapter was recorded when it was
executed, by a hidden cell at its end, so it is right when the chapter comes from the cache, too.
"""

import json
import time
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from bookbuild.gathered import gathered
from bookbuild.tables import table

logger = logging.getLogger(__name__)

GLUED = "bookbuild-machine"  # the name under which the hidden cell leaves its record
CELL = f"""
from rnnbook import machine
from rnnbook.glue import glue
glue("{GLUED}", None, shown=False, machine=machine.describe())
"""

HEADINGS = {
    "en": ["Chapter", "Seconds", "Memory (MB)", "Executed on"],
    "ja": ["章", "秒", "メモリ (MB)", "実行日"],
}
FACTS = {
    "en": {
        "processor": "Processor",
        "threads": "Threads used by PyTorch",
        "system": "System",
        "python": "Python",
        "torch": "PyTorch",
        "numpy": "NumPy",
    },
    "ja": {
        "processor": "プロセッサ",
        "threads": "PyTorch のスレッド数",
        "system": "システム",
        "python": "Python",
        "torch": "PyTorch",
        "numpy": "NumPy",
    },
}


# ------------------------------------------------------------------ at the end of a build


def executions(env: BuildEnvironment) -> dict[str, dict]:
    """What myst-nb knows of the last execution of each chapter."""
    pages = getattr(env, "nb_metadata", {})
    return {
        name: pages[name]["exec_data"]
        for name in env.toctree_includes.get(env.config.root_doc, [])
        if "exec_data" in pages.get(name, {})
    }


def _report(app: Sphinx, error: Exception | None) -> None:
    chapters = {
        name: {
            "seconds": round(data["runtime"], 1),
            "succeeded": data["succeeded"],
            "executed_now": data["mtime"] >= app.bookbuild_start,
            **_record_of(app.env, name),
        }
        for name, data in executions(app.env).items()
    }
    for name, chapter in chapters.items():
        now = "executed in" if chapter["executed_now"] else "from the cache; it took"
        logger.info(f"  {name}: {now} {chapter['seconds']} s")
    executed = sum(chapter["executed_now"] for chapter in chapters.values())
    logger.info(f"  {executed} of {len(chapters)} chapters executed")
    report = Path(app.outdir).parent / "execution.json"
    report.write_text(json.dumps({"chapters": chapters, "error": error and str(error)}, indent=2))


def _record_of(env: BuildEnvironment, chapter: str) -> dict:
    """What `rnnbook.machine` said at the end of a chapter; nothing if it did not get there."""
    path = Path(env.mystnb_config.output_folder, f"{chapter}.glue.json")
    glued = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return glued[GLUED]["metadata"]["machine"] if GLUED in glued else {}


# ------------------------------------------------------------------ on a page


class build_report(gathered):
    """Stands for the two tables."""


class BuildReport(SphinxDirective):
    def run(self) -> list[nodes.Node]:
        return [build_report()]


class FillReport(SphinxPostTransform):
    default_priority = 4

    def run(self) -> None:
        for node in list(self.document.findall(build_report)):
            node.replace_self(list(self._tables()))

    def _tables(self):
        language = self.config.language if self.config.language in FACTS else "en"
        records = {name: _record_of(self.env, name) for name in executions(self.env)}
        facts = [
            [[nodes.Text(label)], [nodes.Text(_distinct(records.values(), key))]]
            for key, label in FACTS[language].items()
        ]
        yield table([], facts)
        rows = []
        for name, data in executions(self.env).items():
            record = records[name]
            seconds, memory = f"{data['runtime']:.0f}", f"{record.get('megabytes', 0):,.0f}"
            words = [self.env.titles[name].astext(), seconds, memory, record.get("date", "")]
            rows.append([[nodes.Text(word)] for word in words])
        yield table(HEADINGS[language], rows, "stacked")


def _distinct(records, key: str) -> str:
    """The value that all chapters have, or all the values that they have."""
    return "; ".join(dict.fromkeys(str(record[key]) for record in records if key in record))


def setup(app: Sphinx) -> None:
    app.bookbuild_start = time.time()
    app.add_node(build_report)
    app.add_directive("build-report", BuildReport)
    app.add_post_transform(FillReport)
    app.connect("build-finished", _report)
