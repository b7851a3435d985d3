"""The repository itself: layers, style, pins, the workflow, and what it must not contain."""

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import check_jsonschema
import pytest
from click.testing import CliRunner
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

import mutants
from conftest import ROOT

GENERATED = {
    ".git",
    ".venv",
    "_build",
    "runs",
    "__pycache__",
    ".pytest_cache",
    ".ruff_cache",
    ".import_linter_cache",
    "build",
    "conf.py",
}
FILES = sorted(
    path.relative_to(ROOT).as_posix()
    for top in ROOT.iterdir()
    if top.name not in GENERATED
    for path in ([top] if top.is_file() else top.rglob("*"))
    if path.is_file()
    and not GENERATED.intersection(path.relative_to(ROOT).parts)
    and ".egg-info" not in str(path)
    and path.suffix != ".mo"
)


assert "pyproject.toml" in FILES


def project() -> dict:
    """What pyproject.toml says of the package."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def check(*arguments: str) -> None:
    result = subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr


def test_style():
    check("-m", "ruff", "check", ".")
    check("-m", "ruff", "format", "--check", ".")


def test_spelling():
    check("-m", "codespell_lib")


def test_layers():
    """rnnbook never imports bookbuild, and the arrows inside it run one way."""
    check("-c", "from importlinter.cli import lint_imports_command; lint_imports_command()")


FORMS = ["wrong", "lost"]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))


@pytest.mark.parametrize(
    ("schema", "paths"),
    [
        ("github-workflows", WORKFLOWS),
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
    limits = [line for line in project()["dependencies"] if ">=" in line]
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


def test_the_package_is_empty_at_its_root():
    """Or every chapter would depend on everything."""
    assert (ROOT / "code/rnnbook/__init__.py").read_text().strip() == ""


def requirements(name: str, extra: str = "", **machine: str) -> list[Requirement]:
    """The requirements of an installed distribution, or of an extra, that hold on this machine."""
    found = map(Requirement, metadata.requires(name) or [])
    return [r for r in found if r.marker is None or r.marker.evaluate({"extra": extra, **machine})]


def closure(*roots: str) -> set[str]:
    """Installed distributions, and all that they bring, by their normal names."""
    seen, left = set(), [(canonicalize_name(name), "") for name in roots]
    while left:
        if (one := left.pop()) not in seen:
            seen.add(one)
            for r in requirements(*one):
                left += [(canonicalize_name(r.name), extra) for extra in ("", *r.extras)]
    return {name for name, _ in seen}


def listed(name: str) -> list[Requirement]:
    """The requirements in a file of pip's. Options are left out."""
    lines = [line.split("#")[0].strip() for line in (ROOT / name).read_text("utf-8").splitlines()]
    return [Requirement(line) for line in lines if line and not line.startswith("-")]


READERS_CHOOSE = {"torch", "numpy", "matplotlib"}  # any release from the oldest that is tested


def test_the_constraints_pin_what_is_installed_and_only_that():
    """So that a build today and one next year have the same tools."""
    pins = {canonicalize_name(r.name): r for r in listed("constraints.txt")}
    tools = {r.name for r in listed("requirements.txt")}
    own = {r.name for r in requirements("rnnbook")} - READERS_CHOOSE
    used = closure(*tools, *own)
    needed = used - closure(*READERS_CHOOSE)
    other = {n for n in used & pins.keys() if not pins[n].specifier.contains(metadata.version(n))}
    if other:
        pytest.skip(f"the constraints were not followed here: {', '.join(sorted(other))}")
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
    assert sorted(options) == ["-c constraints.txt", "-e ."]  # no index of anybody's
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
        if name.endswith(".svg"):
            assert "<title>" in (ROOT / name).read_text("utf-8")
        assert (ROOT / name).stat().st_size < 600_000, name


# ------------------------------------------------------------------ the tests themselves


def test_every_fault_of_mutants_still_fits_the_library():
    for fault in mutants.FAULTS:
        mutants.with_fault(fault, (ROOT / mutants.path_of(fault)).read_text("utf-8"))
    assert all((ROOT / path).is_file() for path in mutants.files(*mutants.FAULTS))
    assert len({fault.name for fault in mutants.FAULTS}) == len(mutants.FAULTS) >= 30


class Needs:
    """Notes which tests would run, and what they need; a plugin of pytest."""

    def pytest_collection_finish(self, session):
        self.files = {item.path.name for item in session.items}
        self.fixtures = {name for item in session.items for name in item.fixturenames}


def test_the_library_is_checked_without_the_book_and_without_a_browser():
    """Or `make check` would build the book first."""
    dry = ["make", "--dry-run", "--silent", "check"]
    said = subprocess.run(dry, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    options = re.search(r"-m pytest (.*)", said)[1].split()
    needs = Needs()
    assert pytest.main([*options, "-n0", "--collect-only", "-qq"], plugins=[needs]) == 0
    assert "one_thread" in needs.fixtures and not needs.fixtures & {"site", "browser"}
    assert {f"test_{name}.py" for name in ("recurrent", "training", "studies")} <= needs.files


def test_the_package_requires_what_it_imports_and_nothing_of_the_build():
    """Whoever installs it, as in Colab, gets no Sphinx."""
    imported = set()
    for path in (ROOT / "code/rnnbook").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported.add(node.module.split(".")[0])
    imported -= {*sys.stdlib_module_names, "rnnbook"}
    listed = [*project()["dependencies"], *project()["optional-dependencies"]["cluster"]]
    required = {re.match(r"[\w-]+", line)[0] for line in listed}
    modules = {"ipython": "IPython", "pillow": "PIL"}
    assert {modules.get(name, name.replace("-", "_")) for name in required} == imported
