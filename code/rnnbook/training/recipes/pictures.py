"""The recipe of the book for pictures; `rnnbook.training.recipes` has the others."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import torch
from torch import Generator, Tensor
from torch.nn.functional import pad
from torch.nn.utils.rnn import pad_sequence

from rnnbook.data.picture_captions import LANGUAGES, Language
from rnnbook.data.picture_gallery import Picture
from rnnbook.data.vocabulary import Vocabulary
from rnnbook.data.words import SIGNS, teacher_forced
from rnnbook.models.pictures import Captioner
from rnnbook.training.batches import Batch, SimilarLengths
from rnnbook.training.objectives import answering
from rnnbook.training.recipes.recipe import Recipe

WHITE = 255
BOTH = tuple(LANGUAGES.values())


class Captioned(NamedTuple):
    """Pictures and their captions; what follows the pixels has a row for each caption."""

    pixels: Tensor  # uint8, (N, 3, 40, 40)
    rows: Tensor  # (C,), of the picture in `pixels`
    languages: Tensor  # (C,), which of the languages
    ids: Tensor  # (C, T), behind each caption 0
    lengths: Tensor  # (C,)


def vocabulary_of(pictures: Sequence[Picture], languages: Sequence[Language] = BOTH) -> Vocabulary:
    """The words and characters of the captions in these languages, behind the sign of the end."""
    return Vocabulary(
        (token for *_, tokens in _all(pictures, languages) for token in tokens), SIGNS
    )


def encode_captions(
    pictures: Sequence[Picture], vocabulary: Vocabulary, languages: Sequence[Language] = BOTH
) -> Captioned:
    """The pictures and all their captions, as numbers.

    Raises `ValueError` for a word that the vocabulary does not know.
    """
    rows, numbers, tokens = zip(*_all(pictures, languages), strict=True)
    return Captioned(
        torch.stack([picture.pixels for picture in pictures]),
        torch.tensor(rows),
        torch.tensor(numbers),
        pad_sequence([vocabulary.encode(some) for some in tokens], batch_first=True),
        torch.tensor([len(some) for some in tokens]),
    )


def _all(pictures: Sequence[Picture], languages: Sequence[Language]) -> list[tuple]:
    """The number of the picture and of the language of each caption, and its words."""
    return [
        (i, k, language.split(caption))
        for k, language in enumerate(languages)
        for i, picture in enumerate(pictures)
        for caption in getattr(picture, language.name)
    ]


class CaptionBatches:
    """Shuffled mini-batches of captions with their pictures, those of one language together.

    In a batch of both languages the words would wait for the characters, of which a caption has
    twice as many. Each time it is met, a picture is moved by up to `shift` pixels, anew. x of
    a batch is the pictures, the languages and the word before each step; y is the word at each
    step.
    """

    def __init__(self, data: Captioned, batch_size: int, seed: int = 0, shift: int = 2):
        self.data, self.steps = data, data.lengths + 1
        self.previous, self.y = teacher_forced(data.ids, data.lengths)
        self.order = SimilarLengths(data.languages, batch_size, seed)  # alike in the language
        self.seed, self.shift = seed, shift

    def __len__(self) -> int:
        return len(self.order)

    def batch(self, step: int) -> Batch:
        """The batch of a step, from 0 on, without end."""
        rows = self.order.rows(step)
        generator = Generator().manual_seed(step + 1_000_003 * self.seed)
        pictures = shifted(self.data.pixels[self.data.rows[rows]], self.shift, generator)
        T = self.steps[rows].max()
        x = pictures, self.data.languages[rows], self.previous[rows, :T]
        return Batch(x, self.y[rows, :T], continues=False)


def shifted(pictures: Tensor, most: int, generator: Generator) -> Tensor:
    """Each of pictures (B, 3, H, W) moved by up to `most` pixels up or down, left or right.

    What comes in at the border is white.
    """
    B, _, height, width = pictures.shape
    wide = pad(pictures, (most,) * 4, value=WHITE).permute(0, 2, 3, 1)
    down, right = torch.randint(2 * most + 1, (2, B, 1), generator=generator)
    rows, columns = down + torch.arange(height), right + torch.arange(width)  # (B, H), (B, W)
    moved = wide[torch.arange(B)[:, None, None], rows[:, :, None], columns[:, None]]
    return moved.permute(0, 3, 1, 2)


def captioner(V: int, languages: int = len(BOTH), **shape) -> Captioner:
    """An encoder and a decoder for pictures, from the number of words, signs included."""
    return Captioner(V, languages, dropout=0.2, **shape)


def caption_batches(data: Captioned, seed: int = 0) -> CaptionBatches:
    """The batches in which the book looks at pictures."""
    return CaptionBatches(data, 64, seed)


def pictures() -> Recipe:
    """How the book trains an encoder and a decoder to describe pictures, from `Captioned`.

    It is meant for `train_parts` of a gallery, in both languages.
    """
    return Recipe(
        network=captioner,
        batches=caption_batches,
        vocabularies=("words",),
        signs=SIGNS,
        epochs=45,
        lr=3e-2,
        clip=1.0,
        betas=(0.9, 0.99),
        objective=partial(answering, label_smoothing=0.1),
    )


def pictures_longer() -> Recipe:
    """The same for all pictures, of which there are nearly twice as many, and longer."""
    return replace(pictures(), epochs=60)
