"""Letting a character model write."""

from collections.abc import Iterator
from itertools import islice

import torch
from torch import Tensor, nn

from rnnbook.data.vocabulary import Vocabulary


def stream(
    model: nn.Module,
    vocabulary: Vocabulary,
    prompt: str,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    seed: int = 0,
) -> Iterator[str]:
    """Yield the characters that follow `prompt`, one at a time, without end.

    The model maps ids (1, T) and a state to logits (1, T, V) and the next state, as does
    `rnnbook.models.recurrent.CharacterModel`, or an ensemble of them.

    Logits are divided by `temperature`; 0 means: always the most likely character. With `top_k`,
    only that many of the likeliest characters are drawn from (more, if some are equally likely).
    The same seed gives the same text. Leaves the model in evaluation mode.

    Raises `ValueError`, when the first character is asked for, if the prompt is empty or holds a
    character that the vocabulary does not know, the temperature is negative, or `top_k` below 1.
    """
    if not prompt:
        raise ValueError("the prompt is empty; give at least one character, such as a newline")
    generator = torch.Generator().manual_seed(seed)
    ids, state = vocabulary.encode(prompt), None
    device = next(model.parameters()).device
    model.eval()
    while True:
        with torch.no_grad():  # inside the loop: a generator must not leave it switched on
            logits, state = model(ids[None].to(device), state)  # (1, T, V)
        ids = draw(logits[0, -1].cpu(), temperature, top_k, generator)  # (1,)
        yield vocabulary.decode(ids)


def draw(
    logits: Tensor, temperature: float, top_k: int | None, generator: torch.Generator
) -> Tensor:
    """Draw one id, (1,), from logits (V,), or one a row, (B, 1), from (B, V); see `stream`."""
    if temperature < 0:
        raise ValueError(f"the temperature is {temperature}; it must be 0 or more")
    if top_k is not None and top_k < 1:
        raise ValueError(f"top_k is {top_k}; it must be 1 or more")
    if temperature == 0:
        return logits.argmax(dim=-1, keepdim=True)
    if top_k is not None:
        threshold = logits.topk(min(top_k, logits.shape[-1])).values[..., -1:]
        logits = logits.masked_fill(logits < threshold, -torch.inf)
    return torch.multinomial((logits / temperature).softmax(dim=-1), 1, generator=generator)


def sample(model: nn.Module, vocabulary: Vocabulary, prompt: str, length: int, **options) -> str:
    """`prompt` and the `length` characters that follow it. Takes the options of `stream`."""
    return prompt + "".join(islice(stream(model, vocabulary, prompt, **options), length))
