"""The trained models of the book, for those who only want to use them: what `rnnbook.load` gives.

What goes in and comes out are texts, numbers, arrays and lists. Where a method takes one thing, it
takes a list of such things, too, and gives a list of answers. Nothing is fetched, no random numbers
but its own are used, and the same arguments have the same result.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn
from torch.nn.functional import ctc_loss

from rnnbook.data.digit_image import digit_in, read_digit
from rnnbook.data.kanji_strokes import Stroke
from rnnbook.data.speech import COEFFICIENTS, SIGNS, Recording, encode_strings, text_of
from rnnbook.data.vocabulary import Vocabulary
from rnnbook.decoding import kanji as pen
from rnnbook.decoding import sampling
from rnnbook.decoding.ctc import best_path
from rnnbook.decoding.names import join_words, transliterate, words_of
from rnnbook.errors import BookError, called
from rnnbook.training.model_files import load_model
from rnnbook.weights.files import Card, WeightsError, card, published


class InputError(BookError):
    """What was given to a model cannot be used. The message says why and what to do."""


class Answer(NamedTuple):
    """A text, and how probable it is."""

    text: str
    probability: float


class Digit(NamedTuple):
    """The likeliest digit, and the probabilities of all ten."""

    digit: int
    probabilities: list[float]


class Trained:
    """A trained model, and its card: None for the model in a file of one's own."""

    def __init__(self, model: nn.Module, vocabularies: tuple[Vocabulary, ...], card: Card | None):
        self.model, self.vocabularies, self.card = model, vocabularies, card


class Names(Trained):
    """Writes names in katakana."""

    def transliterate(self, name: Any, answers: int = 1, beam: int = 4) -> list:
        """The best answers to a name, best first; to each of a list of names, a list of them.

        A name may have several words, capital letters and accents. The probability of a name is
        the product of those of its words. Raises `rnnbook.decoding.names.SpellingError` for what
        is no name.
        """
        check_whole("answers", answers, 1, 100)
        check_whole("beam", beam, 1, 100)
        letters, kana = ("".join(known.characters) for known in self.vocabularies)
        names = as_list(name, str, "a name")
        split = [words_of(one, letters) for one in names]
        words = sorted({word for each in split for word in each})
        width = max(beam, answers)
        found = dict(
            zip(words, transliterate(self.model, letters, kana, words, width=width), strict=True)
        )
        ranked = [
            [
                Answer(one.text, math.exp(one.log_probability))
                for one in join_words([found[word] for word in each], answers)
            ]
            for each in split
        ]
        return ranked if isinstance(name, list) else ranked[0]


class Digits(Trained):
    """Reads a digit that was written by hand."""

    @torch.no_grad()
    def classify(self, picture: Any) -> Any:
        """The digit in a picture, a `Digit`; in each of a list of pictures, a list of them.

        A picture is the path of a file, or an array of grey numbers (height, width), dark on light
        or light on dark. Raises `rnnbook.data.digit_image.ImageError` for one that shows no single
        digit, and `OSError` for a file that cannot be read.
        """
        if not (pictures := picture if isinstance(picture, list) else [picture]):
            return []
        images = torch.stack([image_of(one) for one in pictures])  # (N, 28, 28)
        rows = self.model(images)[0].softmax(dim=1).tolist()  # (N, 10)
        read = [Digit(row.index(max(row)), row) for row in rows]
        return read if isinstance(picture, list) else read[0]


class Speech(Trained):
    """Writes down digits that were spoken."""

    @torch.no_grad()
    def listen(self, frames: Any) -> Any:
        """The digits in a sound, an `Answer` such as "407"; in each of a list, a list of them.

        A sound is an array (T, 13): a row for each frame, with the coefficients that
        `rnnbook.data.speech` describes, scaled as there. Raises `InputError` for another one.
        """
        if not (sounds := frames if isinstance(frames, list) else [frames]):
            return []
        recordings = [[Recording(frames_of(one), 0)] for one in sounds]
        x, lengths, *_ = encode_strings(recordings)
        log_p = self.model(x, lengths).log_softmax(dim=2)  # (N, T, 11)
        heard = [
            Answer(text_of(signs), probability(row[:T], signs))
            for row, T, signs in zip(
                log_p, lengths.tolist(), best_path(log_p, lengths), strict=True
            )
        ]
        return heard if isinstance(frames, list) else heard[0]


class Text(Trained):
    """Writes text, a character at a time."""

    def sample(
        self,
        prompt: Any = "\n",
        length: int = 300,
        temperature: float = 0.5,
        top_k: int | None = None,
        seed: int = 0,
    ) -> Any:
        """The prompt and the `length` characters after it; of a list of prompts, a list of texts.

        Below a temperature of 1, likely characters become likelier; at 0, the likeliest is always
        taken. With `top_k`, only the K likeliest are drawn from. The same seed gives the same text.
        Raises `InputError` for a prompt with a character that the model does not know.
        """
        check_whole("length", length, 1, 1_000_000)
        check_whole("seed", seed, 0, 2**31 - 1)
        check_whole("top_k", 1 if top_k is None else top_k, 1, 2**31 - 1)
        check_temperature(temperature, at_zero=True)
        options = {"temperature": temperature, "top_k": top_k, "seed": seed}
        (known,) = self.vocabularies
        try:
            texts = [
                sampling.sample(self.model, known, one, length, **options)
                for one in as_list(prompt, str, "a prompt")
            ]
        except ValueError as error:  # the prompt is empty, or holds what the model does not know
            raise InputError(str(error)) from error
        return texts if isinstance(prompt, list) else texts[0]


