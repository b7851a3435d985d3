"""A live figure in which a network says what it sees, word by word, in two languages."""

import base64
import copy
from collections.abc import Sequence
from typing import Any

import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from rnnbook.data.picture_captions import LANGUAGES
from rnnbook.data.picture_gallery import Picture
from rnnbook.data.vocabulary import Vocabulary
from rnnbook.demos import figure as page
from rnnbook.demos.weights import linear, lstm_weights
from rnnbook.models.pictures import Captioner


def show(
    name: str,
    still: Figure,
    model: Captioner,
    vocabulary: Vocabulary,
    pictures: Sequence[Picture],
) -> None:
    """Show pictures to choose from, and what the model says of the one that is chosen.

    The figure opens with the first of `pictures`. `name` and `still` are as in `page.show`. Raises
    `ValueError` for a model that does not speak both languages, that begins with the whole picture,
    or that does not know as many words as the vocabulary.
    """
    settings = settings_of(model, vocabulary, pictures)
    page.show(name, "pictures", still, weights=weights_of(model), **settings)


def settings_of(
    model: Captioner, vocabulary: Vocabulary, pictures: Sequence[Picture]
) -> dict[str, Any]:
    """What the program reads beside the weights."""
    if model.language.num_embeddings != len(LANGUAGES) or model.whole:
        raise ValueError("the figure needs a model of both languages, without `whole`")
    if model.head.out_features != len(vocabulary):
        raise ValueError(
            f"the model knows {model.head.out_features} words, the vocabulary {len(vocabulary)}"
        )
    return {
        "words": vocabulary.characters,
        "heads": model.heads,
        "pictures": [encode(picture) for picture in pictures],
    }


def encode(picture: Picture) -> dict[str, Any]:
    """A picture as the page keeps it: its pixels one by one, each red, green and blue."""
    pixels = picture.pixels.permute(1, 2, 0).contiguous().numpy().tobytes()
    captions = {code: getattr(picture, one.name) for code, one in LANGUAGES.items()}
    return {"pixels": base64.b64encode(pixels).decode(), "captions": captions}


def weights_of(model: Captioner) -> dict[str, Tensor]:
    """The weights of a model as `captioner.js` names them: a convolution is a matrix there."""
    model = folded(model)
    found = {
        "position": model.position,
        "embedding": model.embedding.weight,
        "language": model.language.weight,
        **lstm_weights(model.decoder),
    }
    for i in range(0, len(model.encoder), 3):
        found[f"encoder.{i // 3}"] = model.encoder[i].weight.flatten(1)
        found[f"encoder.{i // 3}_b"] = model.encoder[i + 1].bias
    for part in ("query", "found", "said", "head"):
        found |= linear(part, getattr(model, part))
    return found


@torch.no_grad()
def folded(model: Captioner) -> Captioner:
    """A copy that says the same, whose batch normalisation only adds its bias.

    In evaluation mode it multiplies each channel and adds to it; the factors can as well be in the
    weights of the convolution before it.
    """
    model = copy.deepcopy(model).eval()
    for i in range(0, len(model.encoder), 3):
        convolution, norm = model.encoder[i], model.encoder[i + 1]
        factor = norm.weight / (norm.running_var + norm.eps).sqrt()
        convolution.weight.mul_(factor[:, None, None, None])
        norm.bias.sub_(norm.running_mean * factor)
        nn.init.ones_(norm.weight)
        norm.running_mean.zero_()
        norm.running_var.fill_(1 - norm.eps)
    return model
