"""The whisper of the live figure on spoken digits, without a browser, against NumPy."""

import json

import numpy as np
import pytest
from py_mini_racer import MiniRacer

from rnnbook.data.speech import load_speech
from rnnbook.demos.kinds import JS

RATE, HOP, WINDOW, BANDS = 8000, 200, 400, 128


@pytest.fixture(scope="module")
def javascript():
    context = MiniRacer()
    words = "const matchMedia = () => ({}), document = { querySelector: () => null };"
    context.eval(words + (JS / "widget.js").read_text("utf-8"))
    context.eval((JS / "whisper.js").read_text("utf-8"))
    return context


def run(javascript, expression: str, **arguments):
    names, values = ", ".join(arguments), ", ".join(map(json.dumps, arguments.values()))
    program = f"JSON.stringify((({names}) => {expression})({values}))"
    return np.array(json.loads(javascript.eval(program)))


def cosine_transform(rows):
    """The orthonormal cosine transform of rows (T, M), by the Fourier transform of their mirror."""
    M = rows.shape[1]
    mirrored = np.concatenate([rows, rows[:, ::-1]], axis=1)
    turned = np.exp(-1j * np.pi * np.arange(M) / (2 * M)) * np.fft.fft(mirrored)[:, :M]
    found = turned.real / np.sqrt(2 * M)
    found[:, 0] /= np.sqrt(2)
    return found


def test_the_bands_are_the_inverse_of_the_cosine_transform(javascript):
    coefficients = np.random.default_rng(0).normal(0, 30, 13)
    bands = run(javascript, "[...bandsOf(c)]", c=coefficients.tolist())
    assert bands.shape == (BANDS,)
    expected = np.append(coefficients, np.zeros(BANDS - 13))
    np.testing.assert_allclose(cosine_transform(bands[None])[0], expected, atol=1e-9)


def coefficients_of(samples):
    """Mel-frequency cepstral coefficients of samples, as the recordings are thought to have them:
    power in triangular bands, decibels, the first 13 numbers of the cosine transform."""
    window = np.sin(np.pi * np.arange(WINDOW) / WINDOW) ** 2
    pieces = np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::HOP]
    power = np.abs(np.fft.rfft(window * pieces)) ** 2
    top = 2595 * np.log10(1 + RATE / 2 / 700)
    edges = 700 * (10 ** (np.linspace(0, top, BANDS + 2) / 2595) - 1)
    hertz = np.arange(WINDOW // 2 + 1) * RATE / WINDOW
    rising = (hertz[:, None] - edges[:-2]) / np.diff(edges)[:-1]
    falling = (edges[2:] - hertz[:, None]) / np.diff(edges)[1:]
    triangles = np.maximum(0, np.minimum(rising, falling))
    decibels = 10 * np.log10(np.maximum(power @ triangles, 1e-10))
    return cosine_transform(decibels)[:, :13]


def test_the_coefficients_of_the_whisper_are_those_that_it_was_made_of(javascript):
    """But for how loud all of it is, and for a little chance, since it is noise."""
    known = [one.frames.numpy().astype(float) for one in load_speech().recordings[::75]]
    found = []
    for frames in known:
        samples = run(javascript, "[...whisper(frames, uniform(0))]", frames=frames.tolist())
        assert len(samples) == (len(frames) + 1) * HOP
        assert np.abs(samples).max() == pytest.approx(0.7)
        rows = coefficients_of(samples)
        rows[:, 0] += (frames - rows)[:, 0].mean()
        found.append(rows)
    pairs = zip(np.concatenate(known).T, np.concatenate(found).T, strict=True)
    assert all(np.corrcoef(*pair)[0, 1] > 0.85 for pair in pairs)
