"""Files of the package index, wheels or not, none of which is kept.

`pip download` runs the `setup.py` of a source archive to learn its name. So the archive is looked
up on the page that the index has for its project (PEP 691, or PEP 503 where an index is older),
from the index that pip is set to, and verified. Nothing of it is run. Left out of pip's settings:
`find-links`, `extra-index-url` and `trusted-host`.
"""

import ast
import io
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

import requests
import urllib3
from pypi_simple import (
    PYPI_SIMPLE_ENDPOINT,
    NoSuchProjectError,
    PyPISimple,
    UnsupportedRepoVersionError,
)
from requests.utils import get_auth_from_url

from rnnbook.data.fetch import SECONDS, SourceError
from rnnbook.data.sources import LARGEST
from rnnbook.progress import progress_bar


def pip_settings() -> dict[str, str]:
    """What pip is set to, in its files and by variables: `index-url`, `cert`, `proxy`, …

    Without pip, what the variables say. The address of an index may hold a password.
    """
    command = [sys.executable, "-m", "pip", "config", "list"]
    listing = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS).stdout
    settings = {}
    for section in ("global", "download"):  # the second goes before the first
        lines = re.findall(rf"(?m)^{section}\.([\w-]+)=(['\"].*['\"])$", listing)
        settings |= {name: ast.literal_eval(value) for name, value in lines}
    variables = {name.lower(): value for name, value in os.environ.items() if value}
    return settings | {
        name.removeprefix("pip_").replace("_", "-"): value
        for name, value in variables.items()
        if name.startswith("pip_")
    }


@dataclass(frozen=True)
class IndexFile:
    """A file of a project in the package index, of any kind, by its name.

    `timeout` is the longest silence that is borne, and `limit` what an answer may take, both in
    seconds; `largest` is the most that it may hold, in bytes. Messages leave out the address of
    the index, which may hold a password.
    """

    project: str
    filename: str
    timeout: float = 10.0
    limit: float = SECONDS
    largest: int = LARGEST

    def __str__(self) -> str:
        return f"the package index ({self.filename})"

    def fetch(self) -> bytes:
        try:
            return self._ask(pip_settings())
        except NoSuchProjectError as error:
            raise SourceError(f"has no project {self.project}") from error
        except (requests.Timeout, urllib3.exceptions.TimeoutError) as error:
            raise SourceError(f"did not answer for {self.timeout:g} seconds") from error
        except UnsupportedRepoVersionError as error:
            raise SourceError(f"is too new: {error}; update pypi-simple") from error
        except requests.HTTPError as error:
            answer = error.response
            # pyrefly: ignore[missing-attribute]
            raise SourceError(f"answered {answer.status_code} {answer.reason}") from error
        except (requests.ConnectionError, urllib3.exceptions.HTTPError) as error:
            raise SourceError(f"failed: {_cause(error)}") from error
        # what else can be wrong with a setting or an answer; its words may hold the address
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            settings = "are pip's settings right (index-url, cert, proxy)?"
            raise SourceError(f"failed: {type(error).__name__}; {settings}") from error

    def _session(self, settings: dict[str, str]) -> requests.Session:
        session = requests.Session()
        session.headers["Accept-Encoding"] = "identity"  # so that the length is known
        session.verify = settings.get("cert", True)
        if proxy := settings.get("proxy"):
            session.proxies = {"http": proxy, "https": proxy}
        session.hooks["response"].append(self._read)
        return session

    def _ask(self, settings: dict[str, str]) -> bytes:
        """The content of the file. Who is asked, and how, is what pip is set to."""
        if settings.get("no-index", "0").lower() not in ("0", "false", "no", "off"):
            raise SourceError("is not asked: pip is set to use no index (no-index)")
        index = settings.get("index-url", PYPI_SIMPLE_ENDPOINT)
        login = get_auth_from_url(index)  # empty where the file .netrc may have one
        with self._session(settings) as session:
            client = PyPISimple(index, auth=login if any(login) else None, session=session)
            page = client.get_project_page(self.project, timeout=self.timeout)
            urls = [file.url for file in page.packages if file.filename == self.filename]
            if not urls:
                raise SourceError("does not list this file")
            if urlsplit(urls[0]).hostname != urlsplit(index).hostname:
                session.auth = None  # the password is for the index alone
            response = session.get(urls[0], timeout=self.timeout)
            response.raise_for_status()
            return response.content

    def _read(self, response: requests.Response, **_) -> None:
        """Read an answer as it comes, so that neither its size nor its slowness has no end."""
        end, content = time.monotonic() + self.limit, bytearray()
        length = response.headers.get("Content-Length", "")
        total = int(length) if length.isdecimal() else None
        with progress_bar(total=total, desc=self.filename, unit="B", unit_scale=True) as bar:
            while chunk := response.raw.read1(1 << 16, decode_content=True):
                content += chunk
                bar.update(len(chunk))
                if len(content) > self.largest:
                    raise SourceError(f"sent more than {self.largest:,} bytes")
                if time.monotonic() > end:
                    raise SourceError(f"sent {len(content):,} bytes in {self.limit:g} s, no more")
        response.raw = io.BytesIO(content)  # from which `requests` goes on


def _cause(error: BaseException) -> str:
    """What has really happened, of an error that wraps it several times."""
    while error.__context__:
        error = error.__context__
    return getattr(error, "strerror", None) or str(error)
