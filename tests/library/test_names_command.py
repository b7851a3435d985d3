"""`python -m rnnbook train names` and `transliterate`."""

import io
import math
import re
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
import torch

from rnnbook.cli import commands as options
from rnnbook.cli import names as command
from rnnbook.cli.errors import UsageError
from rnnbook.data import pairs
from rnnbook.data.fetching.errors import DataError
from rnnbook.data.vocabulary import Vocabulary
from rnnbook.data.words import SIGNS, encode_pairs, encode_words
from rnnbook.decoding.names import rank, transliterate, words_of
from rnnbook.metrics.error_rates import among_first, character_error_rate, exact
from rnnbook.models.encoder_decoder import EncoderDecoder
from rnnbook.training import model_files
from rnnbook.training.batches import PairBatches
from rnnbook.training.recipes import all_recipes as recipes

SOUNDS = dict(zip("aiubk", "アイウブク", strict=True))
NAMES = pairs.group_readings(
    (word, "".join(map(SOUNDS.get, word)) + tail)
    for n in range(700)
    for word in ["".join("aiubk"[n // 5**j % 5] for j in range(5))]
    for tail in ("", "ー")[: 1 + n % 2]
)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch, one_thread):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(command, "load_names", lambda: NAMES)
    small = replace(
        recipes.RECIPES["names"](), network=small_model, batches=small_batches, epochs=2
    )
    monkeypatch.setitem(recipes.RECIPES, "names", lambda: small)


def small_model(letters, kana):
    return EncoderDecoder(letters, kana, 8, 16, dropout=0.1)


def small_batches(*data):
    return PairBatches(*data[:4], batch_size=16, seed=data[4])


@pytest.fixture
def model():
    """A model file that was never trained, and its model."""
    model = recipes.RECIPES["names"]().model(6, 7)
    with torch.no_grad():
        for p in model.parameters():
            p.mul_(3)
    known = [Vocabulary(characters, SIGNS) for characters in (NAMES.letters, NAMES.kana)]
    model_files.finish(Path("runs/names.pt"), {"recipe": "names"}, model, known)
    return model.eval()


def read(model, *words, width=4):
    return transliterate(model, NAMES.letters, NAMES.kana, words, width=width)


# ------------------------------------------------------------------ train


def test_train_follows_the_recipe_and_measures_the_saved_model_on_the_test_names(call):
    code, out, _ = call("train", "names", "--seed", "3")
    recipe = replace(recipes.RECIPES["names"](), seed=3)
    expected = recipe.model(1 + len(NAMES.letters), 1 + len(NAMES.kana))
    recipe.train(expected, *encode_pairs(NAMES.train, NAMES.letters, NAMES.kana))
    model, vocabularies = model_files.load_model(Path("runs/names.pt"), "names")
    known = tuple("".join(one.characters) for one in vocabularies)
    assert code == 0 and known == (NAMES.letters, NAMES.kana)
    assert all(map(torch.equal, model.state_dict().values(), expected.state_dict().values()))

    words, references = zip(*NAMES.test, strict=True)
    ranked = [[one.text for one in each] for each in read(model, *words)]
    best = [each[0] for each in ranked]
    said = re.fullmatch(
        r"(\d+) test names, beam of 4: (\S+)% exact, (\S+)% among the first four, "
        r"character error rate (\S+)",
        out.splitlines()[-1],
    )
    measured = exact(best, references) * 100, among_first(ranked, references, 4) * 100
    assert int(said[1]) == len(words)
    assert [float(said[2]), float(said[3])] == pytest.approx(measured, abs=0.051)
    assert float(said[4]) == pytest.approx(character_error_rate(best, references), abs=0.00051)


def test_the_held_out_measure_is_that_of_the_held_out_names(call):
    _, out, _ = call("train", "names", "--epochs", "1")
    model, _ = model_files.load_model(Path("runs/names.pt"), "names")
    words, references = zip(*NAMES.held_out, strict=True)
    share = exact([first.text for first, *_ in read(model, *words, width=1)], references)
    assert float(re.search(r"held-out exact (\S+)", out)[1]) == pytest.approx(share, abs=5e-5)


def test_pairs_of_ones_own(call, refused):
    lines = [f"{word},{reading}\n" for word, readings in NAMES.names for reading in readings]
    Path("mine.csv").write_text("".join(lines), "utf-8")
    code, _, _ = call("train", "names", "--pairs", "mine.csv", "--output", "mine.pt")
    assert code == 0
    assert call("train", "names")[0] == 0
    own, whole = (torch.load(path, weights_only=True) for path in ("mine.pt", "runs/names.pt"))
    assert own["vocabularies"] == whole["vocabularies"]
    assert own["settings"]["pairs"] != whole["settings"]["pairs"]
    assert all(map(torch.equal, own["weights"].values(), whole["weights"].values()))
    Path("mine.csv").write_text("".join(lines[:-1]), "utf-8")
    message = "was begun with another choice of pairs"
    refused(message, "train", "names", "--pairs", "mine.csv", "--output", "mine.pt", "--resume")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("anna,アナ\n", "mine.csv holds 1 different spellings; give 500 or more"),
        ("anna\n", "line 1 of mine.csv is 'anna'"),
        (None, "cannot use mine.csv: No such file"),
    ],
)
def test_pairs_that_cannot_be_trained_on(content, message, refused):
    if content:
        Path("mine.csv").write_text(content, "utf-8")
    refused(message, "train", "names", "--pairs", "mine.csv")
    assert not Path("runs").exists()


