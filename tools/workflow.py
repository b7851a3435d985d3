"""The commands of .github/workflows/book.yml, run here as GitHub would: `make workflow`.

Reads the workflow and runs the `run` steps of its jobs `test` and `japanese`, in their order, in a
fresh clone of the last commit; then those of the job `notebooks`, against a bare repository in
place of GitHub.
Left out: the steps that are actions of GitHub's. What they do to the files is done by hand below.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
WORKFLOWS = ROOT / ".github/workflows"
# By the name of the step: what is run instead, and why.
INSTEAD = {
    "The small build of PyTorch": (
        "python -m venv --without-pip .venv",
        "PyTorch's own index is left alone: `make` brings pip, and installs from the usual one",
    )
}


def read(workflow: str = "book") -> dict[Any, Any]:
    """A workflow. Its events are under `True`, for which YAML takes the key `on`."""
    return yaml.safe_load((WORKFLOWS / f"{workflow}.yml").read_text("utf-8"))


def steps(job: str, workflow: str = "book") -> list[dict[str, Any]]:
    """The steps of a job that are commands, not actions, in their order."""
    return [step for step in read(workflow)["jobs"][job]["steps"] if "run" in step]


def run(command: str, folder: Path, **environment: str | Path) -> None:
    """Run the lines of a step in a folder. Raises `CalledProcessError` if one of them fails."""
    variables = {**os.environ, "CI": "true", **{k: str(v) for k, v in environment.items()}}
    # So does GitHub where a step names no shell.
    subprocess.run(["bash", "-e", "-c", command], cwd=folder, env=variables, check=True)


def git(*arguments: str | Path, folder: Path = ROOT) -> str:
    """What a git command prints."""
    return subprocess.run(
        ["git", *arguments], cwd=folder, check=True, text=True, stdout=subprocess.PIPE
    ).stdout.strip()


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        origin, clone, bin = (Path(name) / part for part in ("origin.git", "clone", "bin"))
        git("clone", "--quiet", "--bare", ROOT, origin)
        git("clone", "--quiet", origin, clone)
        bin.mkdir()  # actions/setup-python gives both names to the same Python
        for link in ("python", "python3"):
            (bin / link).symlink_to(os.path.realpath(sys.executable))
        cache = ROOT / "_build/.jupyter_cache"
        if cache.exists():  # as actions/cache/restore does
            shutil.copytree(cache, clone / "_build/.jupyter_cache")
        environment = read()["env"] | {
            "PATH": f"{bin}:{os.environ['PATH']}",
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_REPOSITORY": "someone/rnn-book",
            "GITHUB_SHA": git("rev-parse", "HEAD", folder=clone),
            "RUNNER_TEMP": name,
        }
        for step in steps("test") + steps("japanese"):
            command, reason = INSTEAD.get(step.get("name"), (step["run"], ""))
            print(f"== {command}" + (f"  ({reason})" if reason else ""), flush=True)
            run(command, clone, **environment)
        for edition in ("", "ja/"):  # up and down again
            folder = f"{edition}_notebooks"
            shutil.copytree(clone / "_build/html" / folder, Path(name, "notebooks", folder))
        shutil.rmtree(clone)
        git("clone", "--quiet", origin, clone)
        for step in steps("notebooks"):
            print(f"== {step['name']}", flush=True)
            run(step["run"], clone, **environment)
        print(git("show", "--stat", "--format=%s", "notebooks", folder=origin))


if __name__ == "__main__":
    main()
