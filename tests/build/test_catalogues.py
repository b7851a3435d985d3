"""The catalogues of the Japanese edition: complete, the same as the English text, and Japanese."""

import csv
import json
import re
from collections import Counter
from types import SimpleNamespace

import pytest
from babel.messages.catalog import Catalog
from docutils import nodes

import textlint
from bookbuild.catalogues import HEAD, messages, update
from bookbuild.editions import _is_missing
from bookbuild.words import _add_words, all_words
from built import ROOT

LOCALE = ROOT / "book" / "locale" / "ja"
FRAME, FIGURES = (LOCALE / "LC_MESSAGES" / name for name in ("sphinx.po", "figures.po"))
CATALOGUES = [*sorted((LOCALE / "LC_MESSAGES" / "book").glob("*.po")), FRAME, FIGURES]
NAMES = [path.stem for path in CATALOGUES]
PAGES = NAMES[:-2]
PENDING = (LOCALE / "pending.txt").read_text("utf-8").split()  # a new version is being translated
COMPLETE = [name for name in PAGES if name not in PENDING]
with open(LOCALE / "glossary.csv", encoding="utf-8", newline="") as file:
    GLOSSARY = list(csv.DictReader(file))

CODE = re.compile(r"`+[^`]+`+")
MATH = re.compile(r"\$[^$]+\$")
LINK_TARGET = re.compile(r"\]\(([^)]+)\)")


def parts(text: str) -> Counter:
    """What has to be the same in a message and its translation: math, roles, code and links."""
    found = Counter(re.findall(r"(?<!`)\{[\w:]+\}`[^`]+`", text))
    text = re.sub(r"\{[\w:]+\}`[^`]+`", "", text)
    found += Counter(MATH.findall(text)) + Counter(LINK_TARGET.findall(text))
    return found + Counter(CODE.findall(MATH.sub("", text)))


@pytest.mark.parametrize("path", CATALOGUES, ids=NAMES)
def test_every_message_is_translated_and_none_is_left_over(path):
    missing = [message.id for message in messages(path) if not message.string]
    assert missing == [] or path.stem in PENDING
    assert [message.id for message in messages(path) if message.fuzzy] == []
    text = path.read_text("utf-8")
    assert "#~" not in text and not re.search(r"^#: |-Date:", text, re.MULTILINE)


def test_every_word_of_the_frame_is_in_its_catalogue_and_no_other():
    used = all_words(ROOT)
    assert "Skip to the text" in used and "Claim" in used and "Train" in used and "Copy" in used
    assert sorted(set(used)) == sorted(message.id for message in messages(FRAME))


def test_a_page_has_the_words_of_all_programs_of_its_live_figures_and_of_no_others(monkeypatch):
    monkeypatch.setattr("bookbuild.words._", str)  # without Sphinx, nobody translates
    app = SimpleNamespace(config=SimpleNamespace(language="ja"), srcdir=ROOT)
    context = {"body": '<div class="rnn-demo" data-demo="names"></div>'}
    _add_words(app, "book/names", "page.html", context, None)
    words = set(json.loads(context["words"]))
    assert {"end", "One kana", "its weights are missing"} <= words  # kana.js, names.js, widget.js
    assert "Train" not in words


def test_the_values_in_words_of_the_frame_are_the_same_on_both_sides():
    values = re.compile(r"%\(\w+\)s|\$?\{\w+\}")
    different = [
        message.string
        for message in messages(FRAME)
        if Counter(values.findall(message.id)) != Counter(values.findall(message.string))
    ]
    assert different == ["コードを表示", "コードを隠す"]  # not of what kind


def test_a_catalogue_is_brought_up_to_date(tmp_path):
    """`make locale`: only messages change in a catalogue, and what is to be translated is named."""
    path, today = tmp_path / "page.po", Catalog()
    path.write_text(HEAD + 'msgid "One gate opens."\nmsgstr "一"\n\nmsgid "Gone"\nmsgstr "二"\n')
    today.add("One gate opens!")
    today.add("Another")
    said = [line.removeprefix(f"{path}: ") for line in update(path, today)]
    assert said == ["changed: One gate opens!", "new: Another"]
    assert {message.id: message.string for message in messages(path)} == {
        "One gate opens!": "一",
        "Another": "",
    }
    text = path.read_text("utf-8")
    assert text.startswith(HEAD) and "Gone" not in text and "-Date" not in text


@pytest.mark.parametrize("path", CATALOGUES[:-1], ids=NAMES[:-1])  # figures have no TeX
def test_math_roles_code_and_links_are_the_same_on_both_sides(path):
    different = {
        message.string: (parts(message.id) - parts(message.string))
        + (parts(message.string) - parts(message.id))
        for message in messages(path)
        if message.string and parts(message.id) != parts(message.string)
    }
    assert different == {}


@pytest.mark.parametrize("path", CATALOGUES, ids=NAMES)
def test_the_writing_is_japanese(path):
    wrong = []
    for message in messages(path):
        text = MATH.sub("", CODE.sub("", message.string))
        # Half-width punctuation and kana, full-width letters and digits, links by reference,
        # and a comma or full stop of English between Japanese characters.
        wrong += re.findall(r".{0,9}[｡-ﾟ０-９Ａ-Ｚａ-ｚ].{0,9}|\]\[", text)
        wrong += re.findall(r".{0,9}[ぁ-んァ-ヶ一-龠][,.](?:\s|$).{0,9}", text)
    assert wrong == []


STRICT = [row for row in GLOSSARY if row["strict"]]


@pytest.mark.parametrize("row", STRICT, ids=[row["English"] for row in STRICT])
def test_a_term_is_translated_in_one_way(row):
    word = re.compile(rf"\b{re.escape(row['English'])}s?\b", re.IGNORECASE)
    missing = [
        (path.stem, message.id, message.string)
        for path in CATALOGUES
        for message in messages(path)
        if message.string
        and not message.id.startswith("\n")  # a formula of its own
        and word.search(LINK_TARGET.sub("", MATH.sub("", CODE.sub("", message.id))))
        and row["日本語"] not in message.string
    ]
    assert missing == []


def test_textlint_reads_a_message_without_its_markup():
    message = "層は `linear`、[0, 1) の $x_t$（[](lstm.md)）。（**重い**、[軽い](a.md)。）"
    assert textlint.plain(message) == "層は C、x の x（「節」）。重い、軽い。"


def test_textlint_finds_nothing_in_the_japanese_edition_and_something_in_what_is_wrong():
    """`make textlint` says so, too, and is a step of the workflow."""
    if reason := textlint.obstacle():
        pytest.skip(reason)
    wrong = {"wrong": ["状態を保ちます。", "状態は、保つことは、することができます。"]}
    (found,) = textlint.findings(textlint.edition() | wrong)
    assert found.startswith("wrong: ") and found.endswith(wrong["wrong"][1])


def test_what_is_missing_is_english_and_was_not_translated():
    missing = {
        text: _is_missing(nodes.paragraph("", text, translated=translated))
        for text, translated in [
            ("No gate is open here.", False),
            ("No gate is open.", True),
            ("LSTM", False),  # the same in both languages
            ("0.25", False),
            ("確かめたこと LSTM and GRU", False),  # words of the frame
        ]
    }
    assert [text for text, is_missing in missing.items() if is_missing] == ["No gate is open here."]
    assert not _is_missing(nodes.image(alt="Two gates are open", translated=False))
