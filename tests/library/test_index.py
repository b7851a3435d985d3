"""Archives of the package index and of npm's registry: found, verified, and unpacked."""

import base64
import errno
import hashlib
import html
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
import time
import venv
import zipfile
from typing import ClassVar

import pytest

from rnnbook.data.fetching import client, disk
from rnnbook.data.fetching.archives import Archive, read_members
from rnnbook.data.fetching.cache import verified
from rnnbook.data.fetching.disk import unpacked_xz
from rnnbook.data.fetching.errors import DataError, SourceError
from rnnbook.data.fetching.hosts import NPM
from rnnbook.data.fetching.registries import npm_registry, pip_settings
from test_data import BAD, CONTENT, LATE, SHA256, MirrorServer, files_in, limits_for
from waiting import PATIENCE

ARCHIVE = "tiny-1.0.tar.gz"
PYTHON = sys.executable


class Index(MirrorServer):
    """A package index of one project, `tiny`. Other paths are answered as a mirror does.

    It is npm's registry, too, which has the file where `file` says.
    """

    kind, file, content, version = "json", "/good/", CONTENT, "1.0"
    PAGES: ClassVar = {  # that cannot be read, or have to be read with care
        "brackets": b'{"meta": ' + b"[" * 100_000,
        "nested": b"<div>" * 300_000,
        "list": b'{"meta": {"api-version": "1.0"}, "files": [7]}',
        "empty": b"",
        "bytes": bytes(range(256)) * 100,
        "long": b"<div>" * 500_000,
    }

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
        if self.kind in self.PAGES:
            return self.PAGES[self.kind], "text/html"
        if self.kind == "html":
            url = html.escape(f"{url}#sha256={SHA256}")
            return (
                f'<a href="{url}" data-requires-python="&gt;=3">{ARCHIVE}</a>'.encode(),
                "text/html",
            )
        if self.kind == "base":
            return f'<base href="{self.file}"><A HREF={ARCHIVE}>it</A>'.encode(), "text/html"
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
    monkeypatch.setattr(client, "_too_slow", {})
    monkeypatch.setattr(sys, "executable", shutil.which("false"))  # pip takes a second to say it
    monkeypatch.setenv("RNNBOOK_DATA", str(tmp_path / "cache"))
    (tmp_path / "cache").mkdir()
    yield index
    index.close()


def source_of(content: bytes, rebuild=bytes, **options) -> Archive:
    return Archive("tiny", ARCHIVE, hashlib.sha256(content).hexdigest(), rebuild, **options)


REASONS = {
    "html": "",
    "403": "answered 403",
    "404": "answered 404",
    "401": "answered 401",
    "500": "answered 500",
    "hang": "did not answer for 0.3 seconds",
    "hang-midway": "did not answer for 0.3 seconds",
    "endless": "sent more than 100,000 bytes",
    "truncated": "failed: IncompleteRead",
    "elsewhere": "failed: ValueError; are the settings right (of pip: index-url, cert, proxy)?",
    "around": "failed: Exceeded 30 redirects",
    "steering": "answered 500  [31mred",
    **dict.fromkeys(LATE, "was not complete after 0.5 seconds"),
}
OF_PAGES = {"html": "does not list this file"}
OF_FILES = {
    "html": "sent 52 bytes of something else",
    "wrong": "sent 70,000 bytes of something else",
}
CASES = [("page", name, why) for name, why in {**REASONS, **OF_PAGES}.items()]
CASES += [("file", name, why) for name, why in {**REASONS, **OF_FILES}.items()]


