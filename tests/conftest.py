"""What tests of all folders need.

The folder of a test says what it needs: tests/library neither the built book, nor a browser, nor
minutes; tests/build a book in miniature, or time; tests/site the built book or a browser.
"""

import os
import sys

import pytest

# Grammars that jsonschema would build for two seconds, to check addresses that we do not have.
sys.modules.setdefault("rfc3987_syntax", None)


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
