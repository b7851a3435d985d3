"""What is wrong with the sources is said in one list."""

from pathlib import Path

import pytest
from sphinx_external_toc.parsing import parse_toc_yaml

from bookbuild.sources import LAST, chapters, lacks, left_out, twice
from built import ROOT

WHOLE = (ROOT / "book/gru.md").read_text("utf-8")


def test_the_chapters_are_the_pages_of_the_numbered_parts():
    found = chapters(parse_toc_yaml(ROOT / "_toc.yml"))
    assert {"book/sequences", "book/recall"} < set(found)
    assert not {"book/index", "book/notation", "book/claims"} & set(found)


@pytest.mark.parametrize(
    ("old", "new", "missing"),
    [
        ("format_name: myst", "format_name: other", "front matter"),
        ("  seconds: ", "  hours: ", "`seconds`"),
        ("```{about} ", "```{note} ", "{about}"),
        ("?*\n", ".*\n", "its question"),
        ("{admonition} ", "{note} ", "three guesses"),
        ("## Limits\n", "## Limit\n", "the sections In practice, Write it yourself"),
        ("compare(", "contrast(", "`compare`"),
        ("{exercise}", "{note}", "two exercises"),
        ("\n10. ", "\n11. ", "ten questions"),
        ("{chapter-card}", "{note}", "{chapter-card}"),
        ("```{checked}", "```{note}", "{checked}"),
    ],
)
def test_what_a_chapter_lacks_is_named(old, new, missing):
    assert lacks(WHOLE) == []
    assert old in WHOLE
    (words,) = lacks(WHOLE.replace(old, new))
    assert missing in words


def test_a_new_page_hears_of_all_at_once():
    words = "\n".join(lacks("# A new page\n"))
    assert words.count("\n") == 10 and all(part in words for part in LAST)


def test_a_label_that_stands_twice_is_named_with_both_places():
    texts = {Path("a.md"): "(x)=\n# A\n", Path("b.md"): "\n```{exercise}\n:label: x\n```\n"}
    assert list(twice(texts)) == ["b.md:3: the label 'x' stands in a.md:1, too"]
    assert list(twice({Path("a.md"): "(x)=\n(y)=\n", Path("b.md"): ":name: z\n"})) == []


def test_a_page_that_the_contents_do_not_name_is_found(tmp_path):
    for name in ("README.md", "book/a.md", "book/new.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    said = ["book/new.md: it is not in _toc.yml, so nobody would see it"]
    assert list(left_out(tmp_path, [Path("book/a.md")])) == said
