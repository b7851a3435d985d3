"""The published models: what `rnnbook.load` gives, and that the commands use them."""

import re
import shutil
import sys
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

import rnnbook
import weights as tool
from built import ROOT
from rnnbook import errors, published
from rnnbook.data.digit_image import ImageError
from rnnbook.data.speech import load_speech, said
from rnnbook.decoding.names import SpellingError
from rnnbook.demos.weights import quantised
from rnnbook.training.model_files import RunError, finish, load_model
from rnnbook.training.recipes.all_recipes import RECIPES
from rnnbook.weights import files

KINDS = list(files.record())


@pytest.fixture(scope="module")
def models():
    return {name: rnnbook.load(name) for name in KINDS}


@pytest.fixture(autouse=True)
def alone(tmp_path, monkeypatch, one_thread):
    """A folder without models of one's own, and without data."""
    monkeypatch.chdir(tmp_path)


def drawn(digit: str) -> Image.Image:
    """A seven or a one, in black lines on white."""
    lines = {"7": [(25, 20), (75, 20), (40, 85)], "1": [(50, 15), (50, 85)]}
    image = Image.new("L", (100, 100), 255)
    ImageDraw.Draw(image).line(lines[digit], fill=0, width=9, joint="curve")
    return image


# ------------------------------------------------------------------ the files


def test_the_published_files_are_those_of_the_record_and_small():
    assert KINDS == list(published.KINDS) == list(tool.TRAINED) == list(tool.CARDS)
    sizes = {path.stem: path.stat().st_size for path in files.FOLDER.glob("*.pt")}
    assert sizes == {name: known["bytes"] for name, known in files.record().items()}
    assert sum(sizes.values()) < 2_500_000


@pytest.mark.parametrize("name", KINDS)
def test_what_the_record_says_is_measured_again_on_a_part(name, models):
    number, apart = {  # of examples, and how far off their measures may be
        "names": (200, 0.1),
        "digits": (1000, 0.01),
        "speech": (60, 0.05),
        "text": (30_000, 0.1),
        "kanji": (None, 0.01),
    }[name]
    again = tool.MEASURES[name](models[name].model, number)
    recorded = files.record()[name]["measured"]
    assert again.keys() == recorded.keys() and len(recorded) > 1
    for what in recorded.keys() - {"on"}:
        assert again[what] == pytest.approx(recorded[what], abs=apart)


@pytest.mark.parametrize("name", KINDS)
def test_a_card_says_what_one_should_know(name, models):
    card = models[name].card
    titles = ["Data", "Measured", "Limits", "Not for"]
    assert re.findall(r"\*\*(.*?)\.\*\*", str(card)) == titles
    assert card._asdict() == {**tool.CARDS[name], "measured": card.measured}
    assert files.record()[name]["measured"]["on"] in card.measured


def test_the_page_says_what_the_cards_say():
    """There each sentence stands in a line of its own, to be translated."""
    page = " ".join((ROOT / "book/python.md").read_text("utf-8").split())
    for card in tool.CARDS.values():
        for title, part in (("Data", "data"), ("Limits", "limits"), ("Not for", "not_for")):
            assert f"**{title}.** {card[part]}" in page


def test_matrices_of_eight_bits_are_those_of_the_live_figures(tmp_path):
    model = RECIPES["mnist"]().model()
    finish(tmp_path / "all.pt", {"recipe": "mnist"}, model)
    (tmp_path / "small.pt").write_bytes(tool.small(tmp_path / "all.pt"))
    loaded, _ = load_model(tmp_path / "small.pt", "mnist")
    expected = quantised(model).state_dict()
    assert all(torch.equal(one, expected[key]) for key, one in loaded.state_dict().items())
    sizes = [(tmp_path / f"{name}.pt").stat().st_size for name in ("small", "all")]
    assert sizes[0] < sizes[1] / 3


