"""The build, on a miniature book: what runs again, what does not, and how it fails."""

import gc
import json
import multiprocessing
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import pytest
from bs4 import BeautifulSoup

from built import ROOT
from waiting import wait_until

FRONT_MATTER = """\
    ---
    file_format: mystnb
    kernelspec:
      display_name: Python 3
      name: python3
    ---
"""

FILES = {
    "_config.yml": """
        title: A miniature book
        only_build_toc_files: true
        execute:
          execute_notebooks: cache
          raise_on_error: true
          show_tb: true
          timeout: 300
          stderr_output: error
        sphinx:
          extra_extensions: [bookbuild]
          config:
            bookbuild_package: mini
            bookbuild_data: [mini.data]
            bookbuild_releases: {mini: [minidist], mini.other: [other]}
    """,
    "_toc.yml": """
        format: jb-book
        root: intro
        chapters: [{file: alpha}, {file: beta}, {file: claims}, {file: report}]
    """,
    "intro.md": """
        # A miniature book

        The answer is {glue:text}`alpha.md::alpha-answer:.0f`.

        ```{table}
        :class: stacked

        | name | size | |
        | --- | ---: | --- |
        | a | 1 | b |
        ```
    """,
    "claims.md": "# Claims\n\n```{claims}\n```\n",
    "report.md": "# Report\n\n```{build-report}\n```\n",
    "alpha.md": FRONT_MATTER
    + """
    # Alpha

    Some prose.

    ```{code-cell} python
    from mini.direct import answer
    from rnnbook.page.claims import claim
    print(answer(), file=open("alpha.ran", "a"))
    claim("alpha-answer", answer(), at_least=40)
    ```

    (a-place)=
    ## A place

    Nothing is wrong. The answer is {glue:text}`alpha-answer:.0f`.

    ```{checked}
    - The answer, [here](a-place), is at least 40: {glue:text}`alpha-answer:.0f`.
    ```
    """,
    "beta.md": FRONT_MATTER
    + """
    # Beta

    ```{code-cell} python
    from mini import data, other
    print(data.digest(""), other.NAME, file=open("beta.ran", "a"))
    ```
    """,
    "lib/mini/__init__.py": "",
    "lib/mini/__main__.py": """
        import sys
        from pathlib import Path
        print(*sys.argv[1:], file=Path(__file__).with_name("fetched.txt").open("a"))
    """,
    "lib/mini/direct.py": """
        from mini.deep import base
        def answer():
            return base() + 2
    """,
    "lib/mini/deep.py": "def base():\n    return 40\n",
    "lib/mini/other.py": "NAME = 'other'\n",
    "lib/mini/unused.py": "",
    "lib/mini/data.py": """
        from pathlib import Path
        def digest(code):
            return Path(__file__).with_name("data.txt").read_text()
    """,
    "lib/mini/data.txt": "first",
    "lib/minidist-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: minidist\nVersion: 1.0\n",
    "lib/other-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: other\nVersion: 1.0\n",
}


# Each build is a process of its own. Imports would take it half of its time, so it is a copy of one
# that has done them.
COPIES = multiprocessing.get_context("forkserver")
COPIES.set_forkserver_preload(["bookbuild.__main__", "bookbuild.claims", "bookbuild.execution"])
OPTIONS = ["-W", "-n", "--keep-going"]


def jupyter_book(folder: Path, environment: dict[str, str], log: Path) -> None:
    """Be the command `jupyter-book build`, which says into `log` what it says."""
    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have switched it off
    with log.open("w") as file:
        for stream in (1, 2):
            os.dup2(file.fileno(), stream)
    gc.disable()
    os.environ.clear()
    os.environ.update(environment)
    sys.path[:0] = environment["PYTHONPATH"].split(os.pathsep)
    from jupyter_book.cli.main import main

    main(["build", str(folder), *OPTIONS])


