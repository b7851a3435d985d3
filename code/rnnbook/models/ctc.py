"""Connectionist temporal classification (Graves et al., 2006), by hand.

A model says for each of T frames how likely each sign is, the blank (0) among them. An *alignment*
has a sign for each frame; it says the text that is left when signs that repeat are written once and
blanks are dropped. The probability of a text is the sum over all alignments that say it.
`torch.nn.functional.ctc_loss` computes the same, for many texts at once.
"""

import torch
from torch import Tensor

from rnnbook.data.speech import BLANK


def log_probability(log_p: Tensor, text: list[int]) -> Tensor:
    """The logarithm of the probability of a text, from log probabilities log_p (T, V), T ≥ 1.

    It is -inf for a text that does not fit into T frames. Made to be read: its gradient is no
    number where nothing leads to a row yet, so train with `ctc_loss`.
    """
    signs = [BLANK]
    for sign in text:
        signs += [sign, BLANK]  # a blank may stand between any two
    skip = [s >= 2 and signs[s] not in (BLANK, signs[s - 2]) for s in range(len(signs))]
    may_skip = torch.tensor(skip)  # the blank between two that differ
    a = log_p.new_full((len(signs),), -torch.inf)  # of all beginnings of alignments that are here
    a[:2] = log_p[0, signs[:2]]
    for row in log_p[1:]:
        one, two = shifted(a, 1), shifted(a, 2).where(may_skip, -torch.inf)
        a = torch.stack([a, one, two]).logsumexp(dim=0) + row[signs]
    return a[-2:].logsumexp(dim=0)  # it ends with the last sign, or with a blank behind it


def shifted(a: Tensor, n: int) -> Tensor:
    """The entries of a (S,), n places later; -inf comes in."""
    return torch.cat([a.new_full((n,), -torch.inf), a])[: len(a)]
