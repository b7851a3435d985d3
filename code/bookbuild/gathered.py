"""Pages that show what other pages have computed are written again when that has changed.

Such are the page of claims, the report of the build, and every page with a number from another
chapter (`{glue:text}` with `chapter::name`). Sphinx would leave them as they are, stale, since
nothing in their own source has changed.
"""

import hashlib
import json
from pathlib import Path

from docutils import nodes
from myst_nb.ext.glue.utils import PendingGlueReference
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment


class gathered(nodes.General, nodes.Element):
    """Stands for something that is filled in when every chapter has been read."""

    shows_prose = False  # whether a sentence of another page shows up in it, or numbers alone


def _note(app: Sphinx, doctree: nodes.document) -> None:
    app.bookbuild_has_read = True
    pages = app.env.__dict__.setdefault("bookbuild_gathering", {})
    found = list(doctree.findall(lambda node: isinstance(node, gathered | PendingGlueReference)))
    pages.pop(app.env.docname, None)
    if found:
        pages[app.env.docname] = any(getattr(node, "shows_prose", False) for node in found)


def _write_again(app: Sphinx, env: BuildEnvironment) -> list[str]:
    if not app.bookbuild_has_read:
        return []
    numbers = _numbers(env)
    changed = numbers != getattr(env, "bookbuild_numbers", None)
    env.bookbuild_numbers = numbers
    pages = getattr(env, "bookbuild_gathering", {})
    return [name for name, prose in pages.items() if name in env.found_docs and (changed or prose)]


def _numbers(env: BuildEnvironment) -> str:
    """A digest of everything that the chapters have computed, and of when."""
    executions = {name: page.get("exec_data") for name, page in env.nb_metadata.items()}
    digest = hashlib.sha256(json.dumps(executions, sort_keys=True).encode())
    for path in sorted(Path(env.mystnb_config.output_folder).rglob("*.glue.json")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def setup(app: Sphinx) -> None:
    app.bookbuild_has_read = False
    app.connect("doctree-read", _note)
    app.connect("env-updated", _write_again)
