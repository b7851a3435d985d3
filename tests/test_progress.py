"""Progress bars are for somebody who watches."""

import io
import sys

import ipykernel  # noqa: F401  as other tests do
import pytest

from rnnbook.progress import is_watched, progress_bar


@pytest.mark.parametrize(
    ("in_notebook", "in_build", "on_terminal", "watched"),
    [
        (False, False, True, True),  # a script on a terminal
        (False, False, False, False),  # a script whose output goes to a file
        (True, False, False, True),  # a live notebook
        (True, True, False, False),  # a chapter while the book is built
        (False, True, True, True),  # the build itself, on a terminal: data are fetched there
    ],
)
def test_who_watches(monkeypatch, in_notebook, in_build, on_terminal, watched):
    class Stream(io.StringIO):
        def isatty(self):
            return on_terminal

    monkeypatch.setattr(sys, "stderr", Stream())
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
    monkeypatch.delenv("RNNBOOK_BUILD", raising=False)
    if in_notebook:
        monkeypatch.setitem(sys.modules, "ipykernel", sys)
    if in_build:
        monkeypatch.setenv("RNNBOOK_BUILD", "1")
    assert is_watched() == watched
    assert progress_bar(range(3)).disable != watched
    assert list(progress_bar(range(3))) == [0, 1, 2]


def test_a_test_is_not_taken_for_a_notebook():
    assert not is_watched()
