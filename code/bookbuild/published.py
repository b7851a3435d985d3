"""What a site carries of its executions, and what another build takes from there.

Beside the English pages lies, in `_executed`, the executed notebook of each chapter, named by its
key in the store, what its trainings ended with, which the notebooks for readers take from there,
and an index of their SHA-256. Another build takes those whose keys are its own, so that it need not
execute them: from the site of `bookbuild_repository`, or from the address or the folder that the
variable BOOKBUILD_EXECUTED names; where that is empty, from nowhere.

What comes is used if its SHA-256 is that of the index and its own cells have the key that was
asked for (`bookbuild.store.checked`). That tells damage, and the outputs of other code. It does not
tell forged outputs: these are as trustworthy as the site that they come from.
"""

import gzip
import hashlib
import json
import os
import zlib
from pathlib import Path

from jupyter_cache.base import JupyterCacheAbstract
from nbformat import NotebookNode
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging

from bookbuild import addresses
from bookbuild.editions import ORIGINAL
from bookbuild.store import checked, keep, key, results_of, seconds
from rnnbook.data.fetching.errors import SourceError
from rnnbook.data.fetching.limits import Limits
from rnnbook.data.fetching.mirrors import Mirror
from rnnbook.files import write_atomically

logger = logging.getLogger(__name__)

FOLDER = "_executed"
SECONDS = 60.0  # for one file
LARGEST = 32_000_000  # bytes of a file, packed or not; the largest has two million


def source(app: Sphinx) -> str:
    """The address or the folder of the site from which executions are taken; or nothing."""
    site = addresses.site(app) if app.config.bookbuild_repository else ""
    return os.environ.get("BOOKBUILD_EXECUTED", site).rstrip("/")


def take(app: Sphinx, wanted: dict[str, NotebookNode], store: JupyterCacheAbstract) -> set[str]:
    """Put what the site has of the wanted chapters into the store; returns their names."""
    where, taken = source(app), set()
    if not where or not wanted:
        return taken
    try:
        index = _index(where)
        for name, notebook in sorted(wanted.items()):
            if (one := key(store, notebook)) in index:
                try:
                    found = checked(store, _file(where, f"{one}.ipynb.gz", index[one]), one)
                    results = f"{one}.pt"
                    with_it = _file(where, results, index[results]) if results in index else None
                    keep(store, found, seconds(found), with_it)
                    taken.add(name)
                except (SourceError, ValueError) as error:
                    logger.info("%s: what %s has of it is not used: %s", name, where, said(error))
    except (SourceError, ValueError) as error:
        logger.info("executions are not taken from %s: %s", where, said(error))
    logger.info("%d of %d chapters taken from %s", len(taken), len(wanted), where)
    return taken


def said(error: Exception) -> str:
    """The message of an error, with nothing of a server's words that could steer a terminal."""
    return "".join(sign if sign.isprintable() else " " for sign in str(error))


def _index(where: str) -> dict[str, str]:
    """The SHA-256 of each key's file. Raises `SourceError` or `ValueError`."""
    try:
        index = json.loads(_fetch(where, "index.json"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"its index is no JSON: {error}") from error
    if not isinstance(index, dict) or not all(isinstance(one, str) for one in index.values()):
        raise ValueError("its index is no table of keys and SHA-256")
    return index


def _file(where: str, name: str, sha256: str) -> bytes:
    content = _fetch(where, name)
    if hashlib.sha256(content).hexdigest() != sha256:
        raise ValueError("its SHA-256 is not that of the index")
    return content


def _fetch(where: str, name: str) -> bytes:
    """A file of `_executed`, unpacked. Raises `SourceError`."""
    if "://" in where:
        return Mirror(f"{where}/{FOLDER}/{name}", Limits(seconds=SECONDS, largest=LARGEST)).fetch()
    path = Path(where, FOLDER, name)
    try:
        if not path.is_file():
            raise SourceError(f"{path} is no file")
        with gzip.open(path) if name.endswith(".gz") else path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise SourceError(f"{path} cannot be read: {error}") from error
    if len(content) > LARGEST:
        raise SourceError(f"{path} has more than {LARGEST:,} bytes")
    return content


# ------------------------------------------------------------------ in Sphinx


def _note(app: Sphinx, env: BuildEnvironment) -> None:
    for name, one in app.bookbuild_keys.items():
        env.metadata[name]["key"] = one


def _publish(app: Sphinx, error: Exception | None) -> None:
    """Lay the executions of all chapters into the site, and remove those of before."""
    if error or app.builder.format != "html" or app.config.language != ORIGINAL:
        return
    if app.config.bookbuild_chapter:  # that is no site
        return
    folder, kept = Path(app.outdir, FOLDER), Path(app.env.mystnb_config.execution_cache_path)
    try:
        before = _index(str(app.outdir))
    except (SourceError, ValueError):  # none, or a damaged one
        before = {}
    keys = {about["key"] for about in app.env.metadata.values() if "key" in about}
    found = sorted(path.parent.name for path in kept.glob("executed/*/base.ipynb"))
    index = {one: _packed(kept, folder, one, before.get(one)) for one in found if one in keys}
    for one in list(index):
        if (results := results_of(kept, one)).exists():
            write_atomically(folder / f"{one}.pt", results.read_bytes())
            index[f"{one}.pt"] = digest(results)
    write_atomically(folder / "index.json", json.dumps(index, indent=1).encode())
    for file in folder.glob("*.*"):
        if file.name.partition(".")[0] not in {*index, "index"}:
            file.unlink()


def digest(path: Path) -> str:
    """The SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _packed(store: Path, folder: Path, name: str, before: str | None = None) -> str:
    """The SHA-256 of an execution, which is packed into a folder unless it was there before."""
    content = (store / "executed" / name / "base.ipynb").read_bytes()
    target, sha256 = folder / f"{name}.ipynb.gz", hashlib.sha256(content).hexdigest()
    if sha256 != before or not target.exists():
        write_atomically(target, gzip.compress(content, mtime=0))
    return sha256


def setup(app: Sphinx) -> None:
    app.bookbuild_keys = {}  # of the chapters that are read
    app.connect("env-updated", _note)
    app.connect("build-finished", _publish)