class Build:
    """A build that runs."""

    def __init__(self, *arguments):
        *_, self.log = arguments
        self.process = COPIES.Process(target=jupyter_book, args=arguments)
        self.process.start()

    def has_said(self, words: str) -> bool:
        return self.log.exists() and words in self.log.read_text("utf-8")

    def wait_for(self, words: str) -> None:
        """Wait until it says `words`."""
        while not self.has_said(words):
            assert self.process.is_alive(), f"it ended without {words!r}"
            time.sleep(0.01)

    def kill(self, how: int = signal.SIGKILL) -> None:
        """End it and what it has started."""
        os.killpg(self.process.pid, how)

    def end(self) -> tuple[int, str]:
        """Wait for its end; its exit code, and what it has said."""
        self.process.join(timeout=300)
        assert self.process.exitcode is not None, "it does not end"
        return self.process.exitcode, self.log.read_text("utf-8")


def words(html: str) -> str:
    """The text of a page or of a part of it, without its markup."""
    return re.sub("<[^>]+>", "", html)


class Book:
    """A book in a folder, built as a reader would build it."""

    first: dict[str, str]  # the pages as the first build left them
    builds = 0  # that were started
    variables: Mapping[str, str] = MappingProxyType({})  # of its environment

    def __init__(self, folder: Path):
        self.folder = folder
        for name, content in FILES.items():
            self.write(name, textwrap.dedent(content))

    def write(self, name: str, content: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")

    def edit(self, name: str, old: str, new: str) -> None:
        content = (self.folder / name).read_text("utf-8")
        assert old in content
        self.write(name, content.replace(old, new))

    @property
    def environment(self) -> dict[str, str]:
        """What a build finds; GitHub would set an address, which this book has not."""
        paths = os.pathsep.join([str(self.folder / "lib"), str(ROOT / "code")])
        own = {"PYTHONPATH": paths, "NO_COLOR": "1"}
        others = {k: v for k, v in os.environ.items() if k != "GITHUB_REPOSITORY"}
        return {**others, **own, **self.variables}

    def start(self) -> Build:
        self.builds += 1
        return Build(self.folder, self.environment, self.folder / f"build-{self.builds}.log")

    def restore(self) -> None:
        """Put the sources back as they were at first."""
        for path in self.folder.glob("lib/mini/*.py"):
            if f"lib/mini/{path.name}" not in FILES:
                path.unlink()
        for name, content in FILES.items():
            content, path = textwrap.dedent(content), self.folder / name
            if not path.exists() or path.read_text("utf-8") != content:
                self.write(name, content)

    def runs(self) -> dict[str, int]:
        """How often each chapter has been executed so far."""
        return {path.stem: len(path.read_text().splitlines()) for path in self.folder.glob("*.ran")}

    def build(self) -> set[str]:
        """Build; the chapters that were executed. Fails with the output if the build fails."""
        code, output, executed = self.try_to_build()
        assert code == 0, output
        return executed

    def try_to_build(self) -> tuple[int, str, set[str]]:
        before = self.runs()
        code, output = self.start().end()
        times = {name: n - before.get(name, 0) for name, n in self.runs().items()}
        assert max(times.values(), default=0) <= 1, f"executed more than once: {times}"
        return code, output, {name for name, n in times.items() if n}

    def executions(self) -> set[str]:
        """The chapters of which the last build says what their execution took."""
        return set(self.report()["chapters"])

    def report(self) -> dict:
        """What the last build says of each chapter."""
        return json.loads((self.folder / "_build/execution.json").read_text("utf-8"))

    def page(self, name: str) -> str:
        return (self.folder / "_build/html" / f"{name}.html").read_text("utf-8")


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    book = Book(tmp_path_factory.mktemp("miniature"))
    assert book.build() == {"alpha", "beta"}
    book.first = {path.stem: path.read_text("utf-8") for path in book.folder.rglob("html/*.html")}
    return book


@pytest.fixture
def book(built):
    """The built book, which a test may change: its sources are put back afterwards."""
    yield built
    built.restore()


def test_a_build_in_which_all_is_well_warns_of_nothing(built):
    """Nor do the kernels, as ipykernel from its release 7.3 on if nothing encrypts what it says."""
    said = (built.folder / "build-1.log").read_text("utf-8")
    assert "executed in" in said and "WARNING" not in said


# ------------------------------------------------------------------ what runs again


def test_nothing_runs_again_when_nothing_changed_or_files_were_only_touched(book):
    before = book.runs()
    command = [Path(sys.executable).with_name("jupyter-book"), "build", book.folder, *OPTIONS]
    subprocess.run(command, env=book.environment, check=True)
    assert book.runs() == before
    for path in (*book.folder.glob("*.md"), *book.folder.glob("lib/mini/*.py")):
        os.utime(path)
    assert book.build() == set()


CHANGES = [
    ("lib/mini/direct.py", "+ 2", "+ 3", {"alpha"}),
    ("lib/mini/deep.py", "return 40", "return 41", {"alpha"}),
    (
        "lib/mini/deep.py",
        "base():\n",
        "base():\n    # a comment that a chapter may show\n",
        {"alpha"},
    ),
    ("lib/mini/other.py", "'other'", "'another'", {"beta"}),
    ("lib/mini/data.txt", "first", "second", {"beta"}),
    ("lib/minidist-1.0.dist-info/METADATA", "Version: 1.0", "Version: 2.0", {"alpha", "beta"}),
    ("lib/other-1.0.dist-info/METADATA", "Version: 1.0", "Version: 2.0", {"beta"}),
    ("alpha.md", "at_least=40", "at_least=41", {"alpha"}),
]
OF_NO_ACCOUNT = [
    ("lib/mini/deep.py", "def", "# a comment outside\ndef"),
    ("lib/mini/deep.py", "def base", "def other():\n    return 1\n\ndef base"),
    ("lib/mini/unused.py", "", "x = 1\n"),
    ("alpha.md", "Some prose.", "Other prose."),
]


def test_only_what_depends_on_a_change_runs_again_and_a_revert_runs_nothing(book):
    for name, old, new, executed in CHANGES:
        book.edit(name, old, new)
        assert book.build() == executed, (name, new)
    for name, old, new in OF_NO_ACCOUNT:
        book.edit(name, old, new)
    assert book.build() == set()
    book.restore()
    assert book.build() == set()


def test_a_definition_that_moves_to_another_module_runs_nothing(book):
    (book.folder / "lib/mini/deep.py").rename(book.folder / "lib/mini/deeper.py")
    book.edit("lib/mini/direct.py", "mini.deep", "mini.deeper")
    assert book.build() == set()
    book.edit("lib/mini/deeper.py", "return 40", "return 41")
    assert book.build() == {"alpha"}


def test_the_page_shows_the_new_number_and_so_does_the_page_of_claims(book):
    for page in ("alpha", "intro"):
        assert "answer is 42" in words(book.first[page])
    assert "at least 40: 42." in words(book.first["claims"])
    assert "≥\N{NO-BREAK SPACE}40" in words(book.first["claims"])
    book.edit("lib/mini/deep.py", "return 40", "return 50")
    book.build()
    for page in ("alpha", "claims", "intro"):
        assert "52" in words(book.page(page)) and "42" not in words(book.page(page))


def test_every_page_shows_the_new_title_of_another(book):
    book.edit("beta.md", "# Beta", "# Gamma")
    assert book.build() == set()
    assert "Gamma" in words(book.page("alpha")) and "Beta" not in words(book.page("alpha"))


def test_the_page_of_claims_shows_the_statement_of_today(book):
    book.edit("alpha.md", "The answer, [here](a-place), is", "The result, [here](a-place), is")
    assert book.build() == set()
    assert "The result, here, is at least 40: 42." in words(book.page("claims"))


def test_the_page_of_claims_shows_the_statement_and_the_bounds(built):
    row = next(row for row in re.findall("<tr.*?</tr>", built.first["claims"], re.S) if "42" in row)
    assert [words(cell).strip() for cell in re.findall("<td.*?</td>", row, re.S)] == [
        "The answer, here, is at least 40: 42.",
        "42",
        "≥\N{NO-BREAK SPACE}40",
    ]
    assert 'href="alpha.html#a-place"' in row


def test_the_page_of_claims_has_a_closed_fold_for_each_chapter_that_claims_something(built):
    page = BeautifulSoup(built.first["claims"], "html.parser")
    (fold,) = page.select("main details")
    assert fold.summary.get_text() == "Alpha (claims: 1)" and not fold.has_attr("open")
    assert fold.select_one("table.claims") and fold.select_one("a")["href"] == "alpha.html"


def test_the_search_finds_a_claim_where_it_is_folded_and_a_chapter_by_its_title_alone(book):
    book.build()
    written = (book.folder / "_build/html/searchindex.js").read_text("utf-8")
    index = json.loads(written.removeprefix("Search.setIndex(").removesuffix(")"))
    pages = [index["docnames"][number] for number in index["terms"]["answer"]]
    assert pages == ["alpha", "claims", "intro"]
    assert [title for title in index["alltitles"] if "Alpha" in title] == ["Alpha"]


def test_a_cell_of_a_stacked_table_names_its_column_whichever_way_it_is_aligned(built):
    cells = re.findall("<td.*?>", built.first["intro"])
    assert cells == ["<td>", "<td>", '<td class="text-right" data-label="size">', "<td>"]


def test_a_chapter_shows_its_statements_with_the_bounds(built):
    fold = built.first["alpha"].partition("<details")[2].partition("</details>")[0]
    assert "The answer, here, is at least 40: 42. [≥\N{NO-BREAK SPACE}40]" in words(fold)


def test_a_statement_that_quotes_no_claim_is_an_error(book):
    book.edit("alpha.md", "alpha-answer:.0f`.\n```", "alpha-answer:.0f`.\n- Yes.\n```")
    code, output, _ = book.try_to_build()
    assert code != 0 and "alpha.md:26: WARNING: a statement without a claim: Yes." in output


def test_a_claim_that_no_statement_quotes_is_an_error(book):
    book.edit("alpha.md", "is at least 40: {glue:text}`alpha-answer:.0f`.", "is there.")
    code, output, _ = book.try_to_build()
    assert code != 0 and "alpha.md:16: WARNING: no statement quotes the claim 'al" in output
    assert "in {checked} write one with {glue:text}`alpha-answer`" in output


def test_the_page_of_the_build_says_what_ran_and_when(built):
    facts = dict(re.findall(r"<p>([^<]+)</p></td>\s*<td><p>([^<]+)</p>", built.first["report"]))
    assert facts["Python"] == platform.python_version()
    rows = re.findall("<tr.*?</tr>", built.first["report"], re.S)
    (alpha,) = [re.findall("<p>(.*?)</p>", row) for row in rows if "<p>Alpha</p>" in row]
    assert float(alpha[2].replace(",", "")) > 10  # megabytes
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", alpha[3])


def test_a_page_made_of_a_chapter_that_is_gone_forgets_its_claims(book):
    book.edit("_toc.yml", "{file: alpha}, ", "")
    (book.folder / "alpha.md").unlink()
    book.edit("intro.md", "The answer is {glue:text}`alpha.md::alpha-answer:.0f`.", "")
    book.build()
    assert "42" not in words(book.page("claims"))


def test_a_kernel_is_not_left_time_to_complain_of_its_end(book):
    last_words = "import atexit\natexit.register(open, 'last_words', 'x')\n"
    book.edit("beta.md", "print(", f"{last_words}print(")
    assert book.build() == {"beta"}
    assert not (book.folder / "last_words").exists()


# ------------------------------------------------------------------ how it fails


def test_a_failing_cell_is_shown_and_fails_again(book):
    book.edit("beta.md", "print(", "assert 1 == 2, 'the moon'\nprint(")
    for _ in range(2):
        code, output, _ = book.try_to_build()
        assert code != 0
        assert "beta.md" in output and "assert 1 == 2" in output
        assert "AssertionError" in output and "the moon" in output
        assert "0 of 2 chapters executed" in output
        assert "beta" not in book.executions()
    book.edit("beta.md", "assert 1 == 2, 'the moon'\n", "")
    assert book.build() == set()  # the run from before the failure still counts
    assert book.executions() == {"alpha", "beta"}


def test_what_was_executed_before_another_chapter_failed_is_counted(tmp_path):
    book = Book(tmp_path)
    book.edit("beta.md", "print(", "assert 1 == 2\nprint(")
    code, output, _ = book.try_to_build()
    assert code != 0 and "1 of 2 chapters executed" in output


def test_a_page_that_the_contents_do_not_name_stops_the_build(book):
    book.write("new.md", "# New")
    book.edit("beta.md", "other.NAME", "other.NAME * 9")
    code, output, executed = book.try_to_build()
    (book.folder / "new.md").unlink()
    assert code != 0 and "new.md: it is not in _toc.yml" in output and executed == set()


def test_what_a_chapter_lacks_stops_the_build_before_anything_is_executed(book):
    book.edit(
        "_toc.yml", "chapters: [{file: alpha}", "options: {numbered: 1}\nchapters: [{file: alpha}"
    )
    book.edit("beta.md", "other.NAME", "other.NAME * 10")
    code, output, executed = book.try_to_build()
    assert code != 0 and executed == set()
    for page in ("alpha", "beta"):
        assert f"{page}.md: it lacks its question, in a line of its own" in output


def test_a_false_claim_stops_the_build(book):
    book.edit("alpha.md", "at_least=40", "at_least=43")
    code, output, _ = book.try_to_build()
    assert code != 0 and "expected at least 43, measured 42" in output


def test_a_cell_that_is_no_python_names_its_chapter(book):
    book.edit("alpha.md", "print(answer(),", "print(answer(,")
    code, output, executed = book.try_to_build()
    assert code != 0 and "alpha: a cell is no Python" in output and executed == set()


def test_a_warning_fails_again(book):
    book.edit("alpha.md", "Some prose.", "[](nowhere.md)")
    for _ in range(2):
        code, output, executed = book.try_to_build()
        assert code != 0 and "nowhere.md" in output and executed == set()
    book.edit("alpha.md", "[](nowhere.md)", "Some prose.")
    assert book.build() == set()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_build_can_be_run_again(book, how):
    """Alpha is executed when the build is interrupted, and beta is not."""
    book.edit("lib/mini/deep.py", "40", f"{40 + how}")
    book.edit("beta.md", "from mini", "import time; time.sleep(90)\nfrom mini")
    build = book.start()
    build.wait_for("alpha: executed")
    build.kill(how)
    code, output = build.end()
    assert code != 0 and "beta: failed" not in output
    book.edit("beta.md", "time.sleep(90)", f"how = {int(how)}")
    assert book.build() == {"beta"}  # alpha is not run again
    assert f"answer is {42 + how}" in words(book.page("alpha"))


def test_pages_that_a_killed_build_did_not_write_are_written(book):
    """Sphinx has read them and kept what it read, but their files are still the old ones."""
    book.build()
    book.edit("lib/mini/deep.py", "return 40", "return 60")
    build = book.start()
    build.wait_for("pickling environment")
    build.kill()
    build.end()
    book.build()
    assert "answer is 62" in words(book.page("alpha"))


def test_an_output_that_was_written_in_part_is_made_again(book):
    """As after a power cut, or on a disk that was full."""
    book.edit("lib/mini/deep.py", "return 40", "return 70")
    book.build()
    outputs = book.folder.glob("_build/.jupyter_cache/executed/*/base.ipynb")
    newest = max(outputs, key=os.path.getmtime)
    newest.write_text(newest.read_text("utf-8")[:100])
    os.utime(book.folder / "alpha.md")  # so that it is read again
    assert book.build() == {"alpha"}


def test_what_was_cut_off_is_made_again(book):
    """What Sphinx has kept of a page, and the page."""
    book.build()
    kept, page = (
        book.folder / "_build" / name for name in (".doctrees/alpha.doctree", "html/beta.html")
    )
    for path in (kept, page):
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    before = page.read_bytes()
    assert book.build() == set()
    assert len(page.read_bytes()) > 1.5 * len(before)


def test_chapters_run_again_when_the_cache_was_deleted(book):
    book.build()
    shutil.rmtree(book.folder / "_build/.jupyter_cache")
    assert book.build() == {"alpha", "beta"}


def test_a_damaged_database_of_executions_is_set_aside_and_only_what_is_lost_runs_again(book):
    book.edit("beta.md", "other.NAME", "other.NAME * 2")
    book.build()
    before = book.report()["chapters"]["alpha"]
    folder = book.folder / "_build/.jupyter_cache"
    database = folder / "global.db"
    database.write_bytes(database.read_bytes()[:5000])
    newest = max(folder.glob("executed/*/base.ipynb"), key=os.path.getmtime)
    newest.write_text(newest.read_text("utf-8").replace("other.NAME * 2", "other.NAME * 3"))
    code, output, executed = book.try_to_build()
    assert code == 0 and executed == {"beta"}, output  # its notebook has other cells than its key
    assert output.count("was damaged") == 1 and "Traceback" not in output
    assert book.report()["chapters"]["alpha"] == before


def test_another_build_takes_the_executions_that_a_site_carries(book, tmp_path):
    book.build()
    other = Book(tmp_path / "other")
    other.edit("beta.md", "other.NAME", "other.NAME * 4")
    other.variables = {"BOOKBUILD_EXECUTED": str(book.folder / "_build/html")}
    code, output, executed = other.try_to_build()
    assert code == 0 and executed == {"beta"}, output
    assert "1 of 2 chapters taken from" in output
    assert "answer is 42" in words(other.page("alpha"))
    ours, theirs = (one.report()["chapters"]["alpha"] for one in (other, book))
    assert ours["seconds"] == theirs["seconds"]
    book.edit("lib/mini/other.py", "'other'", "'sixth'")
    book.build()
    folder = book.folder / "_build/html/_executed"
    assert len(json.loads((folder / "index.json").read_text())) == 2  # those of before are gone
    assert len(list(folder.glob("*.gz"))) == 2


def test_two_builds_at_once_take_turns(book, tmp_path):
    go = tmp_path / "go"
    wait = f"import os, time\n    while not os.path.exists({str(go)!r}): time.sleep(0.01)"
    book.edit("lib/mini/deep.py", "return 40", f"{wait}\n    return 80")
    before = book.runs()
    builds = book.start(), book.start()
    try:
        wait_until(lambda: any(build.has_said("waiting for another build") for build in builds))
    finally:
        go.touch()  # or they would wait on
    codes, outputs = zip(*[build.end() for build in builds], strict=True)
    assert codes == (0, 0), outputs
    assert sum("waiting for another build" in output for output in outputs) == 1
    assert book.runs()["alpha"] == before["alpha"] + 1
    assert "answer is 82" in words(book.page("alpha"))


def test_the_data_are_fetched_once_before_chapters_run_side_by_side(book):
    """Or they would wait for each other's, and say so in what they print."""
    fetched = book.folder / "lib/mini/fetched.txt"
    fetched.unlink()
    book.edit("lib/minidist-1.0.dist-info/METADATA", "Version: 1.0", "Version: 3.0")
    assert book.build() == {"alpha", "beta"}
    first = min(path.stat().st_mtime for path in book.folder.glob("*.ran"))
    assert fetched.read_text() == "data\n" and fetched.stat().st_mtime < first
    assert book.build() == set()
    assert fetched.read_text() == "data\n"


def test_where_data_cannot_be_fetched_nothing_runs(book):
    book.edit("lib/mini/__main__.py", "import sys", "import sys\nsys.exit('no network')")
    book.edit("lib/minidist-1.0.dist-info/METADATA", "Version: 1.0", "Version: 4.0")
    code, output, executed = book.try_to_build()
    assert code != 0 and "no network" in output and "cannot be had" in output
    assert executed == set()


def test_data_that_cannot_be_had_are_named(book):
    (book.folder / "lib/mini/data.txt").unlink()
    code, output, _ = book.try_to_build()
    assert code != 0 and "data.txt" in output
