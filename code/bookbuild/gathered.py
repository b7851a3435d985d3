"""Pages that show what other pages have computed are written again after each build.

Such are the page of claims, the report of the build, and every page with a number from another
chapter (`{glue:text}` with `chapter::name`). Sphinx would leave them as they are, stale, since
nothing in their own source has changed.
"""

from docutils import nodes
from myst_nb.ext.glue.utils import PendingGlueReference
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment


class gathered(nodes.General, nodes.Element):
    """Stands for something that is filled in when every chapter has been read."""


def _note(app: Sphinx, doctree: nodes.document) -> None:
    pages = app.env.bookbuild_gathering = getattr(app.env, "bookbuild_gathering", set())
    found = doctree.findall(lambda node: isinstance(node, gathered | PendingGlueReference))
    (pages.add if any(True for _ in found) else pages.discard)(app.env.docname)


def _write_again(app: Sphinx, env: BuildEnvironment) -> set[str]:
    return getattr(env, "bookbuild_gathering", set()) & env.found_docs


def setup(app: Sphinx) -> None:
    app.connect("doctree-read", _note)
    app.connect("env-updated", _write_again)
