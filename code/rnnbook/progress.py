"""Progress bars where somebody is watching: on a terminal and in a live notebook."""

import os
import sys

from tqdm import tqdm


def is_watched() -> bool:
    """Whether a progress bar would be seen: not in a log file, not in a built page.

    Of several processes that work together, only the first has one.
    """
    if os.environ.get("RANK", "0") != "0":
        return False
    if in_notebook():
        return "RNNBOOK_BUILD" not in os.environ  # set while the book is being built
    return sys.stderr.isatty()


def in_notebook() -> bool:
    """Whether this process is the kernel of a notebook."""
    ipython = sys.modules.get("IPython")
    return bool(ipython) and hasattr(ipython.get_ipython(), "kernel")


def progress_bar(iterable=None, **options) -> tqdm:
    """A tqdm bar that appears after two seconds, if somebody is watching.

    Takes what `tqdm.tqdm` takes (`total`, `desc`, `unit`, …).
    """
    return tqdm(iterable, delay=2, leave=False, disable=not is_watched(), **options)


def say(line: str) -> None:
    """Print a line, above the progress bar if there is one."""
    with tqdm.external_write_mode():
        print(line, flush=True)
