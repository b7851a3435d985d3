"""Shakespeare's text as numbers, for models that read characters."""

from torch import Tensor

from rnnbook.data.shakespeare import load_rebuilt
from rnnbook.data.vocabulary import Vocabulary


def load_ids() -> tuple[Tensor, Tensor, int]:
    """The rebuilt text as numbers: for training, for validation; and the size of the vocabulary."""
    text = load_rebuilt()
    vocabulary = Vocabulary(text.text)
    return vocabulary.encode(text.train), vocabulary.encode(text.validation), len(vocabulary)