class Kanji(Trained):
    """Writes characters that look like kanji, stroke by stroke."""

    def draw(
        self,
        number: int = 1,
        temperature: float = 0.3,
        seed: int = 0,
        begin: Sequence[Stroke] = (),
    ) -> list[list[Stroke]]:
        """So many drawings: each a list of strokes, each of these a tuple of points (x, y).

        x runs to the right and y down, both from 0 to 109. All drawings begin with the strokes
        `begin`. Below a temperature of 1, what is likely becomes likelier. The same seed gives the
        same drawings.
        """
        check_whole("number", number, 1, 400)
        check_whole("seed", seed, 0, 2**31 - 1)
        check_temperature(temperature, at_zero=False)
        how = {"temperature": temperature, "seed": seed, "begin": begin}
        return pen.draw_kanji(self.model, number, **how)

    def svg(self, drawings: Sequence[Sequence[Stroke]]) -> str:
        """Drawings side by side, in rows of eight, as an SVG file has them."""
        return pen.svg(drawings)


KINDS = {  # what each model can do, and by which recipes it may have been trained
    "names": (Names, ["names"]),
    "digits": (Digits, ["mnist"]),
    "speech": (Speech, ["speech"]),
    "text": (Text, ["shakespeare", "shakespeare-long"]),
    "kanji": (Kanji, ["kanji"]),
}


def open_model(name: str, path: Any = None) -> Trained:
    """What `rnnbook.load` gives."""
    if name == "pictures":
        raise WeightsError(
            "the model that describes pictures is too large to come along; train it yourself: "
            f"{called()} train pictures"
        )
    own = None if path is None or name not in KINDS else Path(path)
    file = own or published(name)
    kind, recipes = KINDS[name]
    with torch.random.fork_rng(devices=[]):  # a new model draws random weights
        model, vocabularies = load_model(file, *recipes)
    return kind(model, vocabularies, None if own else card(name))


# ------------------------------------------------------------------ what goes in


def as_list(given: Any, kind: type, what: str) -> list:
    """What was given, as a list. Raises `InputError` unless all of it is of a kind."""
    each = given if isinstance(given, list) else [given]
    for one in each:
        if not isinstance(one, kind):
            raise InputError(
                f"{one!r:.40} is not {what}; give a {kind.__name__}, or a list of them"
            )
    return each


def image_of(picture: Any) -> torch.Tensor:
    """A picture as MNIST would have it: (28, 28)."""
    if isinstance(picture, str | Path):
        return read_digit(Path(picture))
    return digit_in(array_of(picture, "the picture"))


def array_of(given: Any, what: str) -> np.ndarray:
    """What was given, as an array of numbers. Raises `InputError` for what is none."""
    try:
        array = given.numpy(force=True) if isinstance(given, torch.Tensor) else np.asarray(given)
    except ValueError as error:  # rows of different lengths
        raise InputError(f"{what} is no array; give rows of equal length") from error
    if array.dtype.kind not in "biuf":
        raise InputError(f"{what} is no array of numbers; give one")
    return array


def frames_of(sound: Any) -> torch.Tensor:
    """The frames of a sound, (T, 13)."""
    frames = torch.from_numpy(array_of(sound, "the sound").astype(np.float32))
    if frames.dim() != 2 or frames.shape[1] != COEFFICIENTS or not len(frames):
        raise InputError(
            f"the sound has the shape {tuple(frames.shape)}; give frames of {COEFFICIENTS} "
            f"coefficients, (T, {COEFFICIENTS})"
        )
    if not frames.isfinite().all():
        raise InputError("the sound holds what is no finite number; give coefficients")
    return frames


def probability(log_p: torch.Tensor, signs: list[int]) -> float:
    """How probable some signs are, whatever their alignment, by log_p (T, V)."""
    T, U = torch.tensor([len(log_p)]), torch.tensor([len(signs)])
    loss = ctc_loss(
        log_p[:, None],
        torch.tensor([signs], dtype=torch.long),
        T,
        U,
        blank=SIGNS - 1,
        reduction="none",
    )
    return math.exp(-loss.item())


def check_whole(what: str, number: Any, low: int, high: int) -> None:
    """Raise `InputError` unless this is a whole number in a range."""
    if not isinstance(number, int) or not low <= number <= high:
        raise InputError(f"{what} is {number!r:.40}; give a whole number from {low} to {high}")


def check_temperature(number: Any, at_zero: bool) -> None:
    """Raise `InputError` unless this is a temperature by which logits can be divided."""
    if isinstance(number, int | float) and (0.01 <= number <= 100 or (at_zero and number == 0)):
        return
    also = "0, or " if at_zero else ""
    raise InputError(f"the temperature is {number!r:.40}; give {also}0.01 to 100")
