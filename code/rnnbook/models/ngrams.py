"""Models of text that only count: how often did a character come after the few before it?

Counts of long contexts are rare, so each order is mixed with the one below: interpolated modified
Kneser-Ney smoothing (Kneser and Ney, 1995; Chen and Goodman, 1999).
"""

import numpy as np

USUAL_DISCOUNT = 0.75  # where a text has too few rare counts to estimate one

Counts = tuple[np.ndarray, np.ndarray]  # n-grams as numbers, in order; how often each was counted


def ngram_losses(train: np.ndarray, other: np.ndarray, V: int, max_order: int = 9) -> list[float]:
    """The losses on `other` of the models of order 0, 1, …, after counting in `train`.

    In nats per character; the arguments, and what is refused, are as in `ngram_probabilities`.
    """
    return (-np.log(ngram_probabilities(train, other, V, max_order)).mean(axis=1)).tolist()


def ngram_probabilities(
    train: np.ndarray, other: np.ndarray, V: int, max_order: int = 9
) -> np.ndarray:
    """What the models of order 0, 1, …, `max_order` give to each character of `other` (N,).

    An array (max_order + 1, N). Both texts are numbers below V; the first contexts of `other`
    reach back into the end of `train`. A model counts how often the n-grams of its own order
    occur; in the orders below, it counts after how many different characters they do.

    Raises `ValueError` where n-grams of the highest order are too many for numbers of 64 bits.
    """
    text = np.concatenate([train[-max_order:], other])  # so that other begins with a context
    below = np.full(len(other), 1 / V)
    p = [below]
    for n in range(1, max_order + 1):
        grams = as_numbers(text[max_order - n + 1 :], n, V)  # they end at other's characters
        p.append(mixed(np.unique(as_numbers(train, n, V), return_counts=True), grams, V, below))
        if n < max_order:
            longer = np.unique(as_numbers(train, n + 1, V))
            below = mixed(np.unique(longer % V**n, return_counts=True), grams, V, below)
    return np.stack(p)


def mixed(counts: Counts, grams: np.ndarray, V: int, below: np.ndarray) -> np.ndarray:
    """The probability of the last character of each of `grams` (N,), given those before it.

    Every count is lowered by a discount; what that saves, after a context, is shared out in the
    proportions of `below` (N,), the probabilities with the context shorter by one.
    """
    known, how_often = counts
    taken = discounts(how_often)[how_often.clip(max=3)]
    contexts, context = np.unique(known // V, return_inverse=True)
    seen = look_up((contexts, np.bincount(context, how_often)), grams // V)
    saved = look_up((contexts, np.bincount(context, taken)), grams // V)
    kept = look_up((known, how_often - taken), grams)
    return np.where(seen > 0, (kept + saved * below) / seen.clip(min=1), below)


def discounts(how_often: np.ndarray) -> np.ndarray:
    """What to take from a count of 0, 1, 2, and 3 or more: (4,), the first of them 0.

    Estimated from how many n-grams were counted once, twice, … (Chen and Goodman, 1999).
    """
    n = np.bincount(how_often.clip(max=5), minlength=6)
    y = n[1] / max(n[1] + 2 * n[2], 1)
    estimated = [k - (k + 1) * y * n[k + 1] / n[k] if n[k] else 0 for k in (1, 2, 3)]
    usual = [d if 0 < d < k else USUAL_DISCOUNT for k, d in enumerate(estimated, start=1)]
    return np.array([0.0, *usual])


def as_numbers(ids: np.ndarray, n: int, V: int) -> np.ndarray:
    """Every n ids in a row of ids (N,), as one number with n digits in base V: (N - n + 1,).

    Raises `ValueError` where the numbers would be too large for 64 bits.
    """
    if V**n > 2**63:
        raise ValueError(f"{n} characters of {V} in a row cannot be counted; lower max_order")
    ids = ids.astype(np.int64)
    digits = (ids[k : len(ids) - n + 1 + k] * V ** (n - 1 - k) for k in range(n))
    return sum(digits)  # pyrefly: ignore[bad-return]


def look_up(counts: Counts, numbers: np.ndarray) -> np.ndarray:
    """How often each of the numbers has been counted; 0 where it never was."""
    known, how_often = counts
    at = np.searchsorted(known, numbers).clip(max=len(known) - 1)
    return np.where(known[at] == numbers, how_often[at], 0)
