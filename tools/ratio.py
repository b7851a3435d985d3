"""How long the whole book takes, cold, against its chapters one after the other.

`make ratio`, on an otherwise idle machine. In a copy of the repository every chapter is executed
alone, with all cores as its threads; then the book is built from nothing, in both editions.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]


def copy_of_the_book(folder: Path) -> None:
    """The files that belong to the repository, as they are now."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(lambda name: (ROOT / name).exists(), names.splitlines()):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, folder / name)


def build(folder: Path, jobs: int) -> tuple[float, dict[str, float]]:
    """Build from nothing; the seconds that it took, and those of every chapter."""
    shutil.rmtree(folder / "_build", ignore_errors=True)
    settings = {"PYTHONPATH": str(folder / "code"), "BOOKBUILD_JOBS": str(jobs)}
    begin = time.perf_counter()
    command = [sys.executable, "-m", "bookbuild"]
    subprocess.run(command, cwd=folder, env={**os.environ, **settings}, check=True)
    seconds = time.perf_counter() - begin
    report = json.loads((folder / "_build/execution.json").read_text("utf-8"))
    return seconds, {name: one["seconds"] for name, one in report["chapters"].items()}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        copy_of_the_book(Path(folder))
        _, alone = build(Path(folder), jobs=1)
        seconds, beside = build(Path(folder), jobs=os.cpu_count() or 1)
    for name in alone:
        print(f"{name:28} alone {alone[name]:6.1f} s   beside others {beside[name]:6.1f} s")
    total = sum(alone.values())
    print(
        f"one after the other: {total:.0f} s; the whole book, cold, both editions: {seconds:.0f} s"
    )
    print(f"ratio {seconds / total:.2f}")


if __name__ == "__main__":
    main()
