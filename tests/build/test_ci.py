"""What runs elsewhere: .ci/run for whoever calls it, and the shell lines of GitHub's workflow."""

import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

import workflow
from built import ROOT

# ------------------------------------------------------------------ .ci/run

STUB = """#!/bin/sh
echo "${0##*/} $*" >> "$LOG"
"""
STUBS = {
    "root": ("id", "echo 0"),
    "user": ("id", "echo 1000"),
    "sudo": ("sudo", '[ "$1" = --non-interactive ] && shift && exec "$@"'),
    "sudo that asks": ("sudo", "exit 1"),
    "apt-get": ("apt-get", '[ -z "$BROKEN" ]'),
    "chromium": ("chromium", ""),
    "chrome": ("google-chrome", ""),
    "fonts": ("fc-list", "yes 'NotoSansCJK.ttc: Noto Sans CJK JP' | head -n 9999"),
    "other fonts": ("fc-list", "echo 'vlgothic.ttf: VL Gothic'"),
    "make": ("make", 'echo "CI=$CI, tests" >> "$LOG"'),
    "python": ("python3", ""),
    "python without venv": ("python3", "exit 1"),
}
TOOLS = ("bash", "sh", "dirname", "env", "true", "yes", "head")


@pytest.fixture
def ci(tmp_path):
    """Call .ci/run where there are a few programs: its exit code, what it called, its errors."""

    def call(*programs: str, **environment: str) -> tuple[int, list[str], str]:
        bin, log = tmp_path / "bin", tmp_path / "log"
        bin.mkdir()
        for tool in TOOLS:
            (bin / tool).symlink_to(shutil.which(tool))
        for program in programs:
            name, body = STUBS[program]
            (bin / name).write_text(f"{STUB}{body}\n")
            (bin / name).chmod(0o755)
        result = subprocess.run(
            [ROOT / ".ci/run"],
            env={"PATH": str(bin), "LOG": str(log), **environment},
            capture_output=True,
            text=True,
        )
        calls = log.read_text().splitlines() if log.exists() else []
        aside = ("id", "fc-list", "python3")  # these only look
        return result.returncode, [c for c in calls if c.split()[0] not in aside], result.stderr

    return call


TESTS = ["make test", "CI=true, tests"]
INSTALL = "apt-get install --yes --quiet --quiet --no-install-recommends"


@pytest.mark.parametrize("who", ["root", "user"])
@pytest.mark.parametrize("browser", ["chromium", "chrome"])
def test_where_nothing_is_missing_the_tests_run(who, browser, ci):
    code, calls, _ = ci(who, "make", "python", browser, "fonts")
    assert (code, calls) == (0, TESTS)


@pytest.mark.parametrize(
    ("there", "missing"),
    [
        (("make", "python", "chromium"), "fontconfig fonts-noto-cjk"),
        (("make", "python", "chromium", "other fonts"), "fontconfig fonts-noto-cjk"),
        (("make", "python", "fonts"), "chromium"),
        (("make", "python without venv", "chromium", "fonts"), "python3-venv"),
    ],
)
def test_what_is_missing_is_installed_and_nothing_else(there, missing, ci):
    code, calls, _ = ci("root", "apt-get", *there)
    assert (code, calls[-3:]) == (0, [f"{INSTALL} {missing}", *TESTS])
    assert calls[0].startswith("apt-get update") and len(calls) == 4


def test_a_user_installs_through_sudo(ci):
    code, calls, _ = ci("user", "sudo", "apt-get", "make", "python", "chromium")
    assert code == 0 and calls[-2:] == TESTS
    asked = [c.removeprefix("sudo --non-interactive ") for c in calls if c.startswith("sudo")]
    assert asked[1].startswith("apt-get update")
    assert asked[2] == f"env DEBIAN_FRONTEND=noninteractive {INSTALL} fontconfig fonts-noto-cjk"


@pytest.mark.parametrize("sudo", [[], ["sudo that asks"]])
def test_who_may_not_install_is_told_in_a_line_what_is_missing(sudo, ci):
    code, calls, errors = ci("user", *sudo, "apt-get", "make", "python")
    assert code == 1 and not any("apt-get" in c or "make" in c for c in calls)
    names = "chromium fontconfig fonts-noto-cjk"
    assert errors == f".ci/run: needs {names}; as root, on Debian: apt-get install {names}\n"


def test_on_a_system_without_apt_the_line_is_the_same(ci):
    code, calls, errors = ci("root", "make", "python", "fonts")
    assert (code, calls) == (1, []) and errors.startswith(".ci/run: needs chromium; ")


def test_an_installation_that_fails_ends_it(ci):
    code, calls, _ = ci("root", "apt-get", "make", "python", "chromium", BROKEN="yes")
    assert code != 0 and len(calls) == 1


