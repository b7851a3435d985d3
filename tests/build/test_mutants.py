"""`make mutants`: where its faults belong, however things are called and laid out."""

import ast
import re

import pytest

import mutants
from built import ROOT


def test_every_fault_of_mutants_still_fits_the_library():
    for fault in mutants.FAULTS:
        path, changed = mutants.with_fault(fault)
        assert changed != path.read_text("utf-8"), fault.name
    assert all((ROOT / path).is_file() for path in mutants.files(*mutants.FAULTS))
    assert len({fault.name for fault in mutants.FAULTS}) == len(mutants.FAULTS) >= 30


FAULT = mutants.Fault("lost", "_state if _batch.continues else None", "None", "training")


@pytest.fixture
def library(tmp_path, monkeypatch):
    """Makes a library of one module."""

    def make(source: str) -> None:
        path = tmp_path / "module.py"
        path.write_text(source)
        monkeypatch.setattr(mutants, "ROOT", tmp_path)
        monkeypatch.setattr(mutants, "modules", lambda: {path: ast.parse(source)})
        monkeypatch.setattr(mutants, "pieces", mutants.pieces.__wrapped__)

    return make


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("new = state if batch.continues else None\n", "new = (None)\n"),
        (
            "h = (\n    self.h  # of before\n    if b.continues else None\n)\n",
            "h = (\n    (None)\n)\n",
        ),
    ],
)
def test_a_fault_is_found_in_another_layout_and_under_other_names(source, expected, library):
    library(source)
    assert mutants.with_fault(FAULT)[1] == expected


def test_statements_are_found_together_and_keep_their_depth(library):
    library("def f(π, b):\n    π.eval()\n    b = 2  # two\n    return π\n")
    fault = mutants.Fault("odd", "_m.eval()\n_n = 2", "_n = 3\n_m.eval()", "")
    changed = "def f(π, b):\n    b = 3\n    π.eval()  # two\n    return π\n"
    assert mutants.with_fault(fault)[1] == changed


@pytest.mark.parametrize(
    ("source", "new", "problem"),
    [
        ("a = b if c.begins else None", "None", "expected one place in the library, found []"),
        ("b = a if a.continues else None\n" * 2, "None", "module.py:1', 'module.py:2'"),
        ("b = a if a.continues else None", "other", "module.py knows no other"),
    ],
)
def test_a_fault_that_does_not_fit_is_named(source, new, problem, library):
    library(source)
    with pytest.raises(ValueError, match=re.escape(problem)):
        mutants.with_fault(FAULT._replace(new=new))
