"""`make validate`: what the Nu HTML checker, which is the W3C's, finds on the pages of the site.

It is a program in Java. npm fetches it, once, from whichever registry it is set up to use, and it
is run only if it is the very file whose digest stands here.
"""

import base64
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory

from built import BUILD, HTML
from rnnbook.files import write_atomically

PACKAGE, VERSION = "vnu-jar", "26.9.27"
INTEGRITY = (
    "sha512-TkQd5DFfOaWC9ebtvozTsrH2Vaod3jYg+vrOeREzIXxB"
    "exLz9+rS2DNtjn7+RPUiZhgli0SghgBX6RJRNea0KA=="
)


def checker() -> Path:
    """The checker; fetched into _build the first time."""
    jar = BUILD / "validate" / f"{PACKAGE}-{VERSION}.jar"
    if not jar.exists():
        with TemporaryDirectory() as folder:
            command = ["npm", "pack", "--silent", f"{PACKAGE}@{VERSION}"]
            subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
            (archive,) = Path(folder).glob("*.tgz")
            write_atomically(jar, unpacked(archive))
    return jar


def obstacle() -> str:
    """Why the tests do not check the HTML here; nothing if they can."""
    if os.environ.get("CI"):
        return "the HTML is checked once a week, not here"
    if missing := [program for program in ("java", "npm") if not shutil.which(program)]:
        return f"the HTML was not checked: there is no {' and no '.join(missing)}"
    try:
        checker()
    except subprocess.CalledProcessError:
        return "the HTML was not checked: npm could not fetch the checker"
    return ""


def unpacked(archive: Path, integrity: str = INTEGRITY) -> bytes:
    """The program in npm's archive.

    Raises:
        ValueError: the archive is another one than expected.
    """
    kind, _, expected = integrity.partition("-")
    found = base64.b64encode(hashlib.new(kind, archive.read_bytes()).digest()).decode()
    if found != expected:
        raise ValueError(f"{archive.name}: expected {integrity}, found {kind}-{found}")
    with tarfile.open(archive) as files:
        return files.extractfile("package/build/dist/vnu.jar").read()


def messages(*paths: Path) -> list[str]:
    """What the checker has to say about pages, or about folders of them; nothing if all is well.

    Raises:
        FileNotFoundError: there is nothing to check.
    """
    for path in paths:
        if not path.exists():  # the checker would be silent
            raise FileNotFoundError(path)
    # Java's second compiler takes longer than it saves here; without it the stack must be larger.
    java = ["java", "-Xss8m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-jar", checker()]
    result = subprocess.run(
        [*java, "--skip-non-html", *paths], capture_output=True, encoding="utf-8"
    )
    said = result.stdout + result.stderr
    return said.splitlines() or [f"exit code {result.returncode}"] * bool(result.returncode)


def main() -> int:
    found = messages(HTML)
    print("\n".join(found) or "All pages are valid.")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
