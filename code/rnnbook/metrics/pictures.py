"""How good captions are, where a picture has one right caption or several.

The measures take captions and, of the same number, references: for each caption all that are
right. They raise `ValueError` when the numbers differ. `rnnbook.metrics.error_rates.exact` is the
strictest. A measure must be read beside what costs nothing: `best_constant`, `nearest`.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch

from rnnbook.data.picture_captions import Language, tones, without_tones
from rnnbook.data.picture_gallery import Picture
from rnnbook.extras import needs
from rnnbook.metrics.error_rates import References, exact

Split = Callable[[str], Sequence[str]]


def f1(caption: str, reference: str, split: Split = str.split) -> float:
    """How much two captions share: 2 n / (a + b), where n of their a and b words are the same.

    Words are counted as often as they come, in any order. This is the harmonic mean of the shares
    n / a and n / b. Two empty captions are the same: 1. With `split=list` characters are compared.
    """
    a, b = Counter(split(caption)), Counter(split(reference))
    both = a.total() + b.total()
    return 2 * (a & b).total() / both if both else 1.0


def word_f1(captions: Sequence[str], references: References, split: Split = str.split) -> float:
    """The mean `f1` of captions, each with that of its references that suits it best."""
    best = [
        max(f1(caption, one, split) for one in right)
        for caption, right in zip(captions, references, strict=True)
    ]
    return sum(best) / len(best)


def without_tones_f1(
    captions: Sequence[str], references: References, split: Split = str.split
) -> float:
    """`word_f1` of what is left of all captions without their skin tones."""
    return word_f1(*_folded(captions, references), split)


def exact_without_tones(captions: Sequence[str], references: References) -> float:
    """The share of captions that are right but for skin tones."""
    return exact(*_folded(captions, references))


def tones_right(captions: Sequence[str], references: References) -> float:
    """The share of captions with the right skin tones, in the right order, or rightly with none."""
    pairs = zip(captions, references, strict=True)
    return sum(tones(one) in map(tones, right) for one, right in pairs) / len(captions)


def bleu(captions: Sequence[str], references: References) -> float:
    """The BLEU of all English captions together, 0 to 1 (Papineni et al., 2002), by `sacrebleu`.

    Of runs of one to four words the share that is in a reference; their geometric mean, lower
    where captions are too short. Words are taken as they are.
    """
    if len(captions) != len(references):
        raise ValueError(f"{len(captions)} captions and {len(references)} references")
    most = max(map(len, references))
    columns: Any = [[r[i] if i < len(r) else None for r in references] for i in range(most)]
    with needs("scores"):
        from sacrebleu.metrics import BLEU
    return BLEU(tokenize="none").corpus_score(list(captions), columns).score / 100


def _folded(captions: Sequence[str], references: References) -> tuple[list[str], References]:
    return list(map(without_tones, captions)), [list(map(without_tones, r)) for r in references]


def captions_of(pictures: Iterable[Picture], language: Language) -> list[tuple[str, ...]]:
    """All right captions of each picture, in a language: the references."""
    return [getattr(picture, language.name) for picture in pictures]


def best_constant(captions: References, split: Split = str.split) -> str:
    """The caption that, given to every picture, has the greatest mean `f1` with these captions.

    It is one of them. A picture with several captions counts with its first.
    """
    firsts = Counter(right[0] for right in captions)
    candidates = sorted(firsts)
    bags = [Counter(split(one)) for one in candidates]
    words = sorted({word for bag in bags for word in bag})
    counts = torch.tensor([[bag[word] for word in words] for bag in bags])  # (C, words)
    sizes, often = counts.sum(1), torch.tensor([firsts[one] for one in candidates])
    totals = [
        (often * 2 * torch.minimum(row, counts).sum(1) / (size + sizes)).sum().item()
        for row, size in zip(counts, sizes, strict=True)
    ]
    return candidates[totals.index(max(totals))]


def nearest(pictures: Sequence[Picture], known: Sequence[Picture], language: Language) -> list[str]:
    """For each picture the first caption of the known one whose pixels differ least (squares)."""
    rows, columns = (
        torch.stack([one.pixels for one in some]).flatten(1) for some in (pictures, known)
    )
    places = torch.cdist(rows.float(), columns.float()).argmin(dim=1)
    return [getattr(known[i], language.name)[0] for i in places.tolist()]