def test_it_can_be_called():
    assert os.stat(ROOT / ".ci/run").st_mode & stat.S_IXUSR


# ------------------------------------------------------------------ book.yml


def test_a_step_runs_as_on_github(tmp_path):
    workflow.run('echo "$A" > a\nfalse || echo b > b', tmp_path, A="x y")
    assert (tmp_path / "a").read_text() == "x y\n" and (tmp_path / "b").exists()
    with pytest.raises(subprocess.CalledProcessError):
        workflow.run("false\ntouch c", tmp_path)
    assert not (tmp_path / "c").exists()


def test_the_job_installs_then_tests_then_packs():
    commands = [step["run"] for step in workflow.steps("test")]
    assert commands[0].split()[-1] == ".binder/requirements.txt"
    assert commands[1:] == [".ci/run", "make textlint", "make zip"]
    assert set(workflow.INSTEAD) <= {step.get("name") for step in workflow.steps("test")}


def commit(folder: Path, **files: str) -> None:
    for name, content in files.items():
        (folder / name).write_text(content)
    workflow.git("add", "--all", folder=folder)
    author = ("-c", "user.name=someone", "-c", "user.email=someone@example.org")
    workflow.git(*author, "commit", "--quiet", "--message", "a step", folder=folder)


def test_the_notebooks_replace_their_branch_and_touch_no_other(tmp_path, monkeypatch):
    """The lines of the job, twice, as two pushes call them, against a repository on the disk."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)  # GitHub's runner knows no user either
    monkeypatch.setenv("HOME", str(tmp_path))
    source, origin, temp = (tmp_path / name for name in ("source", "origin.git", "temp"))
    workflow.git("init", "--quiet", "--initial-branch=main", source, folder=tmp_path)
    commit(source, README="the book", a="1")
    workflow.git("clone", "--quiet", "--bare", source, origin, folder=tmp_path)
    main = workflow.git("rev-parse", "main", folder=origin)
    (command,) = [step["run"] for step in workflow.steps("notebooks")]
    for sha, notebooks in (("first", {"lstm": "{}", "gru": "{}"}), ("second", {"lstm": "{ }"})):
        shutil.rmtree(temp, ignore_errors=True)
        for edition in ("", "ja"):
            (temp / "notebooks" / edition / "_notebooks").mkdir(parents=True)
            for name, content in notebooks.items():
                path = temp / "notebooks" / edition / f"_notebooks/{name}.ipynb"
                path.write_text(content + edition)
        clone = tmp_path / sha
        address = origin.as_uri()  # or git would not make it shallow, as actions/checkout does
        workflow.git("clone", "--quiet", "--depth=1", address, clone, folder=tmp_path)
        workflow.run(command, clone, RUNNER_TEMP=temp, GITHUB_SHA=sha)
        files = workflow.git("ls-tree", "--name-only", "-r", "notebooks", folder=origin)
        assert set(files.split()) == {f"{f}{name}.ipynb" for name in notebooks for f in ("", "ja/")}
        history = workflow.git("log", "--format=%s", "notebooks", folder=origin)
        assert history == f"The notebooks of {sha}"  # one commit without a past
    assert workflow.git("show", "notebooks:lstm.ipynb", folder=origin) == "{ }"
    assert workflow.git("show", "notebooks:ja/lstm.ipynb", folder=origin) == "{ }ja"
    assert workflow.git("rev-parse", "main", folder=origin) == main


def test_all_commands_of_the_workflow_run_in_a_fresh_clone(tmp_path, monkeypatch, capfd):
    """`make workflow`, with programs in place of those that would take an hour."""
    programs = {"chromium": "", "fc-list": "echo Noto", "make": PACKED}
    for name, body in programs.items():
        (tmp_path / name).write_text(f"{STUB}{body}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("LOG", str(tmp_path / "log"))
    workflow.main()
    called = (tmp_path / "log").read_text().splitlines()
    made = [call.removeprefix("make ") for call in called if call.startswith("make")]
    assert made == ["test", "textlint", "zip"]
    said = capfd.readouterr().out.splitlines()
    steps = [line.split()[1] for line in said if line.startswith("==")]
    assert steps == ["python", ".ci/run", "make", "make", "Replace"]
    published = {line.split("|")[0].strip() for line in said if line.endswith("| 1 +")}
    assert published == {"lstm.ipynb", "ja/lstm.ipynb"}


PACKED = """
[ -x .venv/bin/python ] && [ -n "$GITHUB_REPOSITORY" ] || exit 1
mkdir -p _build/html/_notebooks _build/html/ja/_notebooks
echo '{}' | tee _build/html/_notebooks/lstm.ipynb > _build/html/ja/_notebooks/lstm.ipynb
"""
