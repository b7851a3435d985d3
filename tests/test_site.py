"""The built site, as a reader's browser sees it."""

import functools
import os
import re
from html import unescape
from pathlib import Path
from urllib.parse import unquote

import pytest

from conftest import ROOT

SOURCES = sorted(path.stem for path in (ROOT / "book").glob("*.md"))
PAGES = [f"{folder}book/{name}.html" for folder in ("", "ja/") for name in SOURCES]
TEXT_FILES = {".html", ".js", ".css", ".json", ".svg", ".txt", ".md", ".ipynb", ".xml"}


def settle(page):
    """Load the figures below, too, and wait for the fonts of the math."""
    page.evaluate("for (const image of document.images) image.loading = 'eager'")
    page.wait_for_load_state("networkidle")
    page.wait_for_function("document.fonts.status == 'loaded'")


def test_every_source_has_a_page_in_both_editions(html):
    assert {page for page in PAGES if not (html / page).is_file()} == set()


@pytest.mark.browser
@pytest.mark.parametrize("path", PAGES)
def test_page(path, page, address):
    page.goto(f"{address}/{path}")
    settle(page)
    assert page.problems == []
    assert [url for url in page.asked if not url.startswith((address, "data:", "blob:"))] == []
    assert page.evaluate(MATH_PROBLEMS) == []
    assert page.evaluate(FIGURE_PROBLEMS) == []
    assert page.evaluate("document.documentElement.lang") == ("ja" if "ja/" in path else "en")


MATH_PROBLEMS = """
[...document.querySelectorAll('.math')]
  .filter(node => !node.querySelector('mjx-container, math')
               || node.querySelector('mjx-merror, merror, mjx-mtext[style*=red]'))
  .map(node => node.textContent)
"""

FIGURE_PROBLEMS = """
[...document.querySelectorAll('main img')]
  .filter(image => !image.complete || image.naturalWidth == 0 || !image.alt)
  .map(image => image.outerHTML)
"""


@pytest.mark.browser
@pytest.mark.parametrize("path", PAGES)
def test_page_from_the_disk_fits_a_phone(path, page, html):
    """Complete without a server and without a network, math included; nothing is too wide."""
    page.context.set_offline(True)
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto((html / path).as_uri())
    settle(page)
    assert page.problems == []
    assert [url for url in page.asked if not url.startswith(("file:", "data:", "blob:"))] == []
    assert page.evaluate(MATH_PROBLEMS) == []
    assert page.evaluate(FIGURE_PROBLEMS) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.browser
@pytest.mark.parametrize("name", SOURCES)
def test_the_language_switch_stays_on_the_page(name, page, address):
    page.goto(f"{address}/book/{name}.html")
    page.get_by_role("link", name="日本語").click()
    assert page.url == f"{address}/ja/book/{name}.html"
    page.get_by_role("link", name="English").click()
    assert page.url == f"{address}/book/{name}.html"


@pytest.mark.browser
def test_the_site_opens_at_its_front_page(page, address):
    for edition in ("", "ja/"):
        page.goto(f"{address}/{edition}")
        page.wait_for_url(f"{address}/{edition}book/index.html")


def test_the_pages_show_real_digits_and_real_shakespeare(html):
    shakespeare = (html / "book/shakespeare.html").read_text("utf-8")
    assert "Before we proceed any further, hear me speak." in shakespeare
    digits = (html / "book/digits.html").read_text("utf-8")
    assert len(re.findall(r"<img[^>]+_images/", digits)) >= 3


def test_the_front_page_shows_what_the_chapters_have_made(html):
    for page in ("book/index.html", "ja/book/index.html"):
        front = (html / page).read_text("utf-8")
        assert "ROMEO:" in front
        assert re.search(r'class="pasted-text">9\d\.\d%<', front)


@pytest.mark.browser
@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_the_animation_rests_where_motion_is_unwanted(motion, browser, address):
    context = browser.new_context(reduced_motion=motion)
    page = context.new_page()
    page.goto(f"{address}/book/digits.html")
    figure = page.locator("#fig-scan svg")
    figure.scroll_into_view_if_needed()
    pictures = []
    for _ in range(3):
        page.wait_for_timeout(700)
        pictures.append(figure.screenshot())
    assert (len(set(pictures)) == 1) == (motion == "reduce")
    context.close()


@pytest.mark.browser
def test_the_bars_of_the_animation_move(page, address):
    page.goto(f"{address}/book/digits.html")
    names = page.evaluate(
        "[...document.querySelectorAll('#scan rect')].map(r => getComputedStyle(r).animationName)"
    )
    moving = {f"scan-bar-{k}" for k in range(10)} | {"scan-line"}
    assert set(names) == moving | {"none"}  # paper and frame rest


def test_no_sentence_says_more_than_was_measured(html):
    """Of 0.0894 a sentence may say "at least 0.08", not "at least 0.09"."""
    page = (html / "book/claims.html").read_text("utf-8")
    number = r'<span class="pasted-text">(\d[\d.e+-]*)(%?)</span>'
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", page, re.DOTALL)
    seen, wrong = 0, []
    for row in rows:
        cells = re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL)
        if not cells:
            continue
        values = [float(value) for value in re.sub("<[^>]+>", "", cells[1]).split(";")]
        sentence = " ".join(cells[0].split())
        low = re.findall(rf"at least {number}", sentence)
        low += re.findall(rf"{number} or more", sentence)
        high = re.findall(rf"(?:at most|within|nowhere above|more than) {number}", sentence)
        high += re.findall(rf"{number} (?:at most|or less)", sentence)
        seen += len(low) + len(high)
        for bounds, sign in ((low, 1), (high, -1)):
            for said, percent in bounds:
                bound = float(said) / (100 if percent else 1)
                if not any(sign * bound <= sign * value for value in values):
                    wrong.append(sentence)
    assert wrong == []
    assert seen >= 20