# ------------------------------------------------------------------ transliterate


def test_names_are_written_as_the_library_writes_them(call, model):
    code, out, _ = call("transliterate", "Abi", "kúbà")
    (abi, *_), (kuba, *_) = read(model, "abi", "kuba")
    assert (code, out) == (0, f"Abi: {abi.text}\nkúbà: {kuba.text}\n")


def test_names_come_from_the_standard_input_too(call, model, monkeypatch):
    words = ["abi", "kuba", "bak", "a", "ubu"]
    expected = call("transliterate", *words)
    typed = "\n".join(["abi", "", "  kuba ", "bak", "a", "ubu"])
    assert call("transliterate", typed=typed) == expected
    monkeypatch.setattr(command, "AT_ONCE", 2)
    assert call("transliterate", typed=typed) == expected


@pytest.mark.parametrize("at_once", [1, 2, 256])
def test_a_line_that_holds_no_name_silences_no_other(at_once, call, model, monkeypatch):
    monkeypatch.setattr(command, "AT_ONCE", at_once)
    typed = "\n".join(["", "abi", "kuba", "bak", "b%", "a"])
    code, out, err = call("transliterate", typed=typed)
    assert (code, out) == (2, call("transliterate", "abi", "kuba", "bak", "a")[1])
    assert err == "rnnbook: line 5: 'b%' holds '%'; the model knows 'abiku'\n"


def test_a_bad_name_among_the_arguments_silences_no_other(call, model):
    code, out, err = call("transliterate", "abi", "42", "bak")
    assert (code, out) == (2, call("transliterate", "abi", "bak")[1])
    assert err == "rnnbook: '42' is no name; give letters\n"


def test_letters_that_are_none_with_an_accent_are_folded():
    letters = "abcdefghijklmnopqrstuvwxyz'-"
    names = ["Dr. Łukasz Ørsted", "Đorđe", "Weiß", "Ægir", "José"]
    assert [words_of(name, letters) for name in names] == [
        ["dr", "lukasz", "orsted"], ["dorde"], ["weiss"], ["aegir"], ["jose"],
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["'", "-", "abi -", "."])
def test_a_word_without_a_letter_is_none(name, refused, model):
    refused(f"{name!r} is no name; give letters", "transliterate", name)


def test_a_name_of_the_dictionary_is_answered_from_it(call, model):
    (word, readings), *_ = [name for name in NAMES.names if len(name.readings) == 2]
    ranked = rank(model, NAMES.letters, NAMES.kana, word, readings)
    assert call("transliterate", word)[1] == f"{word}: {ranked[0].text} (dictionary)\n"
    shown = ", ".join(one.text for one in ranked)
    assert call("transliterate", word, "--answers", "4")[1] == f"{word}: {shown} (dictionary)\n"
    (best, *_), (other, *_) = read(model, word, "abi")
    assert call("transliterate", word, "--network-only")[1] == f"{word}: {best.text}\n"
    mixed = f"{word} abi: {ranked[0].text}・{other.text} (dictionary: {word})\n"
    assert call("transliterate", f"{word} abi")[1] == mixed


def test_readings_are_ranked_by_the_probability_that_the_network_gives_them(model):
    word, readings = "abi", ("アブ", "アブイ", "ウブイク")
    ranked = rank(model, NAMES.letters, NAMES.kana, word, readings)
    source, lengths = encode_words([word], Vocabulary(NAMES.letters, SIGNS))
    expected = {}
    for reading in readings:
        ids = [*encode_words([reading], Vocabulary(NAMES.kana, SIGNS))[0][0].tolist(), 0]
        state, previous, total = model.start(memory := model.encode(source, lengths)), 0, 0.0
        for k in ids:
            logits, state = model.step(torch.tensor([previous]), state, memory)
            total, previous = total + logits.log_softmax(dim=1)[0, k].item(), k
        expected[reading] = total
    assert [one.text for one in ranked] == sorted(readings, key=lambda one: -expected[one])
    for one, two in pairwise(ranked):
        apart = expected[one.text] - expected[two.text]
        assert one.log_probability - two.log_probability == pytest.approx(apart, abs=1e-4)
    assert sum(math.exp(one.log_probability) for one in ranked) == pytest.approx(1)