@pytest.mark.parametrize("registry", ["npm", "pypi"])
@pytest.mark.parametrize(("where", "answer", "reason"), CASES)
def test_a_bad_registry_is_named_and_leaves_nothing(
    registry, where, answer, reason, index, monkeypatch
):
    source = source_of(CONTENT, limits=limits_for(answer, 100_000))
    if registry == "npm":
        if where == "page":
            return  # it has none
        monkeypatch.setenv("npm_config_registry", f"{index.address}/{answer}")
        source = source_of(CONTENT, limits=limits_for(answer, 100_000), registry=NPM)
    elif where == "page":
        address = os.environ["PIP_INDEX_URL"].replace("simple", answer)
        monkeypatch.setenv("PIP_INDEX_URL", address)
    else:
        index.file = f"/{answer}/"
    with pytest.raises(DataError) as caught:
        verified("play.txt", SHA256, [source])
    message = str(caught.value)
    assert f"the copy in {ARCHIVE} is " in message and reason in message
    assert "pip's settings of a package index" in message and message.isprintable()
    assert "secret" not in message and files_in(disk.cache_folder()) == set()


def test_all_that_a_mirror_does_a_registry_does_here():
    assert {*BAD} - {"truncated.gz", "html.gz", "bomb.gz"} <= {answer for _, answer, _ in CASES}


@pytest.mark.parametrize("kind", ["json", "html", "base"])
def test_the_page_of_a_project_leads_to_the_file(kind, index):
    index.kind = kind
    path = verified("play.txt", SHA256, [source_of(CONTENT)])
    assert path.read_bytes() == CONTENT
    assert index.requests == ["/simple/tiny/", f"/good/{ARCHIVE}"]
    index.close()  # what is in the cache folder needs no network
    assert verified("play.txt", SHA256, [source_of(CONTENT)]) == path


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("brackets", "sent a page that cannot be read"),
        ("list", "sent a page that cannot be read"),
        ("nested", "does not list this file"),
        ("empty", "does not list this file"),
        ("bytes", "does not list this file"),
        ("long", "sent more than 2,000,000 bytes"),
    ],
)
def test_pages_that_no_index_writes(kind, reason, index):
    index.kind = kind
    begin = time.process_time()
    with pytest.raises(SourceError, match=reason):
        source_of(CONTENT).fetch()
    assert time.process_time() - begin < 10  # seconds of work, whatever others do meanwhile


def test_an_index_of_the_future(index):
    index.version = "2.0"
    with pytest.raises(SourceError, match=r"is too new: it speaks version 2\.0, this program ver"):
        source_of(CONTENT).fetch()


def test_an_index_that_nobody_serves(index):
    index.close()
    with pytest.raises(SourceError, match=r"failed: Connection refused$"):
        source_of(CONTENT).fetch()


def login_of(index) -> str | None:
    return index.login and base64.b64decode(index.login.removeprefix("Basic ")).decode()


def test_the_password_is_for_the_index_alone(index):
    source_of(CONTENT).fetch()
    assert login_of(index) == "someone:secret"
    index.file = f"{index.address}/good/"
    source_of(CONTENT).fetch()
    assert login_of(index) == "someone:secret"
    index.file = f"{index.address.replace('127.0.0.1', 'localhost')}/good/"
    source_of(CONTENT).fetch()
    assert index.login is None


def test_a_password_may_stand_in_netrc(index, tmp_path, monkeypatch):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login netrc password hidden\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("PIP_INDEX_URL", f"{index.address}/simple/")
    source_of(CONTENT).fetch()
    assert login_of(index) == "netrc:hidden"


def test_an_index_that_wants_a_password_asks_nobody(index):
    """What is typed here is there for a program that would ask, so that it would not wait."""
    left = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    result = subprocess.run(
        [PYTHON, "-c", textwrap.dedent(ASKING)],
        input="user\npassword\n" * 5,
        capture_output=True,
        text=True,
        env={**left, "PIP_INDEX_URL": f"{index.address}/401", "PIP_CONFIG_FILE": os.devnull},
        start_new_session=True,  # without a terminal
    )
    assert "/401/tiny/" in index.requests
    assert result.stdout == "is out of reach: the package index answered 401 Unauthorized\n"


