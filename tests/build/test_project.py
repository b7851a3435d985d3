"""The repository itself: layers, style, pins, the workflow, and what it must not contain."""

import re
import shutil
import subprocess
import sys
from fnmatch import fnmatch
from importlib import metadata
from itertools import chain
from pathlib import Path

import check_jsonschema
import pytest
from click.testing import CliRunner
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

import javascript
from built import ROOT
from distributions import closure, listed, project, requirements
from rnnbook.demos import kinds

GENERATED = {
    ".git",
    ".venv",
    "_build",
    "runs",
    "__pycache__",
    ".pytest_cache",
    ".ruff_cache",
    ".import_linter_cache",
    "conf.py",
}
FILES = sorted(
    path.relative_to(ROOT).as_posix()
    for top in ROOT.iterdir()
    if top.name not in GENERATED | {"build"}
    for path in ([top] if top.is_file() else top.rglob("*"))
    if path.is_file()
    and not GENERATED.intersection(path.relative_to(ROOT).parts)
    and ".egg-info" not in str(path)
    and path.suffix != ".mo"
)


assert "pyproject.toml" in FILES


def check(*arguments: str) -> None:
    result = subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr


def test_style():
    check("-m", "ruff", "check", ".")
    check("-m", "ruff", "format", "--check", ".")


def test_spelling():
    check("-m", "codespell_lib")


def test_types():
    check("-m", "pyrefly", "check", "--python-interpreter-path", sys.executable)


def test_the_javascript_has_no_mistake_that_a_linter_knows():
    assert javascript.findings() == []
    assert javascript.lint(*javascript.PAGES) == []


def test_the_linter_sees_a_name_that_no_file_defines_and_one_that_no_program_uses(
    tmp_path, monkeypatch
):
    shutil.copytree(kinds.JS, tmp_path / "js")
    monkeypatch.setattr(kinds, "JS", tmp_path / "js")
    path = tmp_path / "js/gate_cell.js"
    path.write_text(path.read_text("utf-8").replace("function runCell(", "function run("), "utf-8")
    unused, undefined = javascript.findings()
    assert (unused.file, unused.rule) == (path.name, "eslint(no-unused-vars)")
    assert "function run(" in path.read_text("utf-8").splitlines()[unused.line - 1]
    assert (undefined.file, undefined.rule) == ("gates.js", "eslint(no-undef)")
    assert "runCell" in undefined.message


def test_layers():
    """rnnbook never imports bookbuild, and the arrows inside it run one way."""
    check("-c", "from importlinter.cli import lint_imports_command; lint_imports_command()")


FORMS = ["wrong", "lost"]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))


@pytest.mark.parametrize(
    ("schema", "paths"),
    [
        ("github-workflows", WORKFLOWS),
        ("dependabot", [ROOT / ".github/dependabot.yml"]),
        ("github-issue-forms", [ROOT / f".github/ISSUE_TEMPLATE/{name}.yml" for name in FORMS]),
        ("github-issue-config", [ROOT / ".github/ISSUE_TEMPLATE/config.yml"]),
        ("citation-file-format", [ROOT / "CITATION.cff"]),
    ],
)
def test_files_for_others_are_valid(schema, paths):
    assert paths
    options = ["--builtin-schema", f"vendor.{schema}"]
    result = CliRunner().invoke(check_jsonschema.main, [*options, *map(str, paths)])
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("path", WORKFLOWS, ids=[path.stem for path in WORKFLOWS])
def test_a_workflow_may_do_little_and_uses_actions_pinned_by_commit(path):
    text = path.read_text("utf-8")
    assert "\npermissions:\n  contents: read\n" in text
    actions = re.findall(r"uses: (.*)", text)
    assert actions
    assert all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v[\d.]+", action) for action in actions)
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert set(re.findall(r"make ([a-z]+)", text)) <= set(targets)


def test_the_oldest_libraries_are_those_of_pyproject(tmp_path):
    """What `make oldest` installs, with all pins but those of these libraries."""
    for name in ("Makefile", "pyproject.toml", "requirements.txt", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / ".venv").mkdir()
    subprocess.run(["make", "oldest", "PYTHON=true", "PY=true"], cwd=tmp_path, check=True)
    made = {path.stem: path.read_text().splitlines() for path in tmp_path.glob(".venv/*.txt")}
    extras = project()["optional-dependencies"].values()
    limits = [one for one in chain(project()["dependencies"], *extras) if ">=" in one]
    assert limits and made["oldest"] == [f"{line.replace('>=', '==')}.*" for line in limits]
    names = tuple(f"{Requirement(line).name}==" for line in limits)
    pins = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    assert made["pins"] == [line for line in pins if not line.startswith(names)] != pins
    tools = (ROOT / "requirements.txt").read_text("utf-8").splitlines()
    assert [line for line in tools if line not in made["tools"]] == ["-c constraints.txt"]


