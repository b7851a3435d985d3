"""What becomes of a caption when what the network looks at is covered (Zeiler and Fergus, 2014)."""

from collections.abc import Iterable

import torch
from torch import Generator, Tensor

from rnnbook.data.picture_captions import PERSONS_AND_HOURS
from rnnbook.data.picture_gallery import Picture
from rnnbook.data.vocabulary import Vocabulary
from rnnbook.data.words import teacher_forced
from rnnbook.models.pictures import Captioner, covered, inked

SHADES = {"light", "medium-light", "medium", "medium-dark", "dark"}
KINDS = ("who", "what", "shade", "skin")
COVERED = 9  # places, of 100


def kind_of(word: str) -> str:
    """Which of `KINDS` an English word is; "skin" and "tone" are both "skin"."""
    if word in ("skin", "tone"):
        return "skin"
    return "shade" if word in SHADES else "who" if word in PERSONS_AND_HOURS else "what"


def captioned(picture: Picture, words: Vocabulary) -> tuple[tuple[Tensor, ...], Tensor]:
    """The first English caption as the model reads it, x, and the words that are right (T,)."""
    ids = words.encode(picture.english[0].split())
    previous, target = teacher_forced(ids[None], torch.tensor([len(ids)]))
    return (picture.pixels[None], torch.zeros(1, dtype=torch.long), previous), target[0]


@torch.no_grad()
def probabilities(model: Captioner, x: tuple, target: Tensor, pixels: Tensor) -> Tensor:
    """Of the right word at each step, when the picture at that step is one of pixels (T, …)."""
    T, (_, english, previous) = len(target), x
    logits = model(pixels, english.expand(T), previous.expand(T, T))  # (T, T, V)
    return logits[range(T), range(T)].softmax(dim=1)[range(T), target]


@torch.no_grad()
def covering(
    model: Captioner, words: Vocabulary, picture: Picture, generator: Generator
) -> list[Tensor]:
    """Four numbers for each word of a caption, the end included: (T,) each.

    The probability of the right word with all to see; with the nine drawn places covered at which
    the network looks most; with nine other drawn places covered; and how much of the look lies
    where nothing is drawn.
    """
    x, target = captioned(picture, words)
    weights = model.alignment(*x)[0].mean(dim=0).flatten(1)  # (T, 100), the mean of the heads
    drawn, pixels = inked(picture.pixels), picture.pixels
    views: dict[str, list[Tensor]] = {"all": [], "there": [], "elsewhere": []}
    for row in weights:
        most = row.where(drawn, 0).topk(COVERED).indices
        others = drawn.clone()
        others[most] = False
        other = torch.multinomial(others.float() + 1e-9, COVERED, generator=generator)
        for name, places in (("all", most[:0]), ("there", most), ("elsewhere", other)):
            views[name].append(covered(pixels, places))
    found = [probabilities(model, x, target, torch.stack(some)) for some in views.values()]
    return [*found, weights[:, ~drawn].sum(dim=1)]


def covering_means(
    model: Captioner, words: Vocabulary, pictures: Iterable[Picture], seed: int = 0
) -> dict[str, list[float]]:
    """The means of `covering` over all words of a kind, for each of `KINDS`."""
    model.eval()
    generator = Generator().manual_seed(seed)
    found: dict[str, list[Tensor]] = {kind: [] for kind in KINDS}
    for picture in pictures:
        four = zip(*covering(model, words, picture, generator), strict=True)
        for word, values in zip(picture.english[0].split(), four, strict=False):  # not the end
            found[kind_of(word)].append(torch.stack(values))
    return {kind: torch.stack(rows).mean(dim=0).tolist() for kind, rows in found.items() if rows}
