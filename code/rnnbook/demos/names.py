"""Live figures in which the reader types a name and sees it written in katakana."""

import unicodedata
from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure
from torch import Tensor

from rnnbook.data.names import MOST_LETTERS
from rnnbook.data.vocabulary import Vocabulary
from rnnbook.data.words import SIGNS
from rnnbook.demos import figure as page
from rnnbook.demos.weights import linear, lstm_weights
from rnnbook.models.encoder_decoder import EncoderDecoder
from rnnbook.models.transformer_pair import TransformerPair

HEPBURN = {"si": "shi", "ti": "chi", "tu": "tsu", "hu": "fu", "zi": "ji", "di": "ji", "du": "zu"}


def show(
    name: str,
    still: Figure,
    model: EncoderDecoder,
    letters: str,
    kana: str,
    examples: Sequence[str],
) -> None:
    """Show a field in which a name is typed, and the kana that the model writes for it.

    The figure opens with the first of `examples`; all of them are buttons. `letters` and `kana`
    are the characters that the model knows; `name` and `still` are as in `page.show`. Raises
    `ValueError` for an example with a letter that is not known, and for a model that reads letters
    with their `neighbours`.
    """
    settings = words(letters, kana, examples)
    page.show(name, "names", still, weights=weights_of(model), **settings)


def show_alignment(
    name: str,
    still: Figure,
    model: EncoderDecoder | TransformerPair,
    letters: str,
    kana: str,
    examples: Sequence[str],
) -> None:
    """Show a field in which a name is typed, and where the model looks at each kana.

    The model has attention. The rest is as in `show`.
    """
    heads = model.readers[0].attention.heads if isinstance(model, TransformerPair) else 0
    settings = words(letters, kana, examples) | {"heads": heads}
    page.show(name, "alignment", still, weights=weights_of(model), **settings)


def words(letters: str, kana: str, examples: Sequence[str]) -> dict[str, Any]:
    """What a figure has to know of the alphabets, and the names to try."""
    known, written = Vocabulary(letters, SIGNS), Vocabulary(kana, SIGNS)
    for example in examples:
        known.encode(example)
    return {
        "letters": "".join(known.characters),
        "kana": "".join(written.characters),
        "sounds": [sound(sign) for sign in written.characters],
        "examples": list(examples),
        "longest": MOST_LETTERS,
    }


def sound(kana: str) -> str:
    """How a kana is read, in Latin letters; empty for what only changes others, as ー and ッ do.

    The names in Unicode are sounds ("KATAKANA LETTER SMALL YA"), in a spelling that is turned
    into the commoner one, Hepburn's.
    """
    kind, _, letters = unicodedata.name(kana, "").lower().rpartition(" ")
    is_sound = kind.startswith("katakana letter") and kana != "ッ"
    return HEPBURN.get(letters, letters) if is_sound else ""


def weights_of(model: EncoderDecoder | TransformerPair) -> dict[str, Tensor]:
    """The weights of a model as `encoder_decoder.js` or `transformer_pair.js` names them.

    Raises `ValueError` for a model with `neighbours`, whose convolution is not in these programs.
    """
    if isinstance(model, TransformerPair):
        return dict(model.named_parameters())
    if model.neighbours:
        raise ValueError("the figure needs a model without `neighbours`")
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
