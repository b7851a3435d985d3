"""A claim that is false stops the build."""

import math

import pytest

from rnnbook import claims
from rnnbook.claims import claim


@pytest.fixture
def shown(monkeypatch):
    calls = []
    monkeypatch.setattr(claims, "display", lambda data, **options: calls.append((data, options)))
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
