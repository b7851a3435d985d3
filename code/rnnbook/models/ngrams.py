"""Models of text that only count: how often did a character come after the few before it?"""

import numpy as np


def ngram_losses(
    train: np.ndarray, other: np.ndarray, V: int, m: float, max_order: int = 10
) -> list[float]:
    """The losses on `other` of the models of order 0, 1, …, after counting in `train`.

    In nats per character; the arguments are those of `ngram_probabilities`.
    """
    p = ngram_probabilities(train, other, V, m, max_order)
    return (-np.log(p).mean(axis=1)).tolist()


def ngram_probabilities(
    train: np.ndarray, other: np.ndarray, V: int, m: float, max_order: int = 10
) -> np.ndarray:
    """What the models of order 0, 1, …, `max_order` give to each character of `other` (N,).

    An array (max_order + 1, N). Both texts are numbers below V; the first contexts of `other`
    reach back into the end of `train`. Each order is mixed with the next lower one, as if m more
    characters had been seen in its proportions (MacKay and Peto, 1995).
    """
    text = np.concatenate([train[-max_order:], other])  # so that other begins with a context
    p = [np.full(len(other), 1 / V)]
    seen = len(train)  # how often the context was seen; at first it is empty
    for n in range(1, max_order + 1):
        window = text[max_order - n + 1 :]  # its n-grams end at other's characters
        counts = np.unique(as_numbers(train, n, V), return_counts=True)
        p.append((look_up(counts, as_numbers(window, n, V)) + m * p[-1]) / (seen + m))
        contexts = text[max_order - n :][: len(other) + n - 1]
        followed = np.unique(as_numbers(train[:-1], n, V), return_counts=True)
        seen = look_up(followed, as_numbers(contexts, n, V))
    return np.stack(p)


def as_numbers(ids: np.ndarray, n: int, V: int) -> np.ndarray:
    """Every n ids in a row of ids (N,), as one number with n digits in base V: (N - n + 1,).

    Raises `ValueError` where the numbers would be too large for 64 bits.
    """
    if V**n > 2**63:
        raise ValueError(f"{n} characters of {V} in a row cannot be counted; lower max_order")
    ids = ids.astype(np.int64)
    return sum(ids[k : len(ids) - n + 1 + k] * V ** (n - 1 - k) for k in range(n))


def look_up(counts: tuple[np.ndarray, np.ndarray], numbers: np.ndarray) -> np.ndarray:
    """How often each of the numbers has been counted; `counts` is what `np.unique` returns."""
    known, how_often = counts
    at = np.searchsorted(known, numbers).clip(max=len(known) - 1)
    return np.where(known[at] == numbers, how_often[at], 0)
