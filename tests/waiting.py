"""How tests wait for what another process, or a page, brings about."""

import time
from collections.abc import Callable

PATIENCE = 120_000  # milliseconds: nothing takes so long, however busy the machine is


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for what another process brings about."""
    end = time.monotonic() + PATIENCE / 1000
    while not condition():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.01)


def let_it_paint(page) -> None:
    """Wait until the page was painted twice: what an event brings about has happened by then."""
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
