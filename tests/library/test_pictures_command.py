"""`python -m rnnbook train pictures` and `describe`."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch
from PIL import Image

from rnnbook.cli import pictures
from rnnbook.data.picture_captions import ENGLISH, JAPANESE
from rnnbook.data.picture_file import read_picture
from rnnbook.data.picture_gallery import Gallery, Picture
from rnnbook.data.vocabulary import Vocabulary
from rnnbook.data.words import SIGNS
from rnnbook.decoding.pictures import Caption, describe, describe_carefully
from rnnbook.metrics.error_rates import exact
from rnnbook.metrics.pictures import captions_of, word_f1
from rnnbook.models.pictures import Captioner
from rnnbook.training import model_files
from rnnbook.training.recipes import all_recipes as recipes
from rnnbook.training.recipes.pictures import encode_captions, vocabulary_of

SHADES = {"light": "薄い", "medium": "中間の", "dark": "濃い"}


def made_up() -> Gallery:
    """Persons with tones, things and flags."""
    generator = torch.Generator().manual_seed(0)
    named = [("1F1E6-1F1E7", f"land {k}", f"国{k}") for k in range(60)]
    named += [("1F600", f"thing {k}", f"物{k}") for k in range(60)]
    for k in range(60):
        for person, japanese in (("man", "男"), ("woman", "女")):
            for shade, of_japanese in SHADES.items():
                english = f"{person} work {k} {shade} skin tone"
                named.append(("1F468", english, f"{japanese}仕{k}、{of_japanese}肌色"))
    return Gallery(
        tuple(
            Picture(
                f"{code}-{i:X}" if code == "1F468" else f"{code}-{0x1F1E6 + i:X}",
                torch.randint(256, (3, 40, 40), generator=generator, dtype=torch.uint8),
                (english,),
                (japanese,),
            )
            for i, (code, english, japanese) in enumerate(named)
        )
    )


KNOWN = made_up()


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch, one_thread):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(pictures, "load_pictures", lambda: KNOWN)
    network = partial(Captioner, languages=2, widths=(4, 6, 8), embedding_size=6, hidden_size=10)
    small = replace(recipes.RECIPES["pictures"](), network=network, epochs=2)
    monkeypatch.setitem(recipes.RECIPES, "pictures", lambda: small)


def untrained() -> tuple[Captioner, Vocabulary]:
    """A model that says something else of each picture, and its file."""
    vocabulary = vocabulary_of(KNOWN.train)
    model = recipes.RECIPES["pictures"]().model(len(vocabulary))
    with torch.no_grad():
        for p in model.parameters():
            p.mul_(4)
    path, settings = Path("runs/pictures.pt"), {"recipe": "pictures"}
    model_files.finish(path, settings, model, [vocabulary])
    return model.eval(), vocabulary


def test_train_follows_the_recipe_and_measures_the_saved_model_on_all_that_is_kept_apart(call):
    code, out, _ = call("train", "pictures", "--epochs", "1", "--seed", "3")
    recipe = replace(recipes.RECIPES["pictures"](), epochs=1, seed=3)
    vocabulary = vocabulary_of(KNOWN.train)
    expected = recipe.model(len(vocabulary))
    recipe.train(expected, encode_captions(KNOWN.train, vocabulary))
    model, (known,) = model_files.load_model(Path("runs/pictures.pt"), "pictures")
    assert code == 0 and (known.characters, known.signs) == (vocabulary.characters, SIGNS)
    assert all(map(torch.equal, model.state_dict().values(), expected.state_dict().values()))
    lines = []
    for what in ("combinations", "tones", "things", "flags"):
        some, parts = getattr(KNOWN.test, what), []
        pixels = torch.stack([one.pixels for one in some])
        for k, (short, language) in enumerate((("en", ENGLISH), ("ja", JAPANESE))):
            said = describe(model, vocabulary, pixels, language, k)
            right = captions_of(some, language)
            f1 = word_f1(said, right, language.split)
            parts.append(f"{short} {exact(said, right):.1%} exact, F1 {f1:.3f}")
        lines.append(f"{len(some)} new {what}: {', '.join(parts)}")
    assert out.splitlines()[-4:] == lines


def test_describe_says_what_is_in_each_picture_in_either_language(call):
    model, vocabulary = untrained()
    paths = ["one.png", "two.jpg"]
    Image.new("RGBA", (90, 60), (200, 30, 30, 255)).save(paths[0])
    KNOWN_PIXELS = KNOWN.pictures[3].pixels.permute(1, 2, 0).numpy()
    Image.fromarray(KNOWN_PIXELS).resize((200, 200)).save(paths[1])
    pixels = torch.stack([read_picture(Path(path)) for path in paths])
    for k, (short, language) in enumerate((("en", ENGLISH), ("ja", JAPANESE))):
        for more, width in ((("--beam", "3"), 3), ((), 4)):
            code, out, _ = call("describe", *paths, "--language", short, *more)
            said = describe_carefully(model, vocabulary, pixels, language, k, width)
            assert code == 0 and len(out.splitlines()) == 2
            for path, (text, probability), line in zip(paths, said, out.splitlines(), strict=True):
                assert line.startswith(f"{path}: ")
                assert line.endswith(f" {text} ({probability:.1%})")


def test_describe_says_when_it_is_not_sure(call, monkeypatch):
    untrained()
    said = [Caption("red cat", pictures.SURE), Caption("red dog", pictures.SURE - 0.01)]
    monkeypatch.setattr(pictures.descriptions, "describe_carefully", lambda *_: said)
    Image.new("RGB", (9, 9)).save("one.png")
    lines = call("describe", "one.png", "one.png")[1].splitlines()
    assert lines[0] == f"one.png: red cat ({pictures.SURE:.1%})"
    assert lines[1] == f"one.png: not sure: red dog ({pictures.SURE - 0.01:.1%})"


def test_describe_refuses_what_it_cannot_use(refused):
    Image.new("RGB", (9, 9)).save("one.png")
    refused("train a model: python -m rnnbook train pictures", "describe", "one.png")
    Path("text.png").write_text("no picture")
    refused("text.png is damaged or no image", "describe", "text.png")
    refused("cannot use other.png", "describe", "other.png")
    refused("invalid choice: 'fr'", "describe", "one.png", "--language", "fr")


def test_a_file_with_other_words_is_no_model():
    model, vocabulary = untrained()
    path = Path("runs/pictures.pt")
    load = partial(model_files.load_model, path, "pictures")
    saved, words = torch.load(path, weights_only=True), vocabulary.characters
    for others in (words[::-1], [*words, 3], "".join("ab"), ("a",)):
        torch.save({**saved, "vocabularies": {"words": others}}, path)
        with pytest.raises(model_files.RunError, match="holds no model of this book"):
            load()
    model_files.finish(path, {"recipe": "pictures"}, model, [Vocabulary(words[1:], SIGNS)])
    with pytest.raises(model_files.RunError, match="trained by another recipe"):
        load()
    torch.save({**saved, "settings": {"recipe": "speech"}}, path)
    with pytest.raises(model_files.RunError, match="holds no model of this book"):
        load()
