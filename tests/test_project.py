"""The repository itself: layers, style, pins, the workflow, and what it must not contain."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

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
    and not GENERATED.intersection(path.parts)
    and ".egg-info" not in str(path)
    and path.suffix != ".mo"
)


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


WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))


@pytest.mark.parametrize(
    ("schema", "paths"),
    [
        ("github-workflows", WORKFLOWS),
        ("github-issue-forms", [ROOT / ".github/ISSUE_TEMPLATE/wrong.yml"]),
        ("github-issue-forms", [ROOT / ".github/ISSUE_TEMPLATE/lost.yml"]),
        ("github-issue-config", [ROOT / ".github/ISSUE_TEMPLATE/config.yml"]),
        ("citation-file-format", [ROOT / "CITATION.cff"]),
    ],
)
def test_files_for_others_are_valid(schema, paths):
    assert paths
    check("-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}", *map(str, paths))


@pytest.mark.parametrize("path", WORKFLOWS, ids=[path.stem for path in WORKFLOWS])
def test_a_workflow_may_do_little_and_uses_actions_pinned_by_commit(path):
    text = path.read_text("utf-8")
    assert "\npermissions:\n  contents: read\n" in text
    actions = re.findall(r"uses: (.*)", text)
    assert actions
    assert all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v[\d.]+", action) for action in actions)
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert set(re.findall(r"make ([a-z]+)", text)) <= set(targets)


def test_the_oldest_libraries_are_those_of_pyproject():
    """What `make oldest` installs."""
    (script,) = re.findall(r"sed -n '(.*)' pyproject", (ROOT / "Makefile").read_text("utf-8"))
    lines = subprocess.run(
        ["sed", "-n", script, ROOT / "pyproject.toml"], capture_output=True, text=True, check=True
    ).stdout.split()
    assert {"torch==2.6.*", "numpy==1.26.*", "matplotlib==3.8.*"} <= set(lines)


def test_code_is_no_package():
    """A package named code would hide the standard library's module from pdb."""
    assert not (ROOT / "code" / "__init__.py").exists()
    check("-c", "import code, pdb; assert hasattr(code, 'InteractiveConsole')")


def test_the_package_is_empty_at_its_root():
    """Or every chapter would depend on everything."""
    assert (ROOT / "code/rnnbook/__init__.py").read_text().strip() == ""


def test_torch_is_required_as_a_range_without_an_address():
    pyproject = (ROOT / "pyproject.toml").read_text("utf-8")
    assert '"torch>=2.6"' in pyproject
    for name in ("requirements.txt", "constraints.txt", "pyproject.toml"):
        content = (ROOT / name).read_text("utf-8")
        assert not re.search(r"https?://|--(extra-)?index-url|--find-links|\+cpu|file:", content)


def test_constraints_pin_the_tool_chain_and_leave_torch_free():
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    pins = [line.split("#")[0].strip() for line in lines if not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][A-Za-z0-9.]*", pin) for pin in pins)
    names = {pin.split("==")[0].lower() for pin in pins}
    assert {"sphinx", "jupyter-book", "myst-nb", "sphinx-book-theme"} <= names
    assert not names & {"torch", "numpy", "matplotlib"}


@pytest.mark.parametrize("name", FILES)
def test_no_file_shows_a_path_of_a_machine(name):
    content = (ROOT / name).read_bytes().decode("utf-8", errors="replace")
    for private in {str(ROOT), str(Path.home())} - {"/"}:
        assert f"{private}/" not in content


def test_every_drawing_has_a_title_and_no_copy_of_data_is_committed():
    for name in FILES:
        if name.endswith(".svg"):
            assert "<title>" in (ROOT / name).read_text("utf-8")
        assert (ROOT / name).stat().st_size < 600_000, name
