"""Progress bars are for somebody who watches."""

import io
import sys
from types import SimpleNamespace

import ipykernel  # noqa: F401  imported, as other tests do, a test is no notebook
import pytest

from rnnbook.progress import is_watched, progress_bar


@pytest.mark.parametrize(
    ("in_notebook", "in_build", "on_terminal", "rank", "watched"),
    [
        (False, False, True, "0", True),  # a script on a terminal
        (False, False, False, "0", False),  # a script whose output goes to a file
        (True, False, False, "0", True),  # a live notebook
        (True, True, False, "0", False),  # a chapter while the book is built
        (False, True, True, "0", True),  # the build itself, on a terminal: data are fetched there
        (False, False, True, "1", False),  # the second of several processes
    ],
)
def test_who_watches(monkeypatch, in_notebook, in_build, on_terminal, rank, watched):
    class Stream(io.StringIO):
        def isatty(self):
            return on_terminal

    monkeypatch.setattr(sys, "stderr", Stream())
    monkeypatch.setenv("RANK", rank)
    monkeypatch.delenv("RNNBOOK_BUILD", raising=False)
    shell = SimpleNamespace(kernel="the one of this process") if in_notebook else None
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    if in_build:
        monkeypatch.setenv("RNNBOOK_BUILD", "1")
    assert is_watched() == watched
    assert progress_bar(range(3)).disable != watched
    assert list(progress_bar(range(3))) == [0, 1, 2]


def test_a_test_is_not_taken_for_a_notebook():
    assert not is_watched()
