"""The built book, and a browser to look at it."""

import functools
import http.server
import io
import json
import os
import shutil
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from filelock import FileLock

# Grammars that jsonschema would build for two seconds, to check addresses that we do not have.
sys.modules.setdefault("rfc3987_syntax", None)

ROOT = Path(__file__).parents[1]
BUILD = ROOT / "_build"
HTML = BUILD / "html"


# Their tests share what takes long to make: a book, two processes, all pictures, what was trained.
TOGETHER = {
    f"test_{name}.py"
    for name in (
        *("build", "launch", "distributed", "pictures", "describing", "demo_pictures"),
        "side_by_side",
    )
}


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """With several workers (`pytest -n 2`), each takes one test after the other, or such a file."""
    from xdist.scheduler import LoadScopeScheduling

    class Scheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.split("::")[0]
            return file if Path(file).name in TOGETHER else nodeid

    return Scheduling(config, log)


@dataclass
class Site:
    """What building the book gave."""

    returncode: int
    output: str
    execution: dict  # _build/execution.json: what became of each chapter


@pytest.fixture(scope="session")
def site(request) -> Site:
    """The result of `python -m bookbuild`, for all who ask for it in one run of the tests.

    Where `make test` has not built the book just before, the first worker that needs it does; the
    others wait and read what it has left in _build/tested.json and _build/build.log.
    """
    if "BOOK_IS_BUILT" in os.environ:
        return Site(0, "", executions())
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", uuid.uuid4().hex)
    result, log = BUILD / "tested.json", BUILD / "build.log"
    BUILD.mkdir(exist_ok=True)
    with FileLock(BUILD / "tested.lock"):
        if not result.exists() or json.loads(result.read_text())["run"] != run:
            capture = request.config.pluginmanager.getplugin("capturemanager")
            with capture.global_and_fixture_disabled():
                returncode = build(log)
            result.write_text(json.dumps({"run": run, "returncode": returncode}))
        returncode = json.loads(result.read_text())["returncode"]
        return Site(returncode, log.read_text("utf-8"), executions())


def executions() -> dict:
    """What the last build says of each chapter; nothing if Sphinx has not begun."""
    report = BUILD / "execution.json"
    return json.loads(report.read_text("utf-8")) if report.exists() else {"chapters": {}}


def build(log: Path) -> int:
    """Build the book, as far as that is needed; the exit code. The terminal hears how far it is."""
    # Not to stdout, which in a worker is the line to pytest.
    say = functools.partial(print, end="", file=sys.stderr, flush=True)
    say("\nBuilding the book, as far as that is needed …\n")
    command = [sys.executable, "-m", "bookbuild"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with (
        open(log, "w", encoding="utf-8") as file,
        subprocess.Popen(command, cwd=ROOT, encoding="utf-8", **pipes) as process,
    ):
        for line in process.stdout:
            file.write(line)
            if line.startswith("==") or "executing" in line or "executed" in line:
                say(line)
    return process.returncode


@pytest.fixture(scope="session")
def html(site) -> Path:
    """The folder of the built site. Tests that need it fail where the book does not build."""
    if site.returncode:
        pytest.fail(f"the book does not build; see test_chapters\n{site.output[-2000:]}")
    return HTML


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@contextmanager
def serve(folder: Path, handler: type[http.server.SimpleHTTPRequestHandler] = Quiet):
    """The address of a server of `folder`, on this machine."""
    handler = functools.partial(handler, directory=folder)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="session")
def address(html):
    """The address of a server of the site, on this machine."""
    with serve(html) as address:
        yield address


PATIENCE = 120_000  # milliseconds: nothing takes so long, however busy the machine is


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for what another process brings about."""
    end = time.monotonic() + PATIENCE / 1000
    while not condition():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.01)


def chromium() -> str | None:
    """The path of this machine's Chromium, if it has one."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next(filter(None, map(shutil.which, names)), None)