SCALES = {
    "of another length": lambda scales: {**scales, "head.weight": torch.ones(3)},
    "of no matrix": lambda scales: {**scales, "head.bias": torch.ones(10)},
    "of nothing": lambda scales: {**scales, "tail": torch.ones(10)},
    "too few": lambda scales: dict(list(scales.items())[1:]),
    "too large": lambda scales: {name: 1e7 * one for name, one in scales.items()},
    "none": lambda scales: 5,
}


@pytest.mark.parametrize("kind", SCALES)
def test_scales_that_do_not_fit_are_refused(kind, tmp_path):
    path = tmp_path / "digits.pt"
    content = torch.load(files.published("digits"), weights_only=True)
    torch.save({**content, "scales": SCALES[kind](content["scales"])}, path)
    with pytest.raises(RunError, match="holds no model of this book"):
        load_model(path, "mnist")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A copy of the published files."""
    shutil.copytree(files.FOLDER, tmp_path / "weights")
    monkeypatch.setattr(files, "FOLDER", tmp_path / "weights")
    return tmp_path / "weights"


def test_a_changed_byte_is_refused(folder):
    content = bytearray((folder / "digits.pt").read_bytes())
    content[5000] ^= 1
    (folder / "digits.pt").write_bytes(content)
    with pytest.raises(files.WeightsError, match="not the file that was published; install"):
        rnnbook.load("digits")
    (folder / "digits.pt").unlink()
    with pytest.raises(files.WeightsError, match=r"digits.pt cannot be read .*; install"):
        rnnbook.load("digits")
    rnnbook.load("names")


# ------------------------------------------------------------------ load


def test_a_model_of_ones_own(models):
    finish(path := files.Path("mine.pt"), {"recipe": "mnist"}, RECIPES["mnist"]().model())
    mine = rnnbook.load("digits", "mine.pt")
    assert mine.card is None
    assert mine.classify(drawn("7")) != models["digits"].classify(drawn("7"))
    with pytest.raises(RunError, match=r"mine.pt was trained on mnist; train a model"):
        rnnbook.load("names", path)
    with pytest.raises(RunError, match=r"there is no none.pt; train a model: .* train mnist"):
        rnnbook.load("digits", "none.pt")


def test_what_is_no_model_is_refused():
    with pytest.raises(errors.BookError, match="no model 'poems'; there are: names, digits"):
        rnnbook.load("poems")
    with pytest.raises(errors.BookError, match="no model 'poems'"):
        rnnbook.load("poems", "poems.pt")
    with pytest.raises(errors.BookError, match=r"too large to come along; .* train pictures"):
        rnnbook.load("pictures")


def test_loading_and_using_leaves_the_random_numbers_of_others_alone(models):
    before = torch.get_rng_state()
    rnnbook.load("digits").classify(drawn("1"))
    models["names"].transliterate("Ada")
    models["text"].sample(length=5)
    models["kanji"].draw()
    assert torch.equal(before, torch.get_rng_state())


# ------------------------------------------------------------------ names


def test_names_are_written_in_katakana(models):
    names = models["names"]
    (answer,) = names.transliterate("Alice")
    assert answer.text == "アリス" and 0.2 < answer.probability < 1
    assert names.transliterate("anna")[0].text == "アンナ"
    four = names.transliterate("Alan Turing", answers=4)
    assert [type(one) for one in four[0]] == [str, float] and "アラン・チューリング" in {
        one.text for one in four
    }
    assert sorted(four, key=lambda one: -one.probability) == four and len(four) == 4
    assert names.transliterate("JOSÉ") == names.transliterate("jose")


def test_a_list_of_names_has_the_answers_of_each(models):
    names, some = models["names"], ["Ada Lovelace", "Dr. Ørsted", "Ada"]
    together = names.transliterate(some, answers=2)
    for name, answers in zip(some, together, strict=True):
        for one, two in zip(answers, names.transliterate(name, answers=2), strict=True):
            assert one.text == two.text
            assert one.probability == pytest.approx(two.probability, rel=1e-4)
    assert names.transliterate([]) == []


# ------------------------------------------------------------------ digits


def test_a_digit_is_read_in_a_file_and_in_an_array(models):
    digits, path = models["digits"], "seven.png"
    drawn("7").save(path)
    read = digits.classify(path)
    assert read.digit == 7 and read.probabilities[7] == max(read.probabilities) > 0.8
    assert len(read.probabilities) == 10 and sum(read.probabilities) == pytest.approx(1)
    array = np.asarray(drawn("7"))
    forms = [array, array / 255, 255 - array, torch.from_numpy(array / 255), drawn("7")]
    for one in digits.classify(forms):
        assert one.probabilities == pytest.approx(read.probabilities, abs=1e-3)
    assert [one.digit for one in digits.classify([path, drawn("1")])] == [7, 1]
    assert digits.classify([]) == []


# ------------------------------------------------------------------ speech


def test_digits_are_heard(models):
    strings = load_speech().test_strings[:20]
    sounds = [torch.cat([one.frames for one in string]).numpy() for string in strings]
    heard = models["speech"].listen(sounds)
    right = [one.text == said(string) for one, string in zip(heard, strings, strict=True)]
    assert sum(right) >= 18
    assert sum(one.probability for one in heard) / 20 > 0.9
    alone = models["speech"].listen(sounds[3])
    assert alone.text == heard[3].text
    assert alone.probability == pytest.approx(heard[3].probability, abs=1e-3)
    assert models["speech"].listen(np.zeros((9, 13))).text == ""
    assert models["speech"].listen([]) == []


def test_the_probability_of_a_text_is_that_of_all_its_alignments():
    log_p = torch.tensor([[0.6, 0.4], [0.5, 0.5]]).log()
    assert published.probability(log_p, [1]) == pytest.approx(0.6 * 0.5 + 0.4 * 0.5 + 0.4 * 0.5)
    assert published.probability(log_p, []) == pytest.approx(0.3)


# ------------------------------------------------------------------ text and kanji


def test_text_goes_on_from_its_prompt_and_is_the_same_for_a_seed(models):
    text = models["text"]
    written = text.sample("ROMEO:", length=60, seed=3)
    assert written.startswith("ROMEO:") and len(written) == 66
    both = text.sample(["ROMEO:", "JULIET:"], length=60, seed=3)
    assert both == [written, text.sample("JULIET:", length=60, seed=3)]
    assert text.sample("ROMEO:", length=60, seed=4) != written
    likeliest = text.sample("ROMEO:", length=60, temperature=0)
    assert likeliest == text.sample("ROMEO:", length=60, top_k=1, seed=5)


def test_kanji_are_lists_of_strokes_and_become_a_drawing(models):
    pen = models["kanji"]
    drawings = pen.draw(3, seed=1)
    assert len(drawings) == 3 and drawings == pen.draw(3, seed=1) != pen.draw(3, seed=2)
    points = [point for strokes in drawings for stroke in strokes for point in stroke]
    inside = [-20 < x < 130 and -20 < y < 130 for x, y in points]
    assert len(points) > 20 and all(inside)
    svg = ElementTree.fromstring(pen.svg(drawings))
    assert len(svg.findall(".//{*}polyline")) == sum(map(len, drawings))
    begin = [((20.0, 30.0), (90.0, 30.0))]
    (begun,) = pen.draw(begin=begin)
    assert np.allclose(begun[0], begin[0])


# ------------------------------------------------------------------ what cannot be used

WRONG = {
    "names": {
        "3": ("transliterate", (3,), "3 is not a name; give a str, or a list of them"),
        "42": ("transliterate", ("42",), "'42' is no name; give letters"),
        "one of two": ("transliterate", (["Ada", None],), "None is not a name"),
        "Greek": ("transliterate", ("Άδα",), "the model knows"),
        "answers": ("transliterate", ("Ada", 0), "answers is 0; give a whole number from 1"),
    },
    "digits": {
        "blank": ("classify", (np.zeros((9, 9)),), "the array is blank"),
        "colours": ("classify", (np.zeros((9, 9, 3)),), r"shape \(9, 9, 3\); give rows"),
        "texts": ("classify", (np.array([["a"]]),), "no array of numbers"),
        "empty": ("classify", (np.zeros((0, 3)),), r"shape \(0, 3\)"),
        "large": ("classify", (np.zeros((2000, 2000)),), "more than 1,000,000"),
    },
    "speech": {
        "shape": ("listen", (np.zeros((5, 12)),), r"shape \(5, 12\); give frames of 13"),
        "nothing": ("listen", (np.zeros((0, 13)),), r"shape \(0, 13\)"),
        "infinite": ("listen", (np.full((5, 13), np.inf),), "no finite number"),
        "ragged": ("listen", ([[[1], [2, 3]]],), "give rows of equal length"),
    },
    "text": {
        "empty": ("sample", ("",), "the prompt is empty"),
        "unknown": ("sample", ("ロミオ",), "ロ"),
        "number": ("sample", (5,), "5 is not a prompt"),
        "length": ("sample", ("A", 0), "length is 0; give a whole number from 1"),
        "temperature": ("sample", ("A", 5, -1), "temperature is -1; give 0, or 0.01 to 100"),
        "top_k": ("sample", ("A", 5, 1, 0), "top_k is 0; give"),
        "seed": ("sample", ("A", 5, 1, None, -1), "seed is -1; give"),
    },
    "kanji": {
        "number": ("draw", (2.5,), "number is 2.5; give a whole number from 1"),
        "temperature": ("draw", (1, 0), "temperature is 0; give 0.01 to 100"),
    },
}


@pytest.mark.parametrize(
    ("name", "method", "given", "message"),
    [(name, *case) for name in KINDS for case in WRONG[name].values()],
)
def test_an_error_says_what_to_give(name, method, given, message, models):
    with pytest.raises((published.InputError, SpellingError, ImageError), match=message):
        getattr(models[name], method)(*given)


# ------------------------------------------------------------------ the command line


@pytest.fixture
def without_data(monkeypatch, tmp_path):
    monkeypatch.setenv("RNNBOOK_DATA", str(tmp_path / "data"))


def test_a_command_uses_the_published_model_where_there_is_no_other(call, without_data, models):
    code, out, err = call("transliterate", "Alice", "--answers", "2")
    first, second = models["names"].transliterate("Alice", answers=2)
    said = [f"{one.text} ({one.probability:.1%})" for one in (first, second)]
    assert (code, out) == (0, f"Alice: {', '.join(said)}\n")
    assert err == (
        "rnnbook: there is no runs/names.pt, so the published model answers\n"
        "rnnbook: without the dictionary, by the network alone; to fetch it: "
        "python -m rnnbook data\n"
    )
    drawn("7").save("seven.png")
    code, out, err = call("classify", "seven.png")
    assert (code, out[:12]) == (0, "seven.png: 7") and err.count("\n") == 1


def test_ones_own_model_goes_first(call, without_data, models):
    finish(files.Path("runs/mnist.pt"), {"recipe": "mnist"}, RECIPES["mnist"]().model())
    drawn("7").save("seven.png")
    own = call("classify", "seven.png")
    assert own[0] == 0 and own[2] == ""
    published_one = str(files.published("digits"))
    assert call("classify", "seven.png", "--model", published_one)[1] != own[1]


def test_a_model_that_was_named_must_be_there(refused):
    drawn("7").save("seven.png")
    refused("there is no runs/mnist.pt", "classify", "seven.png", "--model", "runs/mnist.pt")


@pytest.mark.parametrize(
    ("program", "name"),
    [
        ("/usr/bin/rnnbook", "rnnbook"),
        ("rnnbook.exe", "rnnbook"),
        ("/code/rnnbook/__main__.py", "python -m rnnbook"),
    ],
)
def test_advice_names_the_command_as_it_was_called(program, name, refused, call, monkeypatch):
    monkeypatch.setattr(sys, "argv", [program])
    refused(f"train a model: {name} train names", "transliterate", "Ada", "--model", "no.pt")
    assert call("--help")[1].startswith(f"usage: {name} ")
