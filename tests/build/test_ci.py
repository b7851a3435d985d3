"""What runs elsewhere: .ci/run for whoever calls it, and the workflows of GitHub."""

import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

import textlint
import validate
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


# ------------------------------------------------------------------ .github


def test_a_step_runs_as_on_github(tmp_path):
    workflow.run('echo "$A" > a\nfalse || echo b > b', tmp_path, A="x y")
    assert (tmp_path / "a").read_text() == "x y\n" and (tmp_path / "b").exists()
    with pytest.raises(subprocess.CalledProcessError):
        workflow.run("false\ntouch c", tmp_path)
    assert not (tmp_path / "c").exists()


# The first release of each action that runs on Node 24, as its action.yml says; GitHub's runners
# have no Node 20 any more. Of an action made of others, the first that uses only such ones.
ON_NODE_24 = {
    "actions/cache": 5,
    "actions/checkout": 5,
    "actions/deploy-pages": 5,
    "actions/download-artifact": 7,
    "actions/setup-python": 6,
    "actions/upload-artifact": 6,
    "actions/upload-pages-artifact": 5,
}
NAMES = sorted(path.stem for path in workflow.WORKFLOWS.glob("*.yml"))


def test_every_action_runs_on_node_24_and_is_the_same_everywhere():
    found = set()
    for name in NAMES:
        text = (workflow.WORKFLOWS / f"{name}.yml").read_text("utf-8")
        found.update(re.findall(r"uses: (\w+/[\w-]+)[\w/-]*@(\w+) # v(\d+)", text))
    assert {action for action, *_ in found} == ON_NODE_24.keys()
    assert len(found) == len(ON_NODE_24)  # one commit of each
    assert not {a: int(v) for a, _, v in found if int(v) < ON_NODE_24[a]}


def test_a_job_may_write_only_what_it_writes():
    may = {}
    for name in NAMES:
        for job, settings in workflow.read(name)["jobs"].items():
            rights = settings.get("permissions", {})
            may |= {f"{name}.{job}": {right for right in rights if rights[right] == "write"}}
    assert {job: rights for job, rights in may.items() if rights} == {
        "book.publish": {"pages", "id-token"},
        "book.notebooks": {"contents"},
        "data.release": {"contents"},
        "release.release": {"contents"},
        "weekly.report": {"issues"},
    }


def test_git_keeps_a_key_only_where_something_is_pushed():
    kept = set()
    for name in NAMES:
        for job, settings in workflow.read(name)["jobs"].items():
            for step in settings["steps"]:
                if "actions/checkout@" in step.get("uses", ""):
                    kept |= {job} if step["with"]["persist-credentials"] else set()
    assert kept == {"notebooks"}


@pytest.mark.parametrize("name", NAMES)
def test_no_command_of_a_workflow_contains_what_others_write(name):
    """`${{ … }}` is put into a command before a shell reads it; variables are safe."""
    for job in workflow.read(name)["jobs"]:
        assert not [step for step in workflow.steps(job, name) if "${{" in step["run"]]


def test_a_change_is_built_once():
    assert workflow.read()[True] == {"push": {"branches": ["main"]}, "pull_request": None}


@pytest.mark.parametrize("name", ["book", "weekly"])
def test_nothing_is_taken_from_a_published_site(name):
    assert workflow.read(name)["env"] == {"BOOKBUILD_EXECUTED": ""}


def test_what_was_executed_is_kept_even_if_a_test_fails():
    every = workflow.read("book")["jobs"]["test"]["steps"]
    places = [k for k, step in enumerate(every) if "/cache/" in step.get("uses", "")]
    tests = every.index({"run": ".ci/run"})
    restore, save = (every[k] for k in places)
    assert places[0] < tests < places[1] and save["if"].startswith("always() && ")
    assert "/restore@" in restore["uses"] and "/save@" in save["uses"]
    assert restore["with"]["path"] == save["with"]["path"]
    assert save["with"]["key"].startswith(restore["with"]["restore-keys"])
    assert "${{ matrix.python }}" in restore["with"]["restore-keys"]


def test_an_outage_of_npm_stops_no_publishing():
    """Neither a job that publishes nor one that it waits for runs what npm fetches."""
    jobs, waits = workflow.read("book")["jobs"], ["publish", "notebooks"]
    for job in waits:
        needs = jobs[job].get("needs", [])
        waits += [needs] if isinstance(needs, str) else needs
    commands = [step["run"] for job in waits for step in workflow.steps(job)]
    assert ".ci/run" in commands
    assert not [c for c in commands if re.search(r"\b(npm|npx|textlint|validate)\b", c)]
    with pytest.MonkeyPatch.context() as patch:  # and so do not the tests that .ci/run runs
        patch.setenv("CI", "true")
        patch.setenv("PATH", "")
        assert "step of its own" in textlint.obstacle() and "once a week" in validate.obstacle()


