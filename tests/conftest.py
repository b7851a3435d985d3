"""The built book, and a browser to look at it."""

import functools
import http.server
import json
import os
import shutil
import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HTML = ROOT / "_build" / "html"


@dataclass
class Site:
    """What building the book gave."""

    returncode: int
    output: str
    execution: dict  # _build/execution.json: what became of each chapter


@pytest.fixture(scope="session")
def site(request) -> Site:
    """The result of `python -m bookbuild`, which says on the terminal what it does."""
    capture = request.config.pluginmanager.getplugin("capturemanager")
    lines = []
    with capture.global_and_fixture_disabled():
        print("\nBuilding the book, as far as that is needed …", flush=True)
        process = subprocess.Popen(
            [sys.executable, "-m", "bookbuild"],
            cwd=ROOT,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        for line in process.stdout:
            lines.append(line)
            if (
                "Executing" in line
                or "Executed" in line
                or "executed" in line
                or line.startswith("==")
            ):
                print(line, end="", flush=True)
        process.wait()
    report = ROOT / "_build" / "execution.json"
    return Site(process.returncode, "".join(lines), json.loads(report.read_text("utf-8")))


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
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def address(html):
    """The address of a server of the site, on this machine."""
    with serve(html) as address:
        yield address


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
    from playwright.sync_api import sync_playwright

    if chromium() is None:
        reason = "no Chromium on this machine: the pages were not looked at in a browser"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = launch_chromium(playwright)
        yield browser
        browser.close()


@pytest.fixture
def page(browser):
    """A new page that notes what goes wrong and whom it asks for what."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.problems, page.asked = [], []
    page.on(
        "console",
        lambda message: (
            page.problems.append(message.text) if message.type in ("error", "warning") else None
        ),
    )
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    page.on("requestfailed", lambda request: page.problems.append(request.url))
    page.on(
        "response",
        lambda response: page.problems.append(response.url) if response.status >= 400 else None,
    )
    page.on("request", lambda request: page.asked.append(request.url))
    yield page
    context.close()


@pytest.fixture
def one_thread():
    """For small tensors: more threads would wait for each other."""
    import torch  # here, since not every test needs it

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
