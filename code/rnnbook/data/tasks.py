"""Small made-up tasks, each of which needs one kind of memory and can have any length.

Signs are +1 or -1 with equal probability. Nothing is stored: a generator gives the sequences.
"""

import math

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from rnnbook.data.words import IGNORED


def signs(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Independent signs, +1.0 or -1.0."""
    return torch.randint(0, 2, shape, generator=generator) * 2.0 - 1


def first_sign(num_sequences: int, T: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Which sign came first? x (N, T, 1) are signs; y (N,) is 1 where the first is +1, else 0.

    The answer is needed T - 1 steps after it was seen; every step in between brings another sign.
    """
    x = signs((num_sequences, T, 1), generator)
    return x, (x[:, 0, 0] > 0).long()


SILENT, MINUS, PLUS = 0, 1, 2  # the answers of `store_and_recall`


def store_and_recall(
    num_sequences: int, T: int, generator: torch.Generator, rate: float = 0.1
) -> tuple[Tensor, Tensor]:
    """Store a sign when told to, say it when asked, and be silent otherwise.

    x (N, T, 3) holds at each step a sign, and two flags, 0 or 1: "store" and "recall". y (N, T)
    is SILENT (0), except where "recall" is 1: there it says which sign was stored last, MINUS
    (1) or PLUS (2). The first sign is always stored; each later step is a "store" or a "recall"
    with the probability `rate` each.
    """
    sign = signs((num_sequences, T), generator)
    store, recall, stored = last_stored(sign, generator, rate)
    x = torch.stack([sign, store.float(), recall.float()], dim=2)
    y = torch.where(recall, torch.where(stored > 0, PLUS, MINUS), SILENT)
    return x, y


def last_stored(
    values: Tensor, generator: torch.Generator, rate: float
) -> tuple[Tensor, Tensor, Tensor]:
    """When to store and when to recall values (N, T), and which was stored last: (N, T) each."""
    draw = torch.rand(values.shape, generator=generator)
    store = draw < rate
    store[:, 0] = True
    recall = (draw > 1 - rate) & ~store
    steps = torch.arange(values.shape[1]).expand(values.shape)
    last = torch.where(store, steps, 0).cummax(dim=1).values
    return store, recall, values.gather(1, last)


NUMBER_FLOOR = 1 / 3  # the mean squared error of the best answer that does not know it, 0


def store_a_number(
    num_sequences: int, T: int, generator: torch.Generator, rate: float = 0.1
) -> tuple[Tensor, Tensor]:
    """Store a number when told to, say it when asked, and say 0 otherwise.

    As `store_and_recall`, with numbers, uniform in [-1, 1), in place of signs: x (N, T, 3) holds
    at each step a number and the flags "store" and "recall", and y (N, T) is the number that was
    stored last where "recall" is 1, else 0.
    """
    number = torch.rand(num_sequences, T, generator=generator) * 2 - 1
    store, recall, stored = last_stored(number, generator, rate)
    y = torch.where(recall, stored, 0.0)
    return torch.stack([number, store.float(), recall.float()], dim=2), y


def adding(num_sequences: int, T: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Add the two numbers that are marked (after Hochreiter and Schmidhuber, 1997).

    x (N, T, 2) holds at each step a number, uniform in [0, 1), and a mark: 1 at one step of the
    first half and at one of the second half, else 0. y (N,) is the sum of the two marked numbers.
    The variance of y is 1/6: no answer that ignores the sequence has a smaller squared error on
    average.
    Raises `ValueError` if `T` is below 2.
    """
    if T < 2:
        raise ValueError(f"a sequence of {T} steps has no room for two marks; take 2 or more")
    numbers = torch.rand(num_sequences, T, generator=generator)
    first = torch.randint(T // 2, (num_sequences, 1), generator=generator)
    second = torch.randint(T // 2, T, (num_sequences, 1), generator=generator)
    marks = torch.zeros(num_sequences, T).scatter_(1, torch.cat([first, second], dim=1), 1.0)
    return torch.stack([numbers, marks], dim=2), (numbers * marks).sum(dim=1)


NUM_COPIED, NUM_SYMBOLS = 10, 8
BLANK, GO = 0, 9  # the symbols to copy are 1 to 8


def copying(num_sequences: int, T: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Repeat ten symbols after T steps without any (Arjovsky et al., 2016).

    x (N, T + 20, 10) is one-hot: ten symbols out of eight, T - 1 blanks, a sign to begin, ten
    blanks. y (N, T + 20) are the answers: blank, and in the last ten steps the ten symbols.
    Raises `ValueError` if `T` is below 1.
    """
    if T < 1:
        raise ValueError(f"the lag is {T}; it must be 1 or more")
    shape = (num_sequences, NUM_COPIED)
    symbols = torch.randint(1, NUM_SYMBOLS + 1, shape, generator=generator)
    ids = torch.full((num_sequences, T + 2 * NUM_COPIED), BLANK)
    y = ids.clone()
    ids[:, :NUM_COPIED] = symbols
    ids[:, T + NUM_COPIED - 1] = GO
    y[:, -NUM_COPIED:] = symbols
    return one_hot(ids, NUM_SYMBOLS + 2).float(), y


def copying_floor(T: int) -> float:
    """The mean loss per step, in nats, of the best answer that remembers no symbol of `copying`.

    It knows when to answer a blank; in each of the last ten steps, eight symbols are as likely.
    """
    return NUM_COPIED * math.log(NUM_SYMBOLS) / (T + 2 * NUM_COPIED)


NUM_LETTERS, NUM_DIGITS = 26, 10
DIGITS = NUM_LETTERS  # the ids of letters are 0 to 25, those of digits 26 to 35


def associative_recall(
    num_sequences: int, pairs: int, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Read letters with their digits; then say the digit of each letter (after Ba et al., 2016).

    The ids x (N, 3 · pairs) are a letter and its digit, `pairs` times, no letter twice; then the
    same letters once more, in a random order, without digits. y (N, 3 · pairs) is the id of the
    digit at each of the letters that are asked for, and `IGNORED` before.
    Raises `ValueError` if `pairs` is below 1 or above 26.
    """
    if not 1 <= pairs <= NUM_LETTERS:
        raise ValueError(f"{pairs} pairs: there must be 1 to {NUM_LETTERS}, as no letter is twice")

    def shuffled(count: int) -> Tensor:
        return torch.rand(num_sequences, count, generator=generator).argsort(dim=1)

    letters = shuffled(NUM_LETTERS)[:, :pairs]
    digits = DIGITS + torch.randint(NUM_DIGITS, (num_sequences, pairs), generator=generator)
    order = shuffled(pairs)
    read = torch.stack([letters, digits], dim=2).flatten(1)
    x = torch.cat([read, letters.gather(1, order)], dim=1)
    y = torch.cat([torch.full_like(read, IGNORED), digits.gather(1, order)], dim=1)
    return x, y