def launch_chromium(playwright):
    """Headless Chromium, driven by Playwright."""
    return playwright.chromium.launch(
        executable_path=chromium(), args=["--no-sandbox", "--disable-background-networking"]
    )


@pytest.fixture(scope="session")
def browser():
    """Headless Chromium. Where there is none the tests are skipped, but never in CI."""
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE)
    if chromium() is None:
        reason = "no Chromium on this machine: the pages were not looked at in a browser"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = launch_chromium(playwright)
        yield browser
        browser.close()


def failures(request) -> list[str]:
    """What is wrong with a request that failed: nothing if the next page has cut it off."""
    return [] if request.failure == "net::ERR_ABORTED" else [f"{request.url}: {request.failure}"]


@pytest.fixture
def visitor(browser):
    """Opens a page for a visitor with settings of their own, such as `locale` or `has_touch`."""
    contexts = []

    def visit(**settings):
        contexts.append(browser.new_context(**settings))
        contexts[-1].set_default_timeout(PATIENCE)
        return contexts[-1].new_page()

    yield visit
    for context in contexts:
        context.close()


@pytest.fixture
def page(visitor):
    """A new page that notes what goes wrong and whom it asks; a test that fails says so."""
    page = visitor(viewport={"width": 1280, "height": 900})
    page.problems, page.asked = [], []
    page.on(
        "console",
        lambda message: (
            page.problems.append(message.text) if message.type in ("error", "warning") else None
        ),
    )
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    page.on("requestfailed", lambda request: page.problems.extend(failures(request)))
    page.on(
        "response",
        lambda response: page.problems.append(response.url) if response.status >= 400 else None,
    )
    page.on("request", lambda request: page.asked.append(request.url))
    yield page
    print(f"{page.url}: {page.problems}; asked last: {page.asked[-9:]}")  # where the test failed


@pytest.fixture
def show(page, tmp_path):
    """Open a page with some demos, or pieces of HTML, from the disk, and return it. Where a demo
    comes first, it has begun."""

    def open_page(*demos, words: dict[str, str] | None = None, language: str = "en"):
        path = tmp_path / "page.html"
        body = "\n".join(demo if isinstance(demo, str) else demo._repr_html_() for demo in demos)
        head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        if words:
            head += f'<script type="application/json" id="words">{json.dumps(words)}</script>'
        page_of_demos = f'<!doctype html><html lang="{language}">{head}<body>{body}</body></html>'
        path.write_text(page_of_demos, "utf-8")
        page.goto(path.as_uri())
        if not isinstance(demos[0], str):
            page.locator(".stage, .problem").first.wait_for()
        return page

    yield open_page
    assert page.problems == []


def let_it_paint(page) -> None:
    """Wait until the page was painted twice: what an event brings about has happened by then."""
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


@pytest.fixture(autouse=True)
def cores_are_shared():
    """Where several workers run tests side by side, PyTorch has one thread in each."""
    if "PYTEST_XDIST_WORKER" in os.environ and (torch := sys.modules.get("torch")):
        torch.set_num_threads(1)


@pytest.fixture
def one_thread():
    """For small tensors: more threads would wait for each other."""
    import torch  # here, since not every test needs it

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


# ------------------------------------------------------------------ the command line


@pytest.fixture
def call(capsys, monkeypatch):
    """Run a command in this process: its exit code, its output, its errors.

    `typed` is what it finds at its standard input.
    """
    from rnnbook.cli import main as command_line

    def run(*arguments: str, typed: str = "") -> tuple[int, str, str]:
        capsys.readouterr()
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        try:
            code = command_line.main(arguments)
        except SystemExit as stop:
            code = stop.code
        return code, *capsys.readouterr()

    return run


@pytest.fixture
def refused(call):
    """Check that a command is refused with exit code 2 and one line that holds `message`."""

    def check(message: str, *arguments: str, typed: str = "") -> None:
        code, out, err = call(*arguments, typed=typed)
        assert (code, out) == (2, "")
        assert err.startswith("rnnbook: ") and err.count("\n") == 1 and err.endswith("\n")
        assert message in err

    return check
