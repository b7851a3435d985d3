"""The store of executions, and what is taken into it from a site, damaged in many ways."""

import gzip
import hashlib
import http.server
import json
import platform
import time
from random import Random
from types import SimpleNamespace

import pytest
from jupyter_cache import get_cache
from nbformat.v4 import new_code_cell, new_notebook, new_output

from bookbuild import cache, published
from bookbuild.store import checked, is_kept, keep, key, mend, results_of, seconds
from built import Quiet, serve


def executed(source: str = "1 + 1") -> dict:
    """A notebook of one cell that was executed."""
    found = new_output("execute_result", data={"text/plain": "2"}, execution_count=1)
    cell = new_code_cell(source, execution_count=1, outputs=[found])
    notebook = new_notebook(cells=[cell])
    notebook.nbformat_minor = 4
    cell.pop("id")
    return notebook


@pytest.fixture
def store(tmp_path):
    return get_cache(tmp_path / "store")


# ------------------------------------------------------------------ a damaged store

DAMAGES = {
    "empty": lambda content: b"",
    "halved": lambda content: content[: len(content) // 2],
    "zeroed": lambda content: bytes(len(content)),
    "random": lambda content: Random(0).randbytes(len(content)),
    "zeroed at its end": lambda content: content[:-3000] + bytes(3000),
    "no word of its data": lambda content: content.replace(b'{"execution', b"[[[[[[[[[[["),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_database_is_made_anew_from_the_notebooks(store, damage):
    for number in range(12):
        keep(store, executed(f"{number}"), float(number), b"%d" % number if number % 2 else None)
    store.db.dispose()
    database = store.path / "global.db"
    assert not mend(store.path)
    database.write_bytes(DAMAGES[damage](database.read_bytes()))
    (store.path / "global.db-journal").write_bytes(b"of another database")
    assert mend(store.path)
    new = get_cache(store.path)
    assert sorted(record.data["execution_seconds"] for record in new.list_cache_records()) == [
        *map(float, range(12))
    ]
    assert all(is_kept(new, executed(f"{number}")) for number in range(12))
    for number in range(12):
        results = results_of(store.path, key(store, executed(f"{number}")))
        assert results.exists() == bool(number % 2)
        assert not results.exists() or results.read_bytes() == b"%d" % number
    assert not mend(store.path)


def test_where_no_database_is_none_is_made(tmp_path):
    assert not mend(tmp_path) and not list(tmp_path.iterdir())


# ------------------------------------------------------------------ what a notebook must be


def failed() -> dict:
    notebook = executed()
    error = {"ename": "ValueError", "evalue": "the moon", "traceback": []}
    notebook.cells[0].outputs.append(new_output("error", **error))
    return notebook


def written(notebook: dict, **others) -> bytes:
    return json.dumps({**notebook, **others}).encode()


def not_executed() -> dict:
    notebook = executed()
    notebook.cells[0].execution_count = None
    return notebook


OTHER = {"kernelspec": {"name": "other", "display_name": "Other"}}
WRONG = {
    "other cells": (written(executed("1 + 2")), "have the key"),
    "another kernel": (written(executed(), metadata=OTHER), "have the key"),
    "an error": (written(failed()), "a cell of it failed"),
    "not executed": (written(not_executed()), "not executed"),
    "a page of HTML": (b"<!doctype html>", "no valid notebook"),
    "no text": (b"\xff\xfe", "no valid notebook"),
    "cut": (written(executed())[:-9], "no valid notebook"),
    "not by the schema": (written(executed(), cells=[{"cell_type": "code"}]), "no valid notebook"),
    "a list": (b"[]", "no valid notebook"),
    "nested": (b"[" * 100_000, "no valid notebook"),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_notebook_that_is_not_the_wanted_one_is_refused(store, what):
    content, words = WRONG[what]
    with pytest.raises(ValueError, match=words):
        checked(store, content, key(store, executed()))


def test_an_error_that_a_cell_is_to_show_is_none(store):
    notebook = failed()
    notebook.cells[0].metadata["tags"] = ["raises-exception"]
    assert checked(store, written(notebook), key(store, notebook)) == notebook


# ------------------------------------------------------------------ what a site carries


@pytest.fixture
def site(store, tmp_path):
    """A folder as a site that carries one execution; what is wanted; and the application."""
    folder = tmp_path / "site" / published.FOLDER
    keep(store, executed(), 3.0)
    name = key(store, executed())
    index = {name: published._packed(store.path, folder, name)}
    (folder / "index.json").write_text(json.dumps(index))
    return folder


@pytest.fixture
def said(monkeypatch):
    """The lines that a build says."""
    lines = []
    logger = SimpleNamespace(info=lambda text, *values: lines.append(text % values))
    monkeypatch.setattr(published, "logger", logger)
    return lines


def take(where, folder, monkeypatch) -> bool:
    """Whether another store has the execution when it was taken from a site."""
    monkeypatch.setenv("BOOKBUILD_EXECUTED", str(where))
    app = SimpleNamespace(config=SimpleNamespace(bookbuild_repository=""))
    other = get_cache(folder)
    taken = published.take(app, {"book/alpha": executed()}, other)
    assert (taken == {"book/alpha"}) == is_kept(other, executed())
    assert {path.name for path in other.path.iterdir()} <= {
        "global.db", "__version__.txt", "executed"
    }  # fmt: skip
    return bool(taken)


def repacked(site, notebook: dict) -> None:
    """Put another notebook in the place of the right one, index and all: a forger's work."""
    (file,) = site.glob("*.gz")
    content = written(notebook)
    file.write_bytes(gzip.compress(content))
    index = {file.name.partition(".")[0]: hashlib.sha256(content).hexdigest()}
    (site / "index.json").write_text(json.dumps(index))


def damaged(name: str, change):
    """What changes the bytes of a file of the site."""

    def apply(site):
        (file,) = site.glob(name)
        file.write_bytes(change(file.read_bytes()))

    return apply


FAULTS = {
    "no file": (lambda site: next(site.glob("*.gz")).unlink(), "book/alpha: what"),
    "a cut file": (damaged("*.gz", lambda content: content[:-20]), "book/alpha: what"),
    "a changed file": (damaged("*.gz", lambda _: gzip.compress(b"{}")), "SHA-256"),
    "no gzip": (damaged("*.gz", lambda _: b"<html>"), "book/alpha: what"),
    "another key": (lambda site: repacked(site, executed("2 + 2")), "have the key"),
    "an error": (lambda site: repacked(site, failed()), "a cell of it failed"),
    "a huge file": (
        damaged("*.gz", lambda _: gzip.compress(bytes(published.LARGEST + 1))),
        "more than 32,000,000 bytes",
    ),
    "no index": (lambda site: (site / "index.json").unlink(), "executions are not taken"),
    "a damaged index": (damaged("index.json", lambda text: text[:9]), "executions are not taken"),
    "an index of lists": (damaged("index.json", lambda _: b'{"a": []}'), "no table of keys"),
    "a nested index": (damaged("index.json", lambda _: b"[" * 10**5), "executions are not taken"),
    "another index": (damaged("index.json", lambda _: b"{}"), "0 of 1 chapters taken"),
}


@pytest.fixture(params=["folder", "server"])
def address(request, site):
    """The site as a folder, and as a server has it."""
    if request.param == "folder":
        yield site.parent
    else:
        with serve(site.parent) as found:
            yield found


def test_an_execution_is_taken_with_its_time(site, address, tmp_path, monkeypatch, said):
    assert take(address, tmp_path / "new", monkeypatch)
    (record,) = get_cache(tmp_path / "new").list_cache_records()
    assert record.data == {"execution_seconds": 3.0}
    assert said == [f"1 of 1 chapters taken from {address}"]


def with_results(site, content: bytes) -> None:
    """Let the execution of a site have results of its trainings."""
    index = json.loads((site / "index.json").read_text())
    (name,) = index
    (site / f"{name}.pt").write_bytes(content)
    index[f"{name}.pt"] = hashlib.sha256(b"weights").hexdigest()
    (site / "index.json").write_text(json.dumps(index))


def test_an_execution_is_taken_with_what_its_trainings_ended_with(
    site, address, tmp_path, monkeypatch, said
):
    with_results(site, b"weights")
    assert take(address, tmp_path / "new", monkeypatch)
    (results,) = (tmp_path / "new").glob("executed/*/artifacts/results.pt")
    assert results.read_bytes() == b"weights"


def test_an_execution_whose_results_are_damaged_is_not_taken(
    site, address, tmp_path, monkeypatch, said
):
    with_results(site, b"weighty")
    assert not take(address, tmp_path / "new", monkeypatch)
    assert "SHA-256" in said[0]


@pytest.mark.parametrize("fault", FAULTS)
def test_of_a_damaged_site_nothing_is_taken(fault, site, address, tmp_path, monkeypatch, said):
    break_it, words = FAULTS[fault]
    break_it(site)
    assert not take(address, tmp_path / "new", monkeypatch)
    assert words in said[0] and len(said) <= 2
    assert "\n" not in "".join(said)


class Slow(Quiet):
    """Sends a byte now and then, without an end."""

    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        try:
            while True:
                self.wfile.write(b"[")
                time.sleep(0.05)
        except OSError:  # nobody listens any more
            pass


class Broken(http.server.SimpleHTTPRequestHandler):
    """Answers 500 with words that would steer a terminal."""

    def log_message(self, *args):
        pass

    def do_GET(self):
        self.send_response(500, "\x1b[2J")
        self.end_headers()


@pytest.mark.parametrize("handler", [Slow, Broken])
def test_a_server_that_does_not_deliver_is_given_up(handler, tmp_path, monkeypatch, said):
    monkeypatch.setattr(published, "SECONDS", 0.5)
    with serve(tmp_path, handler) as address:
        assert not take(address, tmp_path / "new", monkeypatch)
    assert "executions are not taken" in said[0] and "\x1b" not in said[0]


def test_where_nobody_listens_nothing_is_taken(tmp_path, monkeypatch, said):
    with serve(tmp_path) as address:
        pass
    assert not take(address, tmp_path / "new", monkeypatch)


REPOSITORY = "https://github.com/someone/rnn-book"


@pytest.mark.parametrize(
    ("variable", "repository", "expected"),
    [
        (None, "", ""),
        (None, REPOSITORY, "https://someone.github.io/rnn-book"),
        ("", REPOSITORY, ""),
        ("/some/folder/", REPOSITORY, "/some/folder"),
        ("https://else.where/", "", "https://else.where"),
    ],
)
def test_the_variable_says_from_where_and_without_it_the_repository(
    variable, repository, expected, monkeypatch
):
    monkeypatch.setenv("GITHUB_REPOSITORY", "else/where")  # in GitHub's own build it is set
    monkeypatch.delenv("BOOKBUILD_EXECUTED", raising=False)
    if variable is not None:
        monkeypatch.setenv("BOOKBUILD_EXECUTED", variable)
    config = SimpleNamespace(bookbuild_repository=repository, html_baseurl="")
    assert published.source(SimpleNamespace(config=config)) == expected


def test_builds_of_a_library_and_corrections_of_python_change_no_key(monkeypatch):
    monkeypatch.setattr(cache, "version", lambda name: {"small": "2.13.0+cpu"}.get(name, "2.13.0"))
    assert cache._version("small") == cache._version("large")
    assert platform.python_version().startswith(cache._python() + ".")


def test_an_execution_of_before_says_what_its_author_expected():
    notebook = executed()
    notebook.metadata["bookbuild"] = {"seconds": 90}
    assert seconds(notebook) == 90
