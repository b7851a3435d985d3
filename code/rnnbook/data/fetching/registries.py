"""Where a registry of packages has a file: the package index of Python, and the registry of npm.

`pip download` runs the `setup.py` of a source archive to learn its name. So an archive is looked up
on the page that the index has for its project (PEP 691, or PEP 503 where an index is older), from
the index that pip is set to. Left out of pip's settings: `find-links`, `extra-index-url` and
`trusted-host`. Of npm's settings the address of the registry counts, no login.
"""

import ast
import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

from requests.utils import get_auth_from_url

from rnnbook.data.fetching.client import get
from rnnbook.data.fetching.errors import SourceError
from rnnbook.data.fetching.hosts import NPM, PYPI
from rnnbook.data.fetching.limits import SECONDS, Limits

INDEX = "https://pypi.org/simple"
REGISTRY = "https://registry.npmjs.org"
PAGE = 2_000_000  # bytes; a page of ours has 50,000
KINDS = "application/vnd.pypi.simple.v1+json, text/html;q=0.1"


def fetch(registry: str, project: str, filename: str, limits: Limits) -> bytes:
    """A file of a project in one of the registries, not verified. Raises `SourceError`."""
    return {PYPI: _from_pypi, NPM: _from_npm}[registry](project, filename, limits)


def _from_npm(project: str, filename: str, limits: Limits) -> bytes:
    return get(f"{npm_registry()}/{project}/-/{filename}", limits)


def npm_registry() -> str:
    """The address that npm is set to, by its variable or in the user's .npmrc."""
    variables = {name.lower(): value for name, value in os.environ.items() if value}
    settings = Path("~/.npmrc").expanduser()
    text = settings.read_text("utf-8", "replace") if settings.is_file() else ""
    line = re.search(r"(?m)^registry *= *(\S+)", text)
    return variables.get("npm_config_registry", line[1] if line else REGISTRY).rstrip("/")


def _from_pypi(project: str, filename: str, limits: Limits) -> bytes:
    settings = _checked_settings()
    index = settings.get("index-url", INDEX).rstrip("/") + f"/{project}/"
    options: dict = {"verify": settings.get("cert", True)}
    if proxy := settings.get("proxy"):
        options["proxies"] = {"http": proxy, "https": proxy}
    short = replace(limits, largest=min(limits.largest, PAGE))
    links = _links(get(index, short, headers={"Accept": KINDS}, **options))
    if filename not in links:
        raise SourceError("does not list this file")
    try:
        address = urljoin(index, links[filename])
        if urlsplit(address).hostname == urlsplit(index).hostname:  # the password is for it alone
            login = get_auth_from_url(index)  # empty where the file .netrc may have one
            options["auth"] = login if any(login) else None
    except ValueError as error:
        raise SourceError("sent an address that is none") from error
    return get(address, limits, **options)


def _checked_settings() -> dict[str, str]:
    try:
        settings = pip_settings()
    except (OSError, ValueError, SyntaxError, subprocess.SubprocessError) as error:
        raise SourceError("is not asked: pip's settings cannot be read") from error
    if settings.get("no-index", "0").lower() not in ("0", "false", "no", "off"):
        raise SourceError("is not asked: pip is set to use no index (no-index)")
    return settings


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


def _links(page: bytes) -> dict[str, str]:
    """From the names of a project's files to their addresses, which may be relative."""
    if not page.lstrip().startswith(b"{"):
        parser = _Anchors()
        parser.feed(page.decode("utf-8", "replace"))
        return parser.links
    try:
        content = json.loads(page)
        version = str(content["meta"]["api-version"])
        if not version.startswith("1."):
            raise SourceError(f"is too new: it speaks version {version}, this program version 1")
        return {str(file["filename"]): str(file["url"]) for file in content["files"]}
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise SourceError("sent a page that cannot be read") from error


class _Anchors(HTMLParser):
    """The files to which a page of an older index leads."""

    def __init__(self) -> None:
        super().__init__()
        self.base, self.links = "", {}

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        href = dict(attributes).get("href")
        if tag == "base" and href:
            self.base = href
        elif tag == "a" and href:
            name = href.partition("#")[0].partition("?")[0].rpartition("/")[2]
            self.links[unquote(name)] = self._full(href)

    def _full(self, href: str) -> str:
        try:
            return urljoin(self.base, href)
        except ValueError:  # no address: it is found out if this file is asked for
            return href
