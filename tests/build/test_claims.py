"""A claim that is false stops the build."""

import math

import pytest

from bookbuild.claims import as_written, formatted
from rnnbook.page import glue
from rnnbook.page.claims import claim


@pytest.fixture
def shown(monkeypatch):
    calls = []
    monkeypatch.setattr(glue, "display", lambda data, **options: calls.append((data, options)))
    return calls


def test_a_true_claim_is_shown_with_its_bounds(shown):
    claim("loss", 1.5, at_most=1.6)
    ((data, options),) = shown
    assert data == {"application/papermill.record/text/plain": "1.5"}
    assert options["metadata"]["claim"] == {"value": 1.5, "at_least": None, "at_most": 1.6}
    assert options["metadata"]["scrapbook"]["name"] == "loss"


@pytest.mark.parametrize(
    ("value", "bounds"),
    [
        (1.7, {"at_most": 1.6}),
        (0.9, {"at_least": 0.95}),
        (3, {"at_least": 1, "at_most": 2}),
        (math.nan, {"at_most": 1.6}),
        (math.nan, {"at_least": 0}),
    ],
)
def test_a_false_claim_is_refused(shown, value, bounds):
    with pytest.raises(AssertionError, match="claim 'loss': expected at"):
        claim("loss", value, **bounds)
    assert shown == []


def test_a_claim_needs_a_bound(shown):
    with pytest.raises(ValueError, match="no bound"):
        claim("loss", 1.5)


@pytest.mark.parametrize(
    ("value", "form", "down", "up"),
    [
        ("0.0894", ".2f", "0.08", "0.09"),
        ("0.9996", ".1%", "99.9%", "100.0%"),
        ("2.155e-11", ".0e", "2e-11", "3e-11"),
        ("1.0", ".0%", "100%", "100%"),
    ],
)
def test_a_number_can_be_rounded_to_the_safe_side(value, form, down, up):
    assert formatted(value, f"{form}↓") == down
    assert formatted(value, f"{form}↑") == up
    assert formatted(value, form) in (down, up)


@pytest.mark.parametrize(
    ("number", "words"), [("2e-14", "2 × 10⁻¹⁴"), ("1.5e+03", "1.5 × 10³"), ("-0.02", "−0.02")]
)
def test_a_number_is_shown_as_one_writes_it(number, words):
    assert as_written(number).replace("\N{NO-BREAK SPACE}", " ") == words


def test_zero_has_no_exponent():
    assert formatted("0.0", ".0e↑") == "0" and formatted("0", ".1%↓") == "0.0%"
