"""A file is there complete, or not at all, whoever writes it, and whatever lies in the way."""

import errno
import os
from pathlib import Path

import pytest

from rnnbook import files
from rnnbook.files import (
    check_ends,
    check_writable,
    remove_parts,
    without_part,
    write_atomically,
)


def test_a_file_is_on_the_disk_before_it_is_moved_into_place(tmp_path, monkeypatch):
    """Or a crash of the machine could leave an empty file under the right name."""
    path, events = tmp_path / "file", []
    replace = os.replace
    monkeypatch.setattr(os, "fsync", lambda fd: events.append(os.fstat(fd).st_size))
    monkeypatch.setattr(os, "replace", lambda *paths: events.append("moved") or replace(*paths))
    write_atomically(path, b"12345")
    assert events == [5, "moved"] and path.read_bytes() == b"12345"


def test_two_writers_do_not_disturb_each_other(tmp_path, monkeypatch):
    """The second one begins and ends while the first one writes."""
    path, seen = tmp_path / "file", []

    def meanwhile(fd):
        if not seen:
            seen.append(None)
            write_atomically(path, b"the second")
            seen.append(path.read_bytes())

    monkeypatch.setattr(os, "fsync", meanwhile)
    write_atomically(path, b"of the first, which is longer")
    assert seen[1] == b"the second"
    assert path.read_bytes() == b"of the first, which is longer"
    assert os.listdir(tmp_path) == ["file"]


def test_a_link_that_lies_in_the_way_is_not_followed(tmp_path, monkeypatch):
    outside = tmp_path / "outside"
    outside.write_bytes(b"not ours")
    monkeypatch.setattr(files, "token_hex", lambda _: "guessed")
    (tmp_path / "file.guessed.part").symlink_to(outside)
    with pytest.raises(FileExistsError):
        write_atomically(tmp_path / "file", b"ours")
    assert outside.read_bytes() == b"not ours"


def test_of_a_part_that_cannot_be_written_the_path_of_the_whole_is_known(tmp_path):
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "folder", tmp_path / ("a" * 250)):
        with pytest.raises(OSError) as caught:
            write_atomically(path, b"content")
        assert without_part(caught.value.filename) == str(path)
    assert without_part("a.part") == "a.part"


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_what_was_interrupted_leaves_the_old_file_and_nothing_else(error, tmp_path, monkeypatch):
    def fail(fd):
        raise error

    path = tmp_path / "file"
    write_atomically(path, b"old")
    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(type(error)):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old" and os.listdir(tmp_path) == ["file"]


def test_a_full_disk_is_reported_with_the_name_of_the_file(tmp_path, monkeypatch):
    """The system does not say which file it was."""

    def fail(fd):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError) as caught:
        write_atomically(tmp_path / "file", b"content")
    assert caught.value.filename == str(tmp_path / "file")


def test_where_a_file_cannot_be_written_is_known_beforehand(tmp_path):
    check_writable(tmp_path / "new" / "file")
    assert os.listdir(tmp_path / "new") == []
    for path in (tmp_path / ("a" * 240), Path("/proc/file")):
        with pytest.raises(OSError) as caught:
            check_writable(path)
        assert without_part(caught.value.filename) == str(path)


def test_the_parts_of_one_file_are_removed_and_no_others(tmp_path):
    code, others = 16 * "5", ["a1.{}.part", "a[1]", "a[1].old.{}.part"]
    for name in ("a[1].{}.part", *others):
        (tmp_path / name.format(code)).touch()
    remove_parts(tmp_path / "a[1]")
    assert sorted(os.listdir(tmp_path)) == [name.format(code) for name in others]


def test_devices_and_pipes_are_not_read(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", files.Path("/dev/zero")):
        with pytest.raises(OSError, match="a device or a pipe; give a file"):
            check_ends(path)
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "file")
    for path in (tmp_path, tmp_path / "file", tmp_path / "link", tmp_path / "missing"):
        check_ends(path)  # what is wrong with those, opening them says
