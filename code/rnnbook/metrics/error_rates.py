"""How good written answers are, where each question has one right answer or several.

All take a sequence of answers and, of the same length, a sequence of references, each of these a
sequence of all the answers that are right. Raises `ValueError` when the lengths differ.
"""

import re
from collections.abc import Sequence

from rnnbook.extras import needs

with needs("scores"):
    from rapidfuzz.distance import Levenshtein

References = Sequence[Sequence[str]]
VARIANTS = str.maketrans({"ー": "", "ッ": "", "ヷ": "バ", "ヸ": "ビ", "ヹ": "ベ", "ヺ": "ボ"})
# ヴァ is an older バ, and so on
BA_BI_BE_BO: dict[str, str] = dict(zip("ァィェォ", "バビベボ", strict=True))


def exact(answers: Sequence[str], references: References) -> float:
    """The share of answers that are right."""
    return among_first([[answer] for answer in answers], references, 1)


def among_first(ranked: Sequence[Sequence[str]], references: References, n: int) -> float:
    """The share of questions for which one of the first n answers, best first, is right."""
    pairs = list(zip(ranked, references, strict=True))
    return sum(not set(right).isdisjoint(answers[:n]) for answers, right in pairs) / len(pairs)


def character_error_rate(answers: Sequence[str], references: References) -> float:
    """How many characters have to be inserted, removed or replaced, for each character wanted.

    That is the sum of the edit distances (Levenshtein, 1966) to the nearest reference, divided by
    the sum of the lengths of these. It can be above 1.
    """
    distances, wanted = 0, 0
    for answer, right in zip(answers, references, strict=True):
        distance, length = min((Levenshtein.distance(answer, one), len(one)) for one in right)
        distances, wanted = distances + distance, wanted + length
    return distances / wanted


def without_variants(kana: str) -> str:
    """Katakana in which spellings that writers choose between are the same.

    Long vowels (ー) and double consonants (ッ) are left out; ヴァ, ヴィ and so on are バ, ビ.
    """
    kana = re.sub("ヴ([ァィェォ])", lambda found: BA_BI_BE_BO[found[1]], kana.translate(VARIANTS))
    return kana.replace("ヴュ", "ビュ").replace("ヴ", "ブ")


def exact_but_for_variants(answers: Sequence[str], references: References) -> float:
    """The share of answers that are right, up to `without_variants`."""
    folded = [list(map(without_variants, right)) for right in references]
    return exact(list(map(without_variants, answers)), folded)