ASKING = """
    from rnnbook.data.fetching.archives import Archive
    from rnnbook.data.fetching.errors import SourceError
    try:
        Archive("tiny", "tiny-1.0.tar.gz", "", bytes).fetch()
    except SourceError as error:
        print(error)
"""


@pytest.mark.parametrize(
    "address",
    ["http://someone:secret@[bad/simple", "http://someone:sec/ret@host/simple", "someone:secret"],
)
def test_an_address_that_is_none_is_not_shown(address, index, monkeypatch):
    monkeypatch.setenv("PIP_INDEX_URL", address)
    with pytest.raises(SourceError, match="are the settings right") as caught:
        source_of(CONTENT).fetch()
    assert "sec" not in str(caught.value).replace("seconds", "")


def test_whoever_uses_no_index_is_not_made_to(index, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(SourceError, match="pip is set to use no index"):
        source_of(CONTENT).fetch()
    assert index.requests == []


def test_the_index_is_asked_through_the_proxy_of_pip(index, monkeypatch):
    monkeypatch.setenv("PIP_INDEX_URL", "http://index.invalid/simple")
    monkeypatch.setenv("PIP_PROXY", index.address)
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")  # the setting goes before it
    assert source_of(CONTENT).fetch() == CONTENT
    assert index.requests[0] == "http://index.invalid/simple/tiny/"


def test_the_certificates_are_those_of_pip(index, monkeypatch):
    monkeypatch.setenv("PIP_INDEX_URL", "https://index.invalid/simple")
    monkeypatch.setenv("PIP_CERT", "/nowhere/certificates.pem")
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(SourceError, match=r"failed: .*path: /nowhere/certificates\.pem"):
        source_of(CONTENT).fetch()


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


def test_without_pip_the_variables_count(index, tmp_path, monkeypatch):
    """In a real environment without pip."""
    venv.create(tmp_path / "env", with_pip=False)
    python = tmp_path / "env" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    monkeypatch.setattr(sys, "executable", str(python))
    assert pip_settings()["index-url"] == os.environ["PIP_INDEX_URL"]
    assert source_of(CONTENT).fetch() == CONTENT


def test_settings_of_pip_that_cannot_be_read(index, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(SourceError, match="is not asked: pip's settings cannot be read"):
        source_of(CONTENT).fetch()


def test_the_registry_is_that_of_npm(index, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("npm_config_registry", "NPM_CONFIG_REGISTRY"):
        monkeypatch.delenv(name, raising=False)
    assert npm_registry() == "https://registry.npmjs.org"
    (tmp_path / ".npmrc").write_text("cache = /tmp\nregistry = http://a/npm/\n")
    assert npm_registry() == "http://a/npm"
    monkeypatch.setenv("NPM_CONFIG_REGISTRY", f"{index.address}/good")
    assert source_of(CONTENT, registry=NPM).fetch() == CONTENT
    assert index.requests == [f"/good/tiny/-/{ARCHIVE}"]


# ------------------------------------------------------------------ archives, and what is in them


def make_archive(members: dict[str, bytes], mode: str = "w:gz") -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode) as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(f"tiny-1.0/{name}")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return file.getvalue()


def test_a_file_is_rebuilt_from_an_archive_of_which_nothing_is_run_or_kept(index, tmp_path):
    trap = f"open({str(tmp_path / 'was-run')!r}, 'w')"
    index.content = make_archive({"setup.py": trap.encode(), "play.txt": CONTENT})

    def rebuild(archive: bytes) -> bytes:
        return read_members(archive, r"tiny-1\.0/(play)\.txt")["play"]

    path = verified("play.txt", SHA256, [source_of(index.content, rebuild)])
    assert path.read_bytes() == CONTENT and files_in(path.parent) == {"play.txt"}
    assert not (tmp_path / "was-run").exists()


@pytest.mark.parametrize("kept", [False, True])
def test_an_archive_with_another_content_is_never_opened(kept, index):
    """And that is what is said, not what another program said last."""
    source = source_of(b"another", rebuild=lambda archive: pytest.fail("opened"), kept=kept)
    with pytest.raises(DataError) as caught:
        verified("play.txt", SHA256, [source])
    what = "sent 70,000 bytes of something else"
    assert f"copy in {ARCHIVE} is not used: the package index {what}): check" in str(caught.value)
    assert files_in(disk.cache_folder()) == set()


def test_an_archive_of_several_files_is_kept(index):
    assert verified("play.txt", SHA256, [source_of(CONTENT, kept=True)]).read_bytes() == CONTENT
    assert files_in(disk.cache_folder()) == {"play.txt", ARCHIVE}
    index.close()
    other = source_of(CONTENT, rebuild=bytes.upper, kept=True)
    digest = hashlib.sha256(CONTENT.upper()).hexdigest()
    assert verified("loud.txt", digest, [other]).read_bytes() == CONTENT.upper()


def test_members_are_read_from_all_kinds_of_archives(tmp_path):
    members = {"b/2.txt": b"two", "b/1.txt": b"one", "b/1.txt.old": b"", "c/3.txt": b""}
    for mode in ("w", "w:gz", "w:xz"):
        found = read_members(make_archive(members, mode), r"tiny-1\.0/b/(.)\.txt")
        assert list(found.items()) == [("1", b"one"), ("2", b"two")]
    with zipfile.ZipFile(tmp_path / "zip", "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    found = read_members((tmp_path / "zip").read_bytes(), r"b/(.)\.txt")
    assert list(found.items()) == [("1", b"one"), ("2", b"two")]


def test_a_disk_that_is_too_full_is_noticed_before_the_archive_is_fetched(index, monkeypatch):
    monkeypatch.setattr(
        shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(0, 0, 12_000_000)
    )
    source = source_of(CONTENT, rebuild=lambda archive: pytest.fail("begun"), room=325_000_000)
    with pytest.raises(DataError) as caught:
        verified("play.txt", SHA256, [source])
    cache = disk.cache_folder()
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

    class Bar(disk.progress_bar().__class__):
        def update(self, size):
            sizes.append(size)

    monkeypatch.setattr(disk, "progress_bar", lambda **options: Bar(disable=True))
    with unpacked_xz(io.BytesIO(lzma.compress(bytes(5_000_000))), "zeros", 5_000_000) as path:
        assert path.read_bytes() == bytes(5_000_000)
    assert max(sizes) <= disk.CHUNK and sum(sizes) == 5_000_000


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left"), KeyboardInterrupt()])
def test_an_unpacking_that_ends_early_leaves_nothing(error, index, monkeypatch):
    written = []

    class Bar(disk.progress_bar().__class__):
        def update(self, size):
            written.extend(disk.cache_folder().glob("play.txt.*.part"))
            raise error

    monkeypatch.setattr(disk, "progress_bar", lambda **options: Bar(disable=True))
    index.content = lzma.compress(CONTENT)
    with pytest.raises(DataError if isinstance(error, OSError) else KeyboardInterrupt):
        verified("play.txt", SHA256, [source_of(index.content, unpacked)])
    assert len(written) == 1 and files_in(disk.cache_folder()) == set()


PROGRAM = """
    import io, sys
    from rnnbook.data.fetching.archives import Archive
    from rnnbook.data.fetching.cache import verified
    from rnnbook.data.fetching.disk import unpacked_xz

    def rebuild(archive):
        with unpacked_xz(io.BytesIO(archive), "play.txt", 1) as path:
            print("unpacked", flush=True)
            sys.stdin.readline()
            return path.read_bytes()

    source = Archive("tiny", "tiny-1.0.tar.gz", sys.argv[2], rebuild, room=1)
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
    (left,) = files_in(disk.cache_folder())
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
    assert files_in(disk.cache_folder()) == {"play.txt"}