def test_code_is_no_package():
    """A package named code would hide the standard library's module from pdb."""
    assert not (ROOT / "code" / "__init__.py").exists()
    check("-c", "import code, pdb; assert hasattr(code, 'InteractiveConsole')")


def test_the_package_has_one_name_at_its_root_and_imports_nothing_for_it():
    """Or every chapter would depend on everything, and wait for PyTorch."""
    program = "import sys, rnnbook; print(*vars(rnnbook)); print(*sys.modules)"
    command, code = [sys.executable, "-c", program], {"PYTHONPATH": str(ROOT / "code")}
    said = subprocess.run(command, env=code, capture_output=True, text=True, check=True).stdout
    names, modules = map(str.split, said.splitlines())
    assert [name for name in names if name[0] != "_"] == ["load"]
    assert "torch" not in modules and not [one for one in modules if one.startswith("rnnbook.")]


READERS_CHOOSE = {"torch", "numpy", "matplotlib"}  # any release from the oldest that is tested


def test_the_constraints_pin_what_is_installed_and_only_that():
    """So that a build today and one next year have the same tools."""
    pins = {canonicalize_name(r.name): r for r in listed("constraints.txt")}
    tools = {str(r) for r in listed("requirements.txt")}
    used = closure("rnnbook[all,cluster]", "bookbuild", *tools)
    needed = used - closure(*READERS_CHOOSE) - {"rnnbook", "bookbuild"}
    other = {n for n in used & pins.keys() if not pins[n].specifier.contains(metadata.version(n))}
    if other and any((Path(sys.prefix) / f"{made}.txt").exists() for made in ("oldest", "newest")):
        pytest.skip(f"`make oldest` or `newest` has left constraints: {', '.join(sorted(other))}")
    assert other == set(), "installed in other releases than constraints.txt says; install again"
    older = [r for name in used for r in requirements(name, python_version="3.11")]
    assert needed <= pins.keys() <= used | {canonicalize_name(r.name) for r in older}
    assert all(re.fullmatch(r"==[^*]+", str(r.specifier)) for r in pins.values())
    assert READERS_CHOOSE & pins.keys() == set()


def test_readers_may_have_later_releases_of_torch_from_wherever_they_like():
    """Which build of PyTorch, for which processor, is their choice."""
    own = {r.name: r for r in requirements("rnnbook")}
    everything = [*own.values(), *listed("requirements.txt"), *listed("constraints.txt")]
    assert [str(r) for r in everything if r.url] == []
    options = [
        line
        for name in ("requirements.txt", "constraints.txt")
        for line in (ROOT / name).read_text("utf-8").splitlines()
        if line.startswith("-")
    ]
    ours = ["-c constraints.txt", "-e ./code/bookbuild", "-e .[all,cluster]"]
    assert sorted(options) == ours  # no index of anybody's
    for name in READERS_CHOOSE:
        accepted = own[name].specifier
        (lowest,) = [Version(limit.version) for limit in accepted]
        assert accepted.contains(metadata.version(name))
        assert accepted.contains(f"{lowest.major + 1}.0") and accepted.contains(lowest)
        assert not accepted.contains("0.1")


def test_no_file_shows_a_path_of_a_machine():
    here = "|".join(re.escape(str(path)) for path in {ROOT, Path.home()} - {Path("/")})
    private = re.compile(rf"(?:{here}|/(?:home|Users)/[\w.-]+)/")
    texts = {name: (ROOT / name).read_bytes().decode("utf-8", "replace") for name in FILES}
    assert [name for name, text in texts.items() if private.search(text)] == []


def test_every_drawing_has_a_title_and_no_copy_of_data_is_committed():
    for name in FILES:
        if name.endswith(".svg") and "vignettes" not in name:  # which say nothing new
            assert "<title>" in (ROOT / name).read_text("utf-8")
        if not name.startswith("code/rnnbook/weights/"):  # of which a test says how large they are
            assert (ROOT / name).stat().st_size < 600_000, name


# ------------------------------------------------------------------ the tests themselves


def test_the_library_is_checked_without_the_book_and_without_a_browser():
    """There a test would find no fixture for either: they are in the folder of the site."""
    dry = ["make", "--dry-run", "--silent", "check"]
    said = subprocess.run(dry, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "bookbuild" not in said and said.split("pytest ")[1].split() == [
        "-n",
        "2",
        "tests/library",
    ]
    shared = [
        (ROOT / f"tests/{name}.py").read_text("utf-8") for name in ("conftest", "library/conftest")
    ]
    assert not re.search("playwright|bookbuild|_build", "".join(shared))


def test_pytest_passes_over_no_folder_of_tests(pytestconfig):
    """Though by default it does over one named `build`."""
    over = pytestconfig.getini("norecursedirs")
    names = {path.parent.name for path in (ROOT / "tests").rglob("test_*.py")}
    assert names == {"library", "build", "site"}
    assert {name for name in names if any(fnmatch(name, pattern) for pattern in over)} == set()
