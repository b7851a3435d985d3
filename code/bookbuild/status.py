"""Says which chapters are being executed, which cell of how many, and for how long."""

import sys
from shutil import get_terminal_size
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
        self._say(f"{name}: executing")

    def at(self, name: str, cell: int, cells: int) -> None:
        """Note at which cell a chapter is."""
        begin, _ = self.active[name]
        self.active[name] = begin, f"cell {cell} of {cells}"

    def finished(self, name: str, outcome: str) -> None:
        """Note that a chapter is no longer executed, and say what became of it."""
        begin, _ = self.active.pop(name)
        self.ended += 1
        taken = f"{outcome} in {monotonic() - begin:.0f} s"
        self._say(f"{name}: {taken} ({self.ended} of {self.total} chapters)")

    def show(self) -> None:
        """Show where everything is; in a log, not more often than that somebody would read it."""
        now, passing = monotonic(), self.stream.isatty()
        active = dict(self.active)  # a copy: the others go on
        if passing or (active and now - self.last >= EVERY):
            parts = [f"{now - self.begin:.0f} s: {self.ended} of {self.total} chapters"]
            parts += [f"{name} {at} ({now - begin:.0f} s)" for name, (begin, at) in active.items()]
            line = "; ".join(parts)
            if passing:  # a line that is too long would not be cleared whole
                line = line[: get_terminal_size().columns - 1]
            self._say(line, end="" if passing else "\n")

    def _say(self, text: str, end: str = "\n") -> None:
        self.last = monotonic()
        start = "\r\x1b[K" if self.stream.isatty() else ""
        print(f"{start}{text}", end=end, file=self.stream, flush=True)
