"""A failed build fails again.

After a build with warnings Sphinx keeps the pages that it has read, and would not read, or warn,
a second time. So it is made to forget them; the execution cache stays.
"""

from pathlib import Path

from sphinx.application import Sphinx


def _forget(app: Sphinx, error: Exception | None) -> None:
    if error or app._warncount:
        Path(app.doctreedir, "environment.pickle").unlink(missing_ok=True)


def setup(app: Sphinx) -> None:
    app.connect("build-finished", _forget)
