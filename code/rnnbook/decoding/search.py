"""Choosing an answer from a model that writes one character at a time: greedy, beam, sampling.

All take the same steps. A model has `encode(source, lengths)`, which returns a memory;
`start(memory)`, the first state; and `step(previous (N,), state, memory)`, which returns logits
(N, V) and the next state, as `rnnbook.models.encoder_decoder` does. A state is a tuple of tensors,
whose first dimension counts the rows, so that rows can be put into another order.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from rnnbook.decoding.sampling import draw
from rnnbook.errors import BookError
from rnnbook.models.encoder_decoder import END, START

Choose = Callable[[Tensor], Tensor]  # from the logits (B, V) of a step to its characters (B,)


class Answer(NamedTuple):
    """What a model has written."""

    ids: list[int]  # without END
    log_probability: float  # its logarithm, END included, in nats
    ended: bool  # False where it was cut off


def greedy(model: nn.Module, source: Tensor, lengths: Tensor, longest: int = 24) -> list[Answer]:
    """For each row of source (B, S), the answer of the likeliest character at each step."""
    return decode(model, source, lengths, longest, lambda logits: logits.argmax(dim=-1))


def sample(
    model: nn.Module,
    source: Tensor,
    lengths: Tensor,
    longest: int = 24,
    *,
    temperature: float = 1.0,
    seed: int = 0,
) -> list[Answer]:
    """For each row of source (B, S), an answer drawn at a temperature, as `draw` explains.

    The logarithm of its probability is that of the model itself, at the temperature 1.
    """
    generator = torch.Generator().manual_seed(seed)

    def choose(logits: Tensor) -> Tensor:
        return draw(logits.cpu(), temperature, None, generator)[:, 0].to(logits.device)

    return decode(model, source, lengths, longest, choose)


@torch.no_grad()
def decode(
    model: nn.Module, source: Tensor, lengths: Tensor, longest: int, choose: Choose
) -> list[Answer]:
    """Write an answer for each row of source (B, S), at most `longest` characters, END included."""
    model.eval()
    memory = model.encode(source, lengths)
    state = model.start(memory)
    written = torch.full((len(source), 1), START, device=source.device)
    score = torch.zeros(len(source), device=source.device)
    ended = torch.zeros_like(score, dtype=torch.bool)
    while written.shape[1] <= longest and not ended.all():
        logits, state = model.step(written[:, -1], state, memory)
        chosen = choose(logits).masked_fill(ended, END)
        gain = logits.log_softmax(dim=1).gather(1, chosen[:, None])[:, 0]
        score = score + gain.masked_fill(ended, 0)
        written = torch.cat([written, chosen[:, None]], dim=1)
        ended = ended | (chosen == END)
    return answers(written, score, ended)


@torch.no_grad()
def beam(
    model: nn.Module,
    source: Tensor,
    lengths: Tensor,
    longest: int = 24,
    *,
    width: int = 4,
    power: float = 0.0,
) -> list[list[Answer]]:
    """For each row of source (B, S), at most `width` answers that a beam search finds, best first.

    After each step the best `width` of all continuations are kept (Lowerre, 1976); an answer that
    has ended stays among them as it is. The best have the highest log probability, divided by the
    number of characters, END included, to the `power`: 0 prefers short answers, 1 compares means.
    Raises `ValueError` unless `width` is 1 or more, and `BookError` where the numbers of the model
    overflow, so that there is no best answer.
    """
    if width < 1:
        raise ValueError(f"the width of the beam is {width}; it must be 1 or more")
    model.eval()
    N, device = len(source) * width, source.device  # a row for each hypothesis
    memory = model.encode(*(part.repeat_interleave(width, dim=0) for part in (source, lengths)))
    state, written = model.start(memory), torch.full((N, 1), START, device=device)
    score = torch.zeros(N, device=device)
    score.view(-1, width)[:, 1:] = -torch.inf  # at first they are the same: only one goes on
    ended, count = torch.zeros(N, dtype=torch.bool, device=device), torch.zeros(N, device=device)
    while written.shape[1] <= longest and not ended.all():
        logits, state = model.step(written[:, -1], state, memory)
        total = score[:, None] + gains(logits, ended)  # (N, V)
        count = count + ~ended
        parent, chosen = best(total / count[:, None] ** power, width)  # (N,) each
        score, count = total[parent, chosen], count[parent]
        written = torch.cat([written[parent], chosen[:, None]], dim=1)
        ended = ended[parent] | (chosen == END)
        state = tuple(part[parent] for part in state)
    found = answers(written, score, ended)
    ranked = [
        [answer for answer in found[i : i + width] if answer.log_probability > -torch.inf]
        for i in range(0, N, width)
    ]
    if not all(ranked):  # none is more probable than another, or than nothing
        raise BookError("the model gives no probabilities, its numbers overflow; train it again")
    return ranked


def complete_first(ranked: list[Answer]) -> list[Answer]:
    """Answers that have ended before those that were cut off, both in the order that they have.

    What was cut off has not paid for its end, and so would be ranked too high.
    """
    return sorted(ranked, key=lambda answer: not answer.ended)


def gains(logits: Tensor, ended: Tensor) -> Tensor:
    """What each character would add to the log probability of each hypothesis: (N, V).

    One that has ended can only be what it is: END adds 0 to it, and nothing else is possible.
    """
    only_end = torch.full_like(logits[0], -torch.inf)
    only_end[END] = 0
    return torch.where(ended[:, None], only_end, logits.log_softmax(dim=1))


def best(scores: Tensor, width: int) -> tuple[Tensor, Tensor]:
    """The best `width` of all continuations of each source, from their scores (N, V).

    Returns which hypothesis each goes on from, and with which character: (N,) both, best first.
    """
    V = scores.shape[1]
    place = scores.view(-1, width * V).topk(width).indices  # (B, width)
    first = torch.arange(0, len(scores), width, device=scores.device)[:, None]  # of each source
    return (first + place // V).flatten(), (place % V).flatten()


def answers(written: Tensor, score: Tensor, ended: Tensor) -> list[Answer]:
    """The answers in written (N, 1 + T), which begins with START; after END there is only END."""
    texts = ([i for i in row if i != END] for row in written.tolist())
    return list(map(Answer, texts, score.tolist(), ended.tolist()))
