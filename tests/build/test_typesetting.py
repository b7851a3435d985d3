"""The lines of the Japanese edition."""

from types import SimpleNamespace

import pytest
from docutils import nodes
from docutils.frontend import get_default_settings
from docutils.parsers.rst import Parser
from docutils.utils import new_document

from bookbuild.japanese import KeepNumbers, MarkEmphasis, keep_together


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        ("重みは 13 個です", ["重みは", "13_個です"]),
        ("20 ステップあとの 0.5 秒", ["20_ステップあとの", "0.5_秒"]),
        ("第 3 章の 80 % と", ["第_3_章の", "80_%", "と"]),
        ("LSTM 層と x 個", ["LSTM", "層と", "x", "個"]),
        ("1 2 層", ["1", "2_層"]),
    ],
)
def test_a_number_stays_with_its_counter_and_words_part_as_before(words, parts):
    found = keep_together(words).split(" ")
    assert [part.replace("\N{NO-BREAK SPACE}", "_") for part in found] == parts


def transformed(transform, *content, language="ja") -> nodes.paragraph:
    document = new_document("page", get_default_settings(Parser))
    paragraph = nodes.paragraph("", "", *content)
    document += paragraph
    document.settings.env = SimpleNamespace(
        app=None, config=SimpleNamespace(language=language), docname="page"
    )
    transform(document).run()
    return paragraph


def test_a_number_that_is_quoted_stays_with_its_counter_and_code_is_as_written():
    number, code = nodes.inline("", "13"), nodes.literal("", "3 個")
    content = [nodes.Text("重みは "), number, nodes.Text(" 個と "), code]
    paragraph = transformed(KeepNumbers, *content)
    assert paragraph.astext() == "重みは 13\N{NO-BREAK SPACE}個と 3 個"


@pytest.mark.parametrize("transform", [KeepNumbers, MarkEmphasis])
def test_the_english_edition_stays_as_it_is(transform):
    paragraph = transformed(transform, nodes.emphasis("", "a"), nodes.Text("3 個"), language="en")
    assert str(paragraph) == "<paragraph><emphasis>a</emphasis>3 個</paragraph>"


def test_latin_words_and_whole_paragraphs_are_emphasised_in_their_own_ways():
    def classes(*content):
        found = transformed(MarkEmphasis, *content).findall(nodes.emphasis)
        return [emphasis["classes"] for emphasis in found]

    assert classes(nodes.emphasis("", "なぜでしょうか。")) == [["whole"]]
    mixed = nodes.emphasis("", "足す"), nodes.Text("と"), nodes.emphasis("", "recall")
    assert classes(*mixed) == [[], ["latin"]]
