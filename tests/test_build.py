"""The build, on a miniature book: what runs again, what does not, and how it fails."""

import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

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
        execute: {execute_notebooks: cache, raise_on_error: true, show_tb: true}
        sphinx:
          extra_extensions: [bookbuild]
          config:
            bookbuild_package: mini
            bookbuild_data: [mini.data]
            bookbuild_distributions: [minidist]
    """,
    "_toc.yml": """
        format: jb-book
        root: intro
        chapters: [{file: alpha}, {file: beta}, {file: claims}, {file: report}]
    """,
    "intro.md": "# A miniature book\n\nThe answer is {glue:text}`alpha.md::alpha-answer:.0f`.\n",
    "claims.md": "# Claims\n\n```{claims}\n```\n",
    "report.md": "# Report\n\n```{build-report}\n```\n",
    "alpha.md": FRONT_MATTER
    + """
    # Alpha

    Some prose.

    ```{code-cell} python
    from mini.direct import answer
    from rnnbook.claims import claim
    print(answer(), file=open("alpha.ran", "a"))
    claim("alpha-answer", answer(), at_least=40)
    ```

    (a-place)=
    ## A place

    Nothing is wrong. The answer is {glue:text}`alpha-answer:.0f` ([here](a-place)).
    This is the next sentence.
    """,
    "beta.md": FRONT_MATTER
    + """
    # Beta

    ```{code-cell} python
    from mini import data, other
    print(data.digest(), other.NAME, file=open("beta.ran", "a"))
    ```
    """,
    "lib/mini/__init__.py": "",
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
        def digest():
            return Path(__file__).with_name("data.txt").read_text()
    """,
    "lib/mini/data.txt": "first",
    "lib/minidist-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: minidist\nVersion: 1.0\n",
}


def words(html: str) -> str:
    """The text of a page or of a part of it, without its markup."""
    return re.sub("<[^>]+>", "", html)


