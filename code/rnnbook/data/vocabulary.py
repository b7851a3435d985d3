"""From characters to integers and back."""

from collections.abc import Iterable, Sequence

import torch


class Vocabulary:
    """The characters, or words, that a model knows, each with a number from 0.

    `Vocabulary("hello")` knows `e h l o`, in this order. The first `signs` numbers are left free
    for signs that are no characters, such as one for the end; `decode` passes over them.
    """

    def __init__(self, characters: Iterable[str], signs: int = 0):
        self.characters, self.signs = sorted(set(characters)), signs
        self._ids = {character: i for i, character in enumerate(self.characters, signs)}

    def __len__(self) -> int:
        return self.signs + len(self.characters)

    def encode(self, text: Sequence[str]) -> torch.Tensor:
        """The numbers of the characters of `text`, or of a list of words: int64, (len(text),).

        Raises `ValueError`, naming them, when `text` holds characters that are not known.
        """
        if unknown := sorted(set(text) - set(self._ids)):
            names = ", ".join(map(repr, unknown))
            known = repr("".join(self.characters[:100])) + (
                " and others" if len(self.characters) > 100 else ""
            )
            raise ValueError(
                f"the vocabulary does not know {names}; "
                f"it knows {len(self.characters)} characters: {known}"
            )
        return torch.tensor([self._ids[character] for character in text], dtype=torch.long)

    def decode(self, ids: Iterable[int] | torch.Tensor) -> str:
        """The text that `encode` would turn into `ids`, or into what they hold beside signs."""
        return "".join(self.parts(ids))

    def parts(self, ids: Iterable[int] | torch.Tensor) -> list[str]:
        """The characters, or words, with the numbers `ids`, without signs."""
        ids = (int(i) - self.signs for i in ids)
        return [self.characters[i] for i in ids if i >= 0]
