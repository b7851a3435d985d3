"""The live figure of the chapter on names: the reader types one and sees it written in katakana."""

from collections.abc import Sequence

from matplotlib.figure import Figure
from torch import Tensor, nn

from rnnbook.data.names import MOST_LETTERS
from rnnbook.data.vocabulary import Vocabulary
from rnnbook.demos import page
from rnnbook.demos.weights import lstm_weights
from rnnbook.models.encoder_decoder import EncoderDecoder


def show(
    name: str,
    still: Figure,
    model: EncoderDecoder,
    letters: Vocabulary,
    kana: Vocabulary,
    examples: Sequence[str],
) -> None:
    """Show a field in which a name is typed, and the kana that the model writes for it.

    The figure opens with the first of `examples`; all of them are buttons. The two vocabularies
    have one sign (`rnnbook.data.words.SIGNS`). `name` and `still` are as in `page.show`. Raises
    `ValueError` for an example with a letter that is not known.
    """
    for example in examples:
        letters.encode(example)
    page.show(
        name,
        "names",
        still,
        weights=weights_of(model),
        letters="".join(letters.characters),
        kana="".join(kana.characters),
        examples=list(examples),
        longest=MOST_LETTERS,
    )


def weights_of(model: EncoderDecoder) -> dict[str, Tensor]:
    """The weights of the model as `encoder_decoder.js` names them, with or without attention."""
    found = {
        "read_embedding": model.read_embedding.weight,
        "write_embedding": model.write_embedding.weight,
        **linear("head", model.head),
    }
    layers = {
        "forwards": lstm_weights(model.encoder),
        "backwards": lstm_weights(model.encoder, "l0_reverse"),
        "decoder": lstm_weights(model.decoder),
    }
    for layer, parts in layers.items():
        found |= {f"{layer}.{part}": weight for part, weight in parts.items()}
    if model.attention:
        found |= linear("mix", model.mix)
        for part, layer in model.attention.named_children():
            found |= linear(f"attention.{part}", layer)
    return found


def linear(name: str, layer: nn.Linear) -> dict[str, Tensor]:
    """The matrix of a linear layer, and its bias if it has one."""
    bias = {} if layer.bias is None else {f"{name}_b": layer.bias}
    return {name: layer.weight, **bias}
