"""One chapter alone, on a miniature book: `python -m bookbuild chapter alpha`."""

import os
import signal
import subprocess
import sys
import urllib.request

import pytest

from bookbuild import chapter
from test_build import Book, words
from waiting import PATIENCE, wait_until


class Served:
    """The command, while it runs; its browser writes down what it is to open."""

    def __init__(self, book: Book, name: str):
        self.opened, self.said = book.folder / "opened.txt", book.folder / "said.txt"
        self.built = book.folder / f"_build/chapters/{name}/html/{name}.html"
        program = book.folder / "browser.sh"
        program.write_text(f'#!/bin/sh\nprintf %s "$1" > {self.opened}\n')
        program.chmod(0o755)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bookbuild", "chapter", name],
            cwd=book.folder,
            env={**book.environment, "BROWSER": f"{program} %s"},
            stdout=self.said.open("w"),
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def wait(self, condition) -> None:
        def has_come() -> bool:
            assert self.process.poll() is None, self.said.read_text("utf-8")
            return condition()

        wait_until(has_come)

    def page(self) -> str:
        with urllib.request.urlopen(self.opened.read_text()) as answer:
            return answer.read().decode()

    def has_built(self, text: str) -> bool:
        return text in words(self.built.read_text("utf-8"))


@pytest.fixture
def served(tmp_path):
    """A miniature book of which `alpha` is served."""
    book = Book(tmp_path)
    book.edit("alpha.md", "Some prose.", "Some prose, and [](beta.md): {glue:text}`beta.md::no`.")
    one = Served(book, "alpha")
    yield book, one
    if one.process.poll() is None:
        os.killpg(one.process.pid, signal.SIGKILL)


def test_a_chapter_is_executed_alone_opened_and_built_again_as_it_changes(served):
    book, one = served
    one.wait(one.opened.exists)
    assert one.opened.read_text().endswith("/alpha.html")
    page = one.page()
    assert "answer is 42" in words(page) and "and Beta:" in words(page)
    assert 'href="beta.html"' in page and "websocket-reload" in page
    assert book.runs() == {"alpha": 1}

    book.edit("alpha.md", "Nothing is wrong.", "Nothing at all is wrong.")
    one.wait(lambda: one.has_built("Nothing at all"))
    assert book.runs() == {"alpha": 1}

    book.edit("alpha.md", "answer(), at_least", "answer() + 1, at_least")
    one.wait(lambda: one.has_built("answer is 43"))
    assert book.runs() == {"alpha": 2}

    assert not (book.folder / "_build/html").exists()
    os.killpg(one.process.pid, signal.SIGINT)  # as Ctrl-C does
    assert one.process.wait(timeout=PATIENCE / 1000) == 0
    assert "Traceback" not in one.said.read_text("utf-8")

    book.edit("alpha.md", ": {glue:text}`beta.md::no`", "")
    assert book.build() == {"beta"}  # whatever was executed is there for the whole book
    assert "answer is 43" in words(book.page("alpha"))


def test_a_chapter_whose_cell_fails_is_said_and_not_served(tmp_path):
    book = Book(tmp_path)
    book.edit("alpha.md", "at_least=40", "at_least=43")
    one = Served(book, "alpha")
    assert one.process.wait(timeout=PATIENCE / 1000) == 1
    assert "expected at least 43, measured 42" in one.said.read_text("utf-8")
    assert not one.opened.exists()


@pytest.mark.parametrize("name", ["gamma", ""])
def test_of_a_name_that_is_none_the_names_are_said(name, tmp_path):
    book = Book(tmp_path)
    command = [sys.executable, "-m", "bookbuild", "chapter", name]
    result = subprocess.run(
        command, cwd=book.folder, env=book.environment, capture_output=True, text=True
    )
    assert result.returncode == 1 and "alpha, beta, claims, intro, report" in result.stderr
    assert name in result.stderr and result.stderr.count("\n") == 1


def test_where_the_port_is_taken_another_is_used():
    with chapter.listening() as one, chapter.listening() as other:
        assert one.getsockname()[1] != other.getsockname()[1]