def test_the_small_pytorch_is_what_each_job_installs():
    """The address of its index stands in the file for Binder alone."""
    binder = (ROOT / ".binder/requirements.txt").read_text("utf-8")
    assert len(re.findall("^--extra-index-url https://", binder, re.MULTILINE)) == 1
    for name in NAMES:
        for job in workflow.read(name)["jobs"]:
            commands = [step["run"] for step in workflow.steps(job, name)]
            if any(re.search(r"make |\.ci/run|\.venv", command) for command in commands):
                assert ".binder/requirements.txt" in commands[0], (name, job)


def test_the_libraries_are_installed_with_that_index(tmp_path, monkeypatch):
    (tmp_path / "make").write_text('#!/bin/sh\necho "$1 $PIP_EXTRA_INDEX_URL" > made\n')
    (tmp_path / "make").chmod(0o755)
    shutil.copytree(ROOT / ".binder", tmp_path / ".binder")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    command = workflow.steps("libraries", "weekly")[0]["run"]
    workflow.run(command, tmp_path, LIBRARIES="oldest")
    assert re.fullmatch(r"oldest https://\S+\n", (tmp_path / "made").read_text())


GH = """
[ "$2" != list ] || echo "$KNOWN"
[ "$2" != view ] || [ -n "$KNOWN" ]
"""


@pytest.fixture
def gh(tmp_path, monkeypatch):
    """Run the commands of a job beside a `gh` that only notes: what it was asked to write."""
    (tmp_path / "gh").write_text(f"{STUB}{GH}\n")
    (tmp_path / "gh").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    def call(job: str, name: str, **environment: str) -> list[str]:
        (tmp_path / "log").unlink(missing_ok=True)
        for step in workflow.steps(job, name):
            workflow.run(step["run"], tmp_path, LOG=tmp_path / "log", **environment)
        calls = (tmp_path / "log").read_text().splitlines()
        return [c for c in calls if c.split()[2] not in ("list", "view")]

    return call


def test_what_fails_in_a_week_becomes_one_issue(gh, tmp_path):
    (made,) = gh("report", "weekly", RUN="https://example.org/7", KNOWN="")
    assert made == "gh issue create --title The weekly checks fail --body-file body.md"
    assert "https://example.org/7" in (tmp_path / "body.md").read_text()
    (tmp_path / "found").mkdir()
    lines = "a.md:3: [ok] https://a\nb.md:1: [broken] https://b: 404\n"
    (tmp_path / "found/output.txt").write_text(lines)
    (edited,) = gh("report", "weekly", RUN="https://example.org/8", KNOWN="12")
    assert edited == "gh issue edit 12 --body-file body.md"
    body = (tmp_path / "body.md").read_text()
    assert "https://example.org/8" in body and "https://b: 404" in body and "https://a" not in body


def test_the_pages_are_looked_at_and_not_built_again(tmp_path, capfd):
    """What `make` would do, in a clone without an environment."""
    clone, scripts = tmp_path / "clone", ("validate", "audit")
    workflow.git("clone", "--quiet", ROOT, clone, folder=tmp_path)
    for step, script in zip(workflow.steps("pages", "weekly")[1:], scripts, strict=True):
        workflow.run(step["run"], clone, MAKEFLAGS="n")
        said = capfd.readouterr().out.splitlines()
        lines = [line for line in said if not line.startswith("make[")]  # within `make test`
        assert any("pip install" in line and "requirements.txt" in line for line in lines)
        assert lines[-1].endswith(f"{script}.py") and not any("bookbuild" in line for line in lines)


def test_every_job_of_the_week_is_reported():
    jobs = workflow.read("weekly")["jobs"]
    report = jobs["report"]
    assert {*report["needs"], "report"} == jobs.keys()
    assert report["if"].startswith("always() && ") and "'failure'" in report["if"]


def test_the_data_are_put_into_their_release(gh, tmp_path):
    (tmp_path / "packed").mkdir()
    for name in ("names.tsv.gz", "LICENCES.txt"):
        (tmp_path / "packed" / name).touch()
    upload = "gh release upload data --clobber packed/LICENCES.txt packed/names.tsv.gz"
    created, uploaded = gh("release", "data", GITHUB_SHA="abc", KNOWN="")
    assert created.startswith("gh release create data --target abc --latest=false ")
    assert uploaded == upload
    assert gh("release", "data", GITHUB_SHA="def", KNOWN="yes") == [upload]


def test_the_data_are_packed_when_their_code_changes():
    (pattern,) = workflow.read("data")[True]["push"]["paths"]
    assert any(ROOT.glob(f"{pattern}/*.py"))


def test_a_release_has_the_site_the_package_and_what_changed(gh, tmp_path):
    (tmp_path / "released").mkdir()
    for name in ("rnnbook-1.2.0-py3-none-any.whl", "rnnbook.zip", "CHANGELOG.md"):
        (tmp_path / "released" / name).touch()
    (created,) = gh("release", "release", GITHUB_REF_NAME="v1.2.0")
    assert created == (
        "gh release create v1.2.0 --verify-tag --title v1.2.0 --notes-file released/CHANGELOG.md "
        "released/rnnbook-1.2.0-py3-none-any.whl released/rnnbook.zip"
    )


