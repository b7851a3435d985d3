"""Slides: what of a chapter's page becomes one, and in which order."""

from bs4 import BeautifulSoup

from bookbuild.slides import slides

PAGE = """
<section id="lstm"><h1>Open the gates</h1><figure>before the first section</figure>
<section id="gate"><h2>What is a gate?</h2>
<p>Some prose.</p><p>It multiplies:</p><div class="math">c = f c</div><p>More prose.</p>
<section id="inside"><h3>Inside</h3><figure><img src="a.svg"></figure>
<p>Which one forgets? Guess.</p>
<details class="dropdown"><summary>The answer</summary><div class="math">f = 0</div></details>
</section>
<details class="deeper"><summary>Deeper</summary><figure>deep</figure></details>
<div class="cell"><table><tr><td>printed</td></tr></table></div></section>
<section id="task"><h2>A task</h2><p>Shapes:</p><table><tr><td>B</td></tr></table></section>
<section id="in-practice"><h2>In practice</h2><figure>too late</figure></section>
<section id="later"><h2>Later</h2><figure>too late</figure></section></section>
"""


def found():
    return [
        (heading, [part.name for part in parts], " ".join(" ".join(map(str, parts)).split()))
        for heading, parts in slides(BeautifulSoup(PAGE, "html.parser"))
    ]


def test_each_figure_equation_table_and_guess_of_the_short_way_is_a_slide():
    assert [(heading, names) for heading, names, _ in found()] == [
        ("What is a gate?", ["p", "div"]),
        ("What is a gate?", ["figure"]),
        ("What is a gate?", ["p", "details"]),
        ("A task", ["p", "table"]),
    ]


def test_the_paragraph_before_leads_to_an_equation_and_to_a_guess():
    texts = [text for _, _, text in found()]
    assert texts[0].startswith("<p>It multiplies:</p>") and "Some prose" not in texts[0]
    assert texts[2].startswith("<p>Which one forgets? Guess.</p>") and "f = 0" in texts[2]


def test_what_is_deeper_printed_or_behind_the_short_way_is_left_out():
    everything = " ".join(text for _, _, text in found())
    for word in ("deep", "printed", "too late", "before the first"):
        assert word not in everything
