"""Live figures for the tests, each of a small model."""

import torch
from torch import nn

from picture_examples import WORDS, small_describer, some_pictures
from rnnbook.data.speech import Recording
from rnnbook.data.vocabulary import Vocabulary
from rnnbook.data.words import SIGNS
from rnnbook.demos import kanji, names, pictures, speech
from rnnbook.demos.figure import Demo
from rnnbook.demos.weights import lstm_weights, quantised
from rnnbook.layers.attention import DotProductAttention
from rnnbook.layers.initialisation import set_forget_bias
from rnnbook.models.encoder_decoder import EncoderDecoder
from rnnbook.models.kanji import Pen
from rnnbook.models.recurrent import CharacterModel, SequenceClassifier
from rnnbook.models.speech import FrameReader
from rnnbook.models.transformer_pair import TransformerPair

CHARACTERS = "\n !,.:;ABCDEFGHIabcdefghijklmnopqrstuvwxyz"
STILL = "<svg xmlns='http://www.w3.org/2000/svg'/>"


def demo(kind: str, weights=None, **settings) -> Demo:
    return Demo(kind, STILL, weights, settings)


def trainer(lag=6, steps=150) -> Demo:
    return demo("trainer", lag=lag, units=16, forget_bias=3.0, lr=0.003, steps=steps)


def character_model(units=24):
    torch.manual_seed(0)
    layer = set_forget_bias(nn.LSTM(8, units, batch_first=True))
    return quantised(CharacterModel(layer, len(CHARACTERS)))


def writer(model=None, characters=CHARACTERS, **settings) -> Demo:
    model = model or character_model()
    weights = {"embedding": model.embedding.weight, **lstm_weights(model.layer)}
    weights |= {"head": model.head.weight, "head_b": model.head.bias}
    return demo("writer", weights, **{"characters": characters, "prompt": "ABC", **settings})


def digit_model():
    torch.manual_seed(0)
    model = SequenceClassifier(nn.LSTM(28, 16, batch_first=True), 10)
    with torch.no_grad():
        model.head.weight.mul_(20)  # or each digit would be as likely as any other
    return quantised(model)


def digits(model=None, examples=2) -> Demo:
    model = model or digit_model()
    weights = {**lstm_weights(model.layer), "head": model.head.weight, "head_b": model.head.bias}
    image = "A" * 1046 + "=="  # 784 zeros in base64
    image = "/" * 520 + image[520:]
    return demo("digits", weights, examples=[image] * examples, labels=[5] * examples)


LETTERS, KANA = Vocabulary("'-abcdefghijklmnopqrstuvwxyz", SIGNS), Vocabulary("アイウエオン", SIGNS)


def names_model():
    """A model that is surer than an untrained one, and writes several kana, but not too many."""
    torch.manual_seed(134)
    model = EncoderDecoder(len(LETTERS), len(KANA), 6, 12).eval()
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(3)
    return quantised(model)


def name_writer(model=None, examples=("anna", "bo")) -> Demo:
    settings = names.words(LETTERS.characters, KANA.characters, examples)
    return demo("names", names.weights_of(model or names_model()), **settings)


def looking_model(heads=0):
    """A model with attention; with heads, a transformer that has so many in each layer."""
    torch.manual_seed(85 if heads else 244)  # these end their answers
    if heads:
        model = TransformerPair(len(LETTERS), len(KANA), 8, 2, heads).eval()
    else:
        model = EncoderDecoder(len(LETTERS), len(KANA), 6, 12, DotProductAttention).eval()
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(3)
    return quantised(model)


def aligner(model=None, heads=0, examples=("anna", "bo")) -> Demo:
    settings = names.words(LETTERS.characters, KANA.characters, examples)
    weights = names.weights_of(model or looking_model(heads))
    return demo("alignment", weights, **settings, heads=heads)


def frame_readers() -> tuple[FrameReader, FrameReader]:
    """Two small networks over frames, in one direction and in both, that hear something."""
    found = []
    for seed, both_ways in ((3, False), (5, True)):
        torch.manual_seed(seed)
        model = FrameReader(13, 8, 11, 2, both_ways).eval()
        with torch.no_grad():
            for weight in model.parameters():
                weight.mul_(4)
        found.append(quantised(model))
    return tuple(found)


def recordings() -> list[Recording]:
    """Two of each digit, of five to nine frames, which 8 bits keep as they are."""
    generator = torch.Generator().manual_seed(0)
    frames = [torch.randint(-40, 41, (5 + k % 5, 13), generator=generator) for k in range(20)]
    return [Recording(some / speech.SCALE, k // 2) for k, some in enumerate(frames)]


def listener(networks=None, opening="407") -> Demo:
    one, both = networks or frame_readers()
    weights = speech.weights_of("one", one) | speech.weights_of("both", both)
    settings = speech.settings_of(recordings(), opening, loudness())
    return demo("speech", weights, **settings)


def loudness() -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and standard deviation of each coefficient, about as in the recordings of the book."""
    mean, spread = torch.full((13,), -10.0), torch.full((13,), 20.0)
    mean[0], spread[0] = -300, 140
    return mean, spread


PART = (((20.0, 30.0), (60.0, 30.0)), ((40.0, 10.0), (40.0, 90.0), (50.0, 85.0)))


def small_pen():
    """A pen that ends neither at once nor never, and expects several things."""
    torch.manual_seed(2)
    model = Pen(3, 8).eval()
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(2)
        model.head.bias[-3:] = torch.tensor([1.0, 0.0, -1.0])
    return quantised(model)


def pen_writer(model=None, temperature=0.5) -> Demo:
    weights = kanji.weights_of(model or small_pen())
    return demo("kanji", weights, beginnings={"十": PART}, temperature=temperature)


def seer(model=None) -> Demo:
    model = model or small_describer()
    settings = pictures.settings_of(model, WORDS, some_pictures())
    return demo("pictures", pictures.weights_of(model), **settings)


ALL = {
    "alignment": aligner,
    "digits": digits,
    "gates": lambda: demo("gates"),
    "gradient": lambda: demo("gradient"),
    "kanji": pen_writer,
    "names": name_writer,
    "pictures": seer,
    "speech": listener,
    "trainer": trainer,
    "writer": writer,
}


def stop_the_clock(page) -> None:
    page.clock.install(time=0)
    page.clock.pause_at(60_000)
