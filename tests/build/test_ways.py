"""The pages that lead through the book say what the chapters say: what needs what, and minutes."""

import re
from xml.etree import ElementTree

import pytest

from built import ROOT

BOOK = ROOT / "book"
CHAPTERS = {
    path.stem: text
    for path in BOOK.glob("*.md")
    if "```{about}" in (text := path.read_text("utf-8"))
}
NEEDS = {
    name: set(re.findall(r"\[\]\((\w+)\.md\)", *re.findall(r"\*\*You need\*\*.*", text)))
    for name, text in CHAPTERS.items()
}
MINUTES = {
    name: int(*re.findall(r"^:minutes: (\d+)$", text, re.M)) for name, text in CHAPTERS.items()
}


def arrows():
    """Who leads to whom in the map, for each chapter to which an arrow leads."""
    found = {name: set() for name in CHAPTERS}
    for path in ElementTree.parse(BOOK / "figures/chapter_map.svg").iter():
        if "data-to" in path.attrib:
            found[path.get("data-to")].add(path.get("data-from"))
    return found


def before(name, leading):
    """All chapters from which arrows lead to this one, over others, too."""
    return leading[name].union(*(before(one, leading) for one in leading[name]))


@pytest.mark.parametrize("name", CHAPTERS)
def test_the_map_shows_what_a_chapter_says_it_needs(name):
    leading = arrows()
    assert NEEDS[name] <= before(name, leading)
    if name == "bugs":  # it needs "the first course"
        assert leading[name] == {"shakespeare"}
    else:
        assert leading[name] <= NEEDS[name]


def test_the_boxes_of_the_map_have_the_chapters_numbers():
    words = [
        text.text
        for text in ElementTree.parse(BOOK / "figures/chapter_map.svg").iter()
        if text.text
    ]
    assert [int(word) for word in words if word.isdecimal()] == list(range(1, 21))


@pytest.mark.parametrize("page", ["ways", "teaching"])
def test_minutes_are_those_of_the_chapters(page):
    text = (BOOK / f"{page}.md").read_text("utf-8")
    found = re.findall(r"((?:\[\]\(\w+\.md\),? )+)\(?(\d+) min", text)
    assert len(found) == {"ways": 2, "teaching": 6}[page]
    for chapters, minutes in found:
        assert int(minutes) == sum(MINUTES[name] for name in re.findall(r"\((\w+)\.md", chapters))
