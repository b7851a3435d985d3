"""Lets a second edition be built beside the first, by a copy of the process (on Linux).

The copy is made when the first edition has read its pages. Both editions take what was executed
from one cache, which loses records when two processes add to it as they read; and what the first
has imported and worked out until then, the copy has, too. It also shares the lock on the folder,
so that the next build waits for it even when the first process was killed.
"""

import os
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from sphinx.application import Sphinx


class InTheCopy(BaseException):
    """Leads the copy out of the build of the first edition."""


@dataclass
class Second:
    """What is done beside the first edition, and the file into which it says how far it is."""

    task: Callable[[], None]
    log: Path
    process: int | None = None  # None as long as there is no copy

    def begin(self) -> None:
        """Make a copy of this process. Raises `InTheCopy` there; catch it, and call `run`."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        sys.stdout.flush()
        with self.log.open("w") as file:
            self.process = os.fork()
            if not self.process:
                os.dup2(file.fileno(), 1)
                os.dup2(file.fileno(), 2)
                raise InTheCopy

    def run(self) -> NoReturn:
        """In the copy: do the task, and end."""
        try:
            self.task()
            code = 0
        except SystemExit as error:
            code = error.code
        except BaseException:
            traceback.print_exc()
            code = 1
        sys.stdout.flush()
        os._exit(code)

    def finish(self) -> None:
        """See the task through. Raises `SystemExit` when it failed."""
        if not self.process:
            self.task()
            return
        with self.log.open(encoding="utf-8") as said:
            ended = 0
            while not ended:
                ended, status = os.waitpid(self.process, os.WNOHANG)
                print(said.read(), end="", flush=True)  # after we have asked: nothing stays unread
                time.sleep(0 if ended else 0.1)
        if status:
            sys.exit(1)


second: Second | None = None  # what is to begin when this process has read its pages


def _begin(app: Sphinx, env) -> None:
    global second
    if second and sys.platform == "linux":  # elsewhere, to fork is not safe or not possible
        waiting, second = second, None  # in the copy, too: it reads pages as well
        waiting.begin()


def setup(app: Sphinx) -> None:
    app.connect("env-updated", _begin, priority=100)  # before others number pages, for seconds