class Book:
    """A book in a folder, built as a reader would build it."""

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

    def start(self) -> subprocess.Popen:
        command = [Path(sys.executable).with_name("jupyter-book"), "build", self.folder]
        environment = {**os.environ, "PYTHONPATH": str(self.folder / "lib"), "NO_COLOR": "1"}
        return subprocess.Popen(
            [*command, "-W", "-n", "--keep-going"],
            env=environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

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
        process = self.start()
        output = process.communicate(timeout=120)[0]
        executed = {name for name, n in self.runs().items() if n > before.get(name, 0)}
        return process.returncode, output, executed

    def page(self, name: str) -> str:
        return (self.folder / "_build/html" / f"{name}.html").read_text("utf-8")


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    book = Book(tmp_path_factory.mktemp("miniature"))
    assert book.build() == {"alpha", "beta"}
    return book


@pytest.fixture
def book(built, tmp_path):
    """A copy of the built book that a test may change."""
    shutil.copytree(built.folder, tmp_path / "book", dirs_exist_ok=True)
    copy = Book.__new__(Book)
    copy.folder = tmp_path / "book"
    assert copy.build() == set()  # after a move, Sphinx reads every page again; now it is settled
    return copy


# ------------------------------------------------------------------ what runs again


def test_nothing_runs_again_when_nothing_changed(book):
    assert book.build() == set()


def test_nothing_runs_again_when_files_were_only_touched(book):
    for path in (*book.folder.glob("*.md"), *book.folder.glob("lib/mini/*.py")):
        os.utime(path)
    assert book.build() == set()


@pytest.mark.parametrize(
    ("name", "old", "new", "executed"),
    [
        ("lib/mini/direct.py", "+ 2", "+ 3", {"alpha"}),
        ("lib/mini/deep.py", "return 40", "return 41", {"alpha"}),
        ("lib/mini/deep.py", "def", "# a comment\ndef", {"alpha"}),
        ("lib/mini/other.py", "'other'", "'another'", {"beta"}),
        ("lib/mini/data.txt", "first", "second", {"beta"}),
        ("lib/mini/__init__.py", "", "# everything depends on this\n", {"alpha", "beta"}),
        ("lib/mini/unused.py", "", "x = 1\n", set()),
        ("lib/minidist-1.0.dist-info/METADATA", "Version: 1.0", "Version: 2.0", {"alpha", "beta"}),
        ("alpha.md", "Some prose.", "Other prose.", set()),
        ("alpha.md", "at_least=40", "at_least=41", {"alpha"}),
    ],
    ids=[
        "module",
        "transitive",
        "comment",
        "other",
        "data",
        "package",
        "unused",
        "version",
        "prose",
        "cell",
    ],
)
def test_only_what_depends_on_a_change_runs_again_and_a_revert_runs_nothing(
    book, name, old, new, executed
):
    before = (book.folder / name).read_text("utf-8")
    book.edit(name, old, new)
    assert book.build() == executed
    assert book.build() == set()
    book.write(name, before)
    assert book.build() == set()


def test_a_renamed_module_runs_what_depends_on_it(book):
    (book.folder / "lib/mini/deep.py").rename(book.folder / "lib/mini/deeper.py")
    book.edit("lib/mini/direct.py", "mini.deep", "mini.deeper")
    assert book.build() == {"alpha"}


def test_the_page_shows_the_new_number_and_so_does_the_page_of_claims(book):
    for page in ("alpha", "claims", "intro"):
        assert "answer is 42" in words(book.page(page))
    assert "≥\N{NO-BREAK SPACE}40" in words(book.page("claims"))
    book.edit("lib/mini/deep.py", "return 40", "return 50")
    book.build()
    for page in ("alpha", "claims", "intro"):
        assert "answer is 52" in words(book.page(page)) and "42" not in words(book.page(page))


def test_the_page_of_claims_shows_the_sentence_alone(book):
    row = next(row for row in re.findall("<tr.*?</tr>", book.page("claims"), re.S) if "42" in row)
    assert [words(cell).strip() for cell in re.findall("<td.*?</td>", row, re.S)] == [
        "The answer is 42 (here).",
        "42",
        "≥\N{NO-BREAK SPACE}40",
        "Alpha",
    ]
    assert 'href="alpha.html#a-place"' in row


def test_a_claim_that_no_sentence_quotes_is_an_error(book):
    book.edit("alpha.md", "The answer is {glue:text}`alpha-answer:.0f`", "The answer is there")
    book.edit("intro.md", "The answer is {glue:text}`alpha.md::alpha-answer:.0f`.", "")
    code, output, _ = book.try_to_build()
    assert code != 0 and "no sentence quotes the claim 'alpha-answer'" in output


def test_the_page_of_the_build_says_what_ran_and_when(book):
    facts = dict(re.findall(r"<p>([^<]+)</p></td>\s*<td><p>([^<]+)</p>", book.page("report")))
    assert facts["Python"] == platform.python_version()
    rows = re.findall("<tr.*?</tr>", book.page("report"), re.S)
    (alpha,) = [re.findall("<p>(.*?)</p>", row) for row in rows if "<p>Alpha</p>" in row]
    assert float(alpha[2].replace(",", "")) > 10  # megabytes
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", alpha[3])


def test_a_page_made_of_a_chapter_that_is_gone_forgets_its_claims(book):
    book.edit("_toc.yml", "{file: alpha}, ", "")
    book.edit("intro.md", "The answer is {glue:text}`alpha.md::alpha-answer:.0f`.", "")
    book.build()
    assert "42" not in words(book.page("claims"))


# ------------------------------------------------------------------ how it fails


def test_a_failing_cell_is_shown_and_fails_again(book):
    book.edit("beta.md", "print(", "assert 1 == 2, 'the moon'\nprint(")
    for _ in range(2):
        code, output, _ = book.try_to_build()
        assert code != 0
        assert "beta.md" in output and "assert 1 == 2" in output
        assert "AssertionError" in output and "the moon" in output
    book.edit("beta.md", "assert 1 == 2, 'the moon'\n", "")
    assert book.build() == set()  # the run from before the failure still counts


def test_a_false_claim_stops_the_build(book):
    book.edit("alpha.md", "at_least=40", "at_least=43")
    code, output, _ = book.try_to_build()
    assert code != 0 and "expected at least 43, measured 42" in output


def test_a_warning_fails_again(book):
    book.edit("alpha.md", "Some prose.", "[](nowhere.md)")
    for _ in range(2):
        code, output, executed = book.try_to_build()
        assert code != 0 and "nowhere.md" in output and executed == set()
    book.edit("alpha.md", "[](nowhere.md)", "Some prose.")
    assert book.build() == set()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_build_can_be_run_again(book, how):
    book.edit("lib/mini/deep.py", "40", "45")
    book.edit("beta.md", "from mini", "import time; time.sleep(9)\nfrom mini")
    process = book.start()
    deadline = time.monotonic() + 60
    for line in process.stdout:
        if "beta.md: Executing" in line or time.monotonic() > deadline:
            break
    os.killpg(process.pid, how)
    process.communicate(timeout=60)
    assert process.returncode != 0
    book.edit("beta.md", "time.sleep(9)", "pass")
    assert book.build() == {"beta"}  # alpha was finished, and is not run again
    assert "answer is 47" in words(book.page("alpha"))


def test_data_that_cannot_be_had_are_named(book):
    (book.folder / "lib/mini/data.txt").unlink()
    code, output, _ = book.try_to_build()
    assert code != 0 and "mini.data has no data" in output
