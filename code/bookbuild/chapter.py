"""One chapter, for whoever reads or writes it: built, opened, and built again when it changes.

All of the book is read, so that numbers, titles and links are as in the book, but of all chapters
this one alone is executed, and written. That takes ten seconds once, and none at an edit. Reading
this page alone would take as long at an edit, and would know no other page.

Each build is a copy of a process that has imported what a build imports, which takes longer than
the rest of it. So this uses the parts of sphinx-autobuild, not its command, which begins a Python
for each.
"""

import multiprocessing
import socket
import sys
import threading
import webbrowser
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import uvicorn
import yaml
from sphinx.application import builtin_extensions
from sphinx_autobuild.middleware import JavascriptInjectorMiddleware
from sphinx_autobuild.server import RebuildServer
from sphinx_external_toc.parsing import parse_toc_yaml
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Mount, WebSocketRoute
from starlette.staticfiles import StaticFiles

from bookbuild import TASKS, recovery
from bookbuild.running import BUILD, ROOT, sphinx, tell

HOST, PORT = "127.0.0.1", 8000
WATCHED = {".md", ".py", ".js", ".css", ".html", ".svg", ".webp", ".bib", ".json"}


def show(name: str) -> None:
    """Build a page, serve and open it, and build it again whenever it changes, until Ctrl-C."""
    page = page_of(name)
    if "forkserver" in multiprocessing.get_all_start_methods():  # not on Windows
        multiprocessing.set_start_method("forkserver")
        multiprocessing.set_forkserver_preload(imports())
    process = multiprocessing.Process(target=first_build, args=[page])
    process.start()
    process.join()
    if process.exitcode:
        sys.exit(process.exitcode)
    serve(page)


def page_of(name: str) -> str:
    """The page that is meant by `lstm`, `book/lstm` or `lstm.md`; exits where there is none."""
    pages = {Path(page).name: page for page in parse_toc_yaml(ROOT / "_toc.yml")}
    if Path(name).stem not in pages:
        said = f"there is no chapter {name!r}" if name else "say which chapter"
        sys.exit(f"{said}: it is one of {', '.join(sorted(pages))}")
    return pages[Path(name).stem]


def imports() -> list[str]:
    """The modules that a build imports."""
    sphinx = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))["sphinx"]
    extensions = sphinx["config"].get("extensions", [])
    return [
        "bookbuild.chapter",
        *builtin_extensions,
        *extensions,
        *(f"bookbuild.{task}" for task in TASKS),
    ]


def folder(page: str) -> Path:
    """Where a page is built: apart from the book, which this leaves as it is."""
    return BUILD / "chapters" / Path(page).name / "html"


def first_build(page: str) -> None:
    sys.exit(build(page))


def build(page: str, changed_paths: Sequence[Path] = ()) -> int:
    """Build a page; the exit code. What other chapters would have to put out is left out."""
    with recovery.turn(BUILD):
        return sphinx(
            "html", folder(page), page, bookbuild_chapter=page, suppress_warnings=["mystnb.glue"]
        )


def serve(page: str) -> None:
    with listening() as server:
        host = f"{HOST}:{server.getsockname()[1]}"
        address = f"http://{host}/{page}.html"
        # pyrefly: ignore[bad-argument-type]  it hints more than it needs
        builder = RebuildServer(watched(page), is_ignored, partial(build, page))
        app = Starlette(
            routes=[
                WebSocketRoute("/websocket-reload", builder),
                Mount("/", StaticFiles(directory=folder(page), html=True)),
            ],
            middleware=[Middleware(JavascriptInjectorMiddleware, ws_url=host)],
            lifespan=builder.lifespan,
        )
        tell(f"{address} shows what you write; Ctrl-C ends it")
        # Not here: a browser within the terminal would keep us from serving.
        threading.Thread(target=webbrowser.open, args=[address], daemon=True).start()
        uvicorn.Server(uvicorn.Config(app, log_level="warning")).run([server])


def watched(page: str) -> list[Path]:
    """The folders whose files a page is made of."""
    return [folder for folder in ((ROOT / page).parent, ROOT / "code") if folder.exists()]


def listening() -> socket.socket:
    """A socket that is listened to, at PORT or, where that is taken, at another port."""
    try:
        return socket.create_server((HOST, PORT))
    except OSError:
        return socket.create_server((HOST, 0))


def is_ignored(path: str) -> bool:
    """Whether nothing is built when a file changes: another than a source, or one that is built."""
    return Path(path).suffix not in WATCHED or Path(path).is_relative_to(BUILD)
