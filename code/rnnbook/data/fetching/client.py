"""Asks a server for a file, whatever the server does: the rules stand here, for every source.

No server is trusted. An answer may be silent for `silence` seconds and must be complete `seconds`
after it was asked for (`rnnbook.data.fetching.limits`): looking up a name, redirections,
certificates and headers count, too. For that, a thread asks; when the time is over it is left
behind, and its connections are cut. Of one that was too slow, nothing is asked again for a while.
"""

import socket
import ssl
import time
from concurrent.futures import Future
from contextlib import suppress
from threading import Thread
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter

from rnnbook.data.fetching.errors import SourceError
from rnnbook.data.fetching.limits import USUAL, Limits
from rnnbook.progress import progress_bar

FORGIVEN = 60.0  # seconds after which a slow host may be asked again

_too_slow: dict[str, float] = {}  # hosts, and when they were


def get(address: str, limits: Limits = USUAL, **options) -> bytes:
    """What is at an address. `options` are those of `requests.get`: `auth`, `proxies`, `verify`.

    Raises `SourceError`. Its message leaves out all addresses, since they may hold a password.
    """
    host, answer, adapter = _host(address), Future(), _Adapter()
    if time.monotonic() - _too_slow.get(host, -FORGIVEN) < FORGIVEN:
        raise SourceError("did not answer before")
    work = Thread(target=_work, args=(answer, adapter, address, limits, options), daemon=True)
    work.start()
    try:
        return answer.result(limits.seconds)
    except (TimeoutError, requests.Timeout, urllib3.exceptions.TimeoutError) as error:
        _too_slow[host] = time.monotonic()
        late = f"was not complete after {limits.seconds:g} seconds"
        reason = f"did not answer for {limits.silence:g} seconds" if answer.done() else late
        raise SourceError(reason) from error
    except requests.HTTPError as error:
        said = error.response
        what = f"{said.status_code} {said.reason}" if said is not None else "with an error"
        raise SourceError(f"answered {what}") from error
    except (OSError, ValueError, urllib3.exceptions.HTTPError) as error:
        raise SourceError(f"failed: {_cause(error)}") from error
    finally:
        adapter.cut()


def _host(address: str) -> str:
    with suppress(ValueError):  # no address: `requests` says so
        return urlsplit(address).netloc.rpartition("@")[2]
    return ""


def _work(answer: Future, adapter: "_Adapter", address: str, limits: Limits, options) -> None:
    try:
        answer.set_result(_read(adapter, address, limits, options))
    except BaseException as error:  # of a thread: it is raised again where the answer is awaited
        answer.set_exception(error)


def _read(adapter: "_Adapter", address: str, limits: Limits, options: dict) -> bytes:
    content = bytearray()
    with requests.Session() as session:
        for scheme in ("http://", "https://"):
            session.mount(scheme, adapter)
        session.headers["Accept-Encoding"] = "identity"  # so that the length is known
        with session.get(address, timeout=limits.silence, stream=True, **options) as response:
            response.raise_for_status()
            with _bar(response) as bar:
                while chunk := response.raw.read1(1 << 16, decode_content=True):
                    content += chunk
                    bar.update(len(chunk))
                    limits.check_size(content)
    return bytes(content)


def _bar(response: requests.Response):
    length = response.headers.get("Content-Length", "")
    total = int(length) if length.isdecimal() else None
    what = urlsplit(response.url).path.rpartition("/")[2]
    return progress_bar(total=total, desc=what, unit="B", unit_scale=True)


class _Adapter(HTTPAdapter):
    """Remembers its connections, to cut them off; trusts the system's certificates besides."""

    def init_poolmanager(self, *args, **options) -> None:
        self.opened = []
        super().init_poolmanager(*args, ssl_context=ssl.create_default_context(), **options)

    def get_connection_with_tls_context(self, *args, **options):
        pool, opened = super().get_connection_with_tls_context(*args, **options), self.opened

        class Connection(pool.ConnectionCls):  # pyrefly: ignore[invalid-inheritance]
            def connect(self) -> None:
                opened.append(self)
                super().connect()

        pool.ConnectionCls = Connection
        return pool

    def cut(self) -> None:
        for connection in self.opened:
            with suppress(OSError, AttributeError, ValueError):  # it is closed, or not yet open
                connection.sock.shutdown(socket.SHUT_RDWR)


def _cause(error: BaseException) -> str:
    """What has really happened, of an error that wraps it several times."""
    while error.__context__:
        error = error.__context__
    if isinstance(error, ValueError) and not isinstance(error, ssl.SSLError):
        name = type(error).__name__  # its words may hold an address, and that a password
        return f"{name}; are the settings right (of pip: index-url, cert, proxy)?"
    return getattr(error, "strerror", None) or str(error)