@pytest.mark.parametrize(("tag", "code"), [("v1.2.0", 0), ("v1.2.1", 1), ("v1.3.0", 1)])
def test_a_tag_is_the_version_that_the_package_and_the_list_of_changes_have(tag, code, tmp_path):
    (tmp_path / "pyproject.toml").write_text(f'version = "{tag[1:].replace("1.2.1", "1.2.0")}"\n')
    (tmp_path / "CHANGELOG.md").write_text("# What changed\n\n## 1.2.0 (2026-12-04)\n")
    steps = workflow.read("release")["jobs"]["build"]["steps"]
    (check,) = [step["run"] for step in steps if step.get("name", "").startswith("The tag is")]
    environment = {**os.environ, "GITHUB_REF_NAME": tag}
    result = subprocess.run(["bash", "-e", "-c", check], cwd=tmp_path, env=environment)
    assert result.returncode == code


def test_the_list_of_changes_has_the_version_of_the_package():
    version = re.search(r'(?m)^version = "(.*)"', (ROOT / "pyproject.toml").read_text("utf-8"))[1]
    assert f"\n## {version} (" in (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text("utf-8")


def test_a_linter_of_workflows_finds_nothing():
    """zizmor looks for what a stranger could make use of."""
    folders = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    zizmor = shutil.which("zizmor", path=folders)
    assert zizmor, "zizmor is not installed: pip install -r requirements.txt"
    command = [zizmor, "--offline", "--no-progress", ".github"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr


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
    shutil.copytree(ROOT / ".binder", source / ".binder")
    commit(source, **{"README": "the book", "a": "1", "constraints.txt": "alabaster==0.7"})
    image = {f".binder/{path.name}" for path in (ROOT / ".binder").iterdir()} | {"constraints.txt"}
    workflow.git("clone", "--quiet", "--bare", source, origin, folder=tmp_path)
    main = workflow.git("rev-parse", "main", folder=origin)
    binder_requirements = (ROOT / ".binder/requirements.txt").read_text("utf-8").strip()
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
        github = {"GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "someone/book"}
        workflow.run(command, clone, RUNNER_TEMP=temp, GITHUB_SHA=sha, **github)
        files = workflow.git("ls-tree", "--name-only", "-r", "notebooks", folder=origin)
        assert set(files.split()) == image | {
            f"{f}{name}.ipynb" for name in notebooks for f in ("", "ja/")
        }
        wanted = workflow.git("show", "notebooks:.binder/requirements.txt", folder=origin)
        package = f"rnnbook[all] @ git+https://github.com/someone/book@{sha}"
        assert wanted == binder_requirements.replace("-e .[all]", package)
        history = workflow.git("log", "--format=%s", "notebooks", folder=origin)
        assert history == f"The notebooks of {sha}"  # one commit without a past
    assert workflow.git("show", "notebooks:lstm.ipynb", folder=origin) == "{ }"
    assert workflow.git("show", "notebooks:ja/lstm.ipynb", folder=origin) == "{ }ja"
    assert workflow.git("rev-parse", "main", folder=origin) == main


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """Programs in place of those that would take an hour; the targets `make` was called for."""
    for name, body in {"chromium": "", "fc-list": "echo Noto", "make": PACKED}.items():
        (tmp_path / name).write_text(f"{STUB}{body}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("LOG", str(tmp_path / "log"))

    def made() -> list[str]:
        calls = (tmp_path / "log").read_text().splitlines()
        return [call.removeprefix("make ") for call in calls if call.startswith("make")]

    return made


def test_all_commands_of_the_workflow_run_in_a_fresh_clone(programs, capfd):
    """`make workflow`. The clone has an environment and an address when `make` is called."""
    assert workflow.INSTEAD.keys() <= {step.get("name") for step in workflow.steps("test")}
    workflow.main()
    assert programs() == ["test", "zip", "textlint"]
    said = capfd.readouterr().out.splitlines()
    steps = [line.split()[1] for line in said if line.startswith("==")]
    assert steps == ["python", ".ci/run", "make", "python", "make", "Replace"]
    published = {line.split("|")[0].strip() for line in said if re.search(r"\| +\d+ \+", line)}
    assert published >= {"lstm.ipynb", "ja/lstm.ipynb", ".binder/requirements.txt"}


def test_nothing_is_packed_or_published_where_a_test_fails(programs, monkeypatch, capfd):
    monkeypatch.setenv("FAILS", "test")
    with pytest.raises(subprocess.CalledProcessError):
        workflow.main()
    assert programs() == ["test"]
    assert "Replace" not in capfd.readouterr().out


PACKED = """
[ -x .venv/bin/python ] && [ -n "$GITHUB_REPOSITORY" ] || exit 1
[ "$1" != "$FAILS" ] || exit 1
mkdir -p _build/html/_notebooks _build/html/ja/_notebooks
echo '{}' | tee _build/html/_notebooks/lstm.ipynb > _build/html/ja/_notebooks/lstm.ipynb
"""
