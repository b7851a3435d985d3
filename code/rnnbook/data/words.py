"""Words as rows of numbers: what an encoder reads and a decoder is to write."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from rnnbook.data.vocabulary import Vocabulary

SIGNS = 1  # the number 0 is no character: it is padding, and begins and ends an answer
IGNORED = -100  # in place of an answer where there is none; PyTorch's losses pass over it


def encode_words(words: Sequence[str], vocabulary: Vocabulary) -> tuple[Tensor, Tensor]:
    """The ids of words (N, S), behind each word 0, and their lengths (N,).

    The vocabulary must have been made with `signs=SIGNS`. Raises `ValueError` for a word that is
    empty or holds a character that the vocabulary does not know.
    """
    if "" in words:
        raise ValueError(f"word {words.index('') + 1} of {len(words)} is empty")
    ids = [vocabulary.encode(word) for word in words]
    return pad_sequence(ids, batch_first=True), torch.tensor([len(word) for word in words])


def teacher_forced(ids: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
    """What a decoder is given at each step, and what it is to answer: (N, T + 1) both.

    From the ids of answers (N, T) with lengths (N,). It is given 0, the sign to start, and the
    answer; it is to answer the answer and 0, the sign to end. Behind that is `IGNORED`.
    """
    zero = ids.new_zeros(len(ids), 1)
    previous, y = torch.cat([zero, ids], dim=1), torch.cat([ids, zero], dim=1)
    behind = torch.arange(y.shape[1]) > lengths[:, None]
    return previous, y.masked_fill(behind, IGNORED)


def encode_pairs(
    pairs: Iterable[tuple[str, Sequence[str]]], letters: str, kana: str
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The ids of words (N, S) with lengths (N,), and of their readings (N, T) with lengths (N,).

    `pairs` are words and their readings, such as `rnnbook.data.pairs.Name`; a word with several
    readings has a row for each. `letters` and `kana` are the characters of both.
    """
    flat = [(word, reading) for word, readings in pairs for reading in readings]
    words, readings = zip(*flat, strict=True)
    return (
        *encode_words(words, Vocabulary(letters, SIGNS)),
        *encode_words(readings, Vocabulary(kana, SIGNS)),
    )
