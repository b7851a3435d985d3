"""Where the repository and the built book lie, a server of it, and a browser to look at it."""

import functools
import http.server
import shutil
import threading
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]
BUILD = ROOT / "_build"
HTML = BUILD / "html"


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


def chromium() -> str | None:
    """The path of this machine's Chromium, if it has one."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next(filter(None, map(shutil.which, names)), None)


def launch_chromium(playwright):
    """Headless Chromium, driven by Playwright."""
    return playwright.chromium.launch(
        executable_path=chromium(), args=["--no-sandbox", "--disable-background-networking"]
    )
