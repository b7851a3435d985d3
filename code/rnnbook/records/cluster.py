"""Runs on an existing cluster of `dask.distributed`, which the extra `cluster` installs.

Its workers need this package with the same code, and what the studies need. A worker is best begun
with `dask worker ADDRESS --nthreads 1`: its runs take turns in any case. (The studies `ensemble`
and `pair` begin processes of their own, which a worker may do only with `--no-nanny`.)
If a worker dies, the scheduler gives its run to another one, as often as its settings say.
"""

import logging
import socket
from concurrent.futures import Executor, Future
from contextlib import suppress
from math import inf
from typing import Any
from urllib.parse import urlsplit

from rnnbook.records.queue import Pool
from rnnbook.records.runs import StudyError

PATIENCE = 10  # seconds, for a scheduler to answer


def cluster(address: str) -> Pool:
    """The workers of the scheduler at an address, such as tcp://127.0.0.1:8786.

    Raises `StudyError` when there is none, when it has no worker, or `distributed` is missing.
    """
    try:
        from distributed import Client, KilledWorker
    except ModuleNotFoundError as error:
        raise StudyError('a cluster needs distributed: pip install "rnnbook[cluster]"') from error
    for name in ("distributed", "distributed.client"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # what matters is said by us
    try:
        place = urlsplit(address)
        socket.create_connection((place.hostname, place.port), PATIENCE).close()
        client = Client(address, timeout=PATIENCE, set_as_default=False)
        number = len(client.nthreads())
    except (OSError, ValueError, TypeError) as error:
        expected = "tcp://HOST:PORT, as `dask scheduler` says it"
        raise StudyError(f"no scheduler answers at {address!r}; expected is {expected}") from error
    if not number:
        client.close()
        raise StudyError(
            f"the scheduler has no workers; begin one: dask worker {address} --nthreads 1"
        )
    executor = Cluster(client)
    return Pool(executor, executor.number_of_workers, inf, KilledWorker, tries=1)


class Cluster(Executor):
    """The executor of a client of a cluster, with which the client is closed."""

    def __init__(self, client: Any):
        self.client, self.executor = client, client.get_executor(pure=False)

    def submit(self, function: Any, /, *arguments: Any) -> Future:
        return self.executor.submit(function, *arguments)

    def number_of_workers(self) -> int:
        """How many there are now; at least 1, since some may come back."""
        try:
            return max(1, len(self.client.nthreads()))
        except OSError as error:
            raise StudyError("the scheduler is lost; what was found is kept") from error

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Leave the cluster. A run that a worker has begun goes on there; nobody hears of it."""
        with suppress(OSError):  # the scheduler is gone
            self.executor.shutdown(wait)
            self.client.close()