def test_without_the_dictionary_the_network_answers_and_that_is_said(call, model, monkeypatch):
    expected = call("transliterate", "aaaaa", "--network-only")[1]

    def missing():
        raise DataError("no mirror answers")

    monkeypatch.setattr(command, "load_names", missing)
    code, out, err = call("transliterate", "aaaaa")
    assert (code, out) == (0, expected) and "by the network alone (no mirror answers)" in err


def test_a_model_of_other_pairs_has_no_dictionary(call, model, monkeypatch):
    expected = call("transliterate", "aaaaa", "--network-only")[1]
    others = pairs.group_readings([*NAMES.names[:1], ("zu", "ズ")])
    monkeypatch.setattr(command, "load_names", lambda: others)
    assert call("transliterate", "aaaaa")[1] == expected


def test_a_mark_that_begins_a_file_is_no_letter(call, model):
    assert call("transliterate", typed="\ufeffabi\nkuba\n") == call("transliterate", "abi", "kuba")


@pytest.mark.parametrize("letter", ["a", " "])
def test_a_line_that_has_no_end_is_not_read_for_ever(letter, call, model, monkeypatch):
    class Endless(io.StringIO):
        def readline(self, size=-1):
            assert size > 0, "this would fill the memory"
            return letter * size

    monkeypatch.setattr(sys, "stdin", Endless())
    with pytest.raises(UsageError, match="line 1: it is longer than 10,000 characters"):
        command.transliterate(options.parser().parse_args(["transliterate"]))


def test_a_name_is_shown_in_one_line_and_steers_no_terminal(call, model):
    (first, *_), (second, *_) = read(model, "abi", "kuba")
    answer = f"{first.text}・{second.text}"
    assert call("transliterate", "abi\n\x1ckuba")[1] == f"abi  kuba: {answer}\n"


def test_several_answers_have_their_probabilities(call, model):
    (ranked,) = read(model, "abi", width=4)
    shown = ", ".join(f"{one.text} ({math.exp(one.log_probability):.1%})" for one in ranked)
    assert call("transliterate", "abi", "--answers", "4")[1] == f"abi: {shown}\n"
    narrow = call("transliterate", "abi", "--beam", "1")[1]
    assert narrow == f"abi: {read(model, 'abi', width=1)[0][0].text}\n"
    many = call("transliterate", "abi", "--answers", "6")[1]
    assert many.count("%") == 6


def test_the_words_of_a_name_are_joined_by_a_dot(call, model):
    (first, *_), (second, *_) = read(model, "abi", "kuba")
    assert call("transliterate", "Abi Kuba")[1] == f"Abi Kuba: {first.text}・{second.text}\n"


def test_an_apostrophe_as_telephones_write_it_is_one():
    assert words_of("O’Neil", "'eilno") == ["o'neil"]


@pytest.mark.parametrize(
    ("arguments", "typed", "message"),
    [
        (["Xaver"], "", "'Xaver' holds 'e', 'r', 'v', 'x'; the model knows 'abiku'"),
        ([], "b%\n", "line 1: 'b%' holds '%'; the model knows 'abiku'"),
        ([" "], "", "' ' is no name; give letters"),
        (["ab" * 60], "", "is longer than 100 letters"),
        (["abi", "--model", "none.pt"], "", "train a model: python -m rnnbook train names"),
    ],
)
def test_a_name_that_cannot_be_written(arguments, typed, message, refused, model):
    refused(message, "transliterate", *arguments, typed=typed)


@pytest.mark.parametrize(
    "vocabularies",
    [
        {"letters": ["a", "b"]},
        {"kana": ["ア"], "letters": ["a", "b"]},
        {"letters": ["b", "a"], "kana": ["ア"]},
        {"letters": [], "kana": ["ア"]},
        {"letters": ["a", "b"], "kana": 5},
        {"letters": ["a", "b"], "kana": ["ア"], "signs": ["0"]},
    ],
)
def test_a_model_of_names_has_two_vocabularies(vocabularies, refused, model):
    path = Path("runs/names.pt")
    torch.save({**torch.load(path, weights_only=True), "vocabularies": vocabularies}, path)
    refused("holds no model of this book; train a model", "transliterate", "abi")


def test_a_model_of_other_vocabularies_does_not_fit(refused, model):
    path, other = Path("runs/names.pt"), {"letters": ["a", "b"], "kana": ["ア", "イ"]}
    torch.save({**torch.load(path, weights_only=True), "vocabularies": other}, path)
    refused("was trained by another recipe", "transliterate", "abi")
