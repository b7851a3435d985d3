"""Says which chapters are being executed, which cell of how many, and for how long."""

import sys
from time import monotonic

EVERY = 15  # seconds between two lines in a log


class Status:
    """On a terminal one line that changes; elsewhere a line now and then."""

    def __init__(self, total: int, stream=None):
        self.total, self.stream = total, stream or sys.stdout
        self.begin = self.last = monotonic()
        self.active: dict[str, tuple[float, str]] = {}  # its begin and the cell that it is at
        self.ended = 0

    def started(self, name: str) -> None:
        """Note that a chapter is being executed."""
        self.active[name] = monotonic(), "starting"
        self._line(f"{name}: executing")

    def at(self, name: str, cell: int, cells: int) -> None:
        """Note at which cell a chapter is."""
        begin, _ = self.active[name]
        self.active[name] = begin, f"cell {cell} of {cells}"

    def finished(self, name: str, outcome: str) -> None:
        """Note that a chapter is no longer executed, and say what became of it."""
        begin, _ = self.active.pop(name)
        self.ended += 1
        taken = f"{outcome} in {monotonic() - begin:.0f} s"
        self._line(f"{name}: {taken} ({self.ended} of {self.total} chapters)")

    def show(self) -> None:
        """Show where everything is; in a log, not more often than that somebody would read it."""
        now = monotonic()
        active = dict(self.active)  # a copy: the others go on
        parts = [f"{name} {cell} ({now - begin:.0f} s)" for name, (begin, cell) in active.items()]
        done = f"{now - self.begin:.0f} s: {self.ended} of {self.total} chapters"
        line = "; ".join([done, *parts])
        if self.stream.isatty():
            self.stream.write(f"\r\x1b[K{line}")
            self.stream.flush()
        elif parts and now - self.last >= EVERY:
            self._line(line)

    def _line(self, text: str) -> None:
        self.last = monotonic()
        start = "\r\x1b[K" if self.stream.isatty() else ""
        self.stream.write(f"{start}{text}\n")
        self.stream.flush()
