"""What tests of all folders need.

The folder of a test says what it needs: tests/library neither the built book, nor a browser, nor
minutes; tests/build a book in miniature, or time; tests/site the built book or a browser.
"""

import os
import signal
import sys
from functools import cache
from pathlib import Path

import pytest

# Grammars that jsonschema would build for two seconds, to check addresses that we do not have.
sys.modules.setdefault("rfc3987_syntax", None)

# A shell that starts us in the background lets us ignore Ctrl-C, and so all that we start.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """With several workers (`pytest -n 2`), each takes one test after the other, or a file that
    makes something once for all its tests. xdist's own groups are lost on pytest 9.2:
    https://github.com/pytest-dev/pytest-xdist/issues/1386
    """
    from xdist.scheduler import LoadScopeScheduling

    class Scheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.split("::")[0]
            return file if makes_something_once(config.rootpath / file) else nodeid

    return Scheduling(config, log)


@cache
def makes_something_once(file: Path) -> bool:
    """Whether a file of tests has a fixture that lasts as long as the file."""
    return 'scope="module"' in file.read_text("utf-8")


@pytest.fixture(autouse=True)
def cores_are_shared():
    """Where several workers run tests side by side, PyTorch has one thread in each."""
    if "PYTEST_XDIST_WORKER" in os.environ and (torch := sys.modules.get("torch")):
        torch.set_num_threads(1)


@pytest.fixture
def one_thread():
    """For small tensors: more threads would wait for each other."""
    import torch  # here, since not every test needs it

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