def test_the_front_page_is_translated(html):
    front = (html / "ja/book/index.html").read_text("utf-8")
    assert "再帰型ニューラルネットワーク" in front
    assert "まだ完成していません" not in front
    alts = re.findall(r'<img[^>]+alt="([^"]+)"', front)
    assert any("セル" in alt for alt in alts)


@pytest.mark.parametrize("path", PAGES)
def test_every_link_inside_the_site_leads_somewhere(path, html):
    """Also those to a place within a page."""
    broken = []
    for address in re.findall(r'<a\b[^>]*?\shref="([^"]+)"', (html / path).read_text("utf-8")):
        file, _, anchor = unquote(unescape(address)).partition("#")
        if re.match(r"[a-z]+:", file):
            continue
        target = ((html / path).parent / file if file else html / path).resolve()
        has_places = target.suffix == ".html" and target.is_file()
        if not target.is_file() or (has_places and anchor and anchor not in anchors(target)):
            broken.append(address)
    assert broken == []


@functools.cache
def anchors(page: Path) -> set[str]:
    return {unescape(name) for name in re.findall(r'\sid="([^"]+)"', page.read_text("utf-8"))}


@pytest.mark.parametrize("path", PAGES)
def test_no_markup_is_left_in_the_text(path, html):
    """Such as asterisks that Markdown did not take for bold, as it may beside 。 in Japanese."""
    page = (html / path).read_text("utf-8")
    text = re.sub(r"(?s)<(pre|code|script|style|annotation)\b.*?</\1>", "", page)
    text = re.sub(r'(?s)<dt class="sig.*?</dt>|<[^>]+>', "", text)  # signatures have their own **
    assert re.findall(r".{0,30}(?:\*\*|\]\(|`).{0,30}", text) == []


def test_no_page_shows_a_path_of_the_machine(html):
    private = {str(ROOT), str(Path.home()), os.environ.get("VIRTUAL_ENV", str(ROOT))}
    found = [
        f"{path.relative_to(html)}: {word}"
        for path in html.rglob("*")
        if path.suffix in TEXT_FILES
        for word in private
        if word in path.read_text("utf-8", errors="replace")
    ]
    assert found == []


# ------------------------------------------------------------------ the live figures

DEMOS = {
    "digits": ["digits"],
    "index": ["trainer"],
    "lstm": ["gates", "trainer"],
    "shakespeare": ["writer"],
    "vanishing_gradient": ["gradient"],
}


@pytest.mark.browser
@pytest.mark.parametrize("edition", ["", "ja/"])
@pytest.mark.parametrize("name", DEMOS)
def test_the_demos_of_a_page_work_from_the_disk(name, edition, page, html):
    page.context.set_offline(True)
    page.goto((html / f"{edition}book/{name}.html").as_uri())
    for kind in DEMOS[name]:
        demo = page.locator(f'.rnn-demo[data-demo="{kind}"]')
        demo.scroll_into_view_if_needed()
        demo.locator(".stage").wait_for()
    assert page.locator(".rnn-demo").count() == len(DEMOS[name])
    assert page.problems == []
    assert [url for url in page.asked if not url.startswith(("file:", "data:", "blob:"))] == []


def test_programs_and_weights_are_files_that_both_editions_share(html):
    for page in PAGES:
        assert "data-demo-part" not in (html / page).read_text("utf-8"), page
    weights = {path.name for path in (html / "_static" / "models").glob("*.js")}
    assert len(weights) >= 2  # of the digits and of Shakespeare
    assert not (html / "ja" / "_static" / "models").exists()


@pytest.mark.browser
def test_a_drawn_digit_is_read(page, html):
    page.goto((html / "book/digits.html").as_uri())
    page.locator(".rnn-demo").scroll_into_view_if_needed()
    pad = page.locator(".rnn-demo .pad")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    corners = [(0.25, 0.2), (0.75, 0.2), (0.45, 0.85)]  # a seven
    (x, y), *others = [
        (box["x"] + u * box["width"], box["y"] + v * box["height"]) for u, v in corners
    ]
    page.mouse.move(x, y)
    page.mouse.down()
    for x, y in others:
        page.mouse.move(x, y, steps=12)
    page.mouse.up()
    status = page.locator(".rnn-demo .status").first
    page.wait_for_function(
        "document.querySelector('.rnn-demo .status').textContent.startsWith('After 28 rows')"
    )
    assert status.inner_text().startswith("After 28 rows: 7")


@pytest.mark.browser
def test_the_model_of_the_page_writes(page, html):
    page.goto((html / "book/shakespeare.html").as_uri())
    demo = page.locator(".rnn-demo")
    demo.scroll_into_view_if_needed()
    demo.get_by_label("Pace").select_option("fast")
    demo.get_by_role("button", name="Write").click()
    demo.get_by_role("button", name="Write").wait_for()
    text = demo.locator(".paper").evaluate("node => node.textContent")
    assert text.startswith("ROMEO:\n") and len(text) == 407
    assert len(re.findall(r"\b(the|to|and|of|I|you|my)\b", text)) >= 5  # English, at a glance
