"""The built site, as a reader's browser sees it."""

import functools
import gzip
import io
import os
import random
import re
from bisect import bisect
from html import unescape
from pathlib import Path
from urllib.parse import unquote, urlparse
from urllib.request import url2pathname

import pytest
import yaml
from axe_playwright_python.sync_playwright import Axe
from bs4 import BeautifulSoup
from PIL import Image
from pygments import highlight
from pygments.lexers import PythonLexer

from bookbuild.style import Formatter, code_colours
from built import ROOT
from demo_examples import stop_the_clock

PARTS = yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))["parts"]
SOURCES = sorted(path.stem for path in (ROOT / "book").glob("*.md"))
PAGES = [f"{folder}book/{name}.html" for folder in ("", "ja/") for name in SOURCES]
TEXT_FILES = {".html", ".js", ".css", ".json", ".svg", ".txt", ".md", ".ipynb", ".xml"}


def settle(page):
    """Load the figures below, too, and wait for the fonts of the math."""
    every = "[...document.images].every(image => (image.loading = 'eager') && image.complete)"
    page.wait_for_function(every)  # set anew each time: the page may only now be opening
    page.wait_for_function("document.fonts.status == 'loaded'")


# On a phone, the way is not known before the sections on it have been set.
SCROLL_THERE = """async (node) => {
  for (let k = 0; k < 10; k++) {
    node.scrollIntoView({ block: "center" });
    await new Promise(requestAnimationFrame);
  }
}"""


def begin_all(page) -> None:
    """Let every demo begin."""
    for demo in page.locator(".rnn-demo").all():
        demo.evaluate(SCROLL_THERE)
        demo.locator(".stage").wait_for()


def open_all(page) -> None:
    """Open whatever is folded."""
    page.evaluate("for (const part of document.querySelectorAll('main details')) part.open = true")
    settle(page)


def violations(page) -> list:
    """What axe finds in the light theme, and in the colours of the dark one.

    Half of the elements of a page draw its formulas. They are hidden from screen readers, which
    have others; so here they go.
    """
    page.evaluate(EMPTY_FORMULAS)
    page.evaluate(Axe().axe_script)
    rules = {"label-content-name-mismatch": {"enabled": True}}
    dark = {"runOnly": ["color-contrast", "link-in-text-block"]}
    return [*look(page, "light", {"rules": rules}), *look(page, "dark", dark)]


EMPTY_FORMULAS = """
for (const drawn of document.querySelectorAll("mjx-math[aria-hidden=true]")) drawn.replaceChildren()
"""

GOOD: set[str] = set()  # how words and links look in which axe has found nothing, on any page


def look(page, theme: str, options: dict) -> list:
    """What axe finds in a theme."""
    found, looks = page.evaluate(LOOK, [theme, options, list(GOOD)])
    if not found:
        GOOD.update(looks)
    return found


# Axe takes a second for the contrast of a thousand words, and another one for the links among them.
# Most look alike: of those with the same colours, size and class, on the same backgrounds, it looks
# at three, and at none of those that look as words or links of an earlier page did.
LOOK = """async ([theme, options, good]) => {
  document.documentElement.dataset.theme = theme;
  const behind = new Map([[null, ""]]);
  const backgrounds = (node) => {
    if (!behind.has(node)) {
      const { backgroundColor, backgroundImage, opacity } = getComputedStyle(node);
      const above = backgrounds(node.parentElement);
      const own = `;${backgroundColor} ${backgroundImage} ${opacity}`;
      behind.set(node, above.endsWith(own) ? above : above + own);
    }
    return behind.get(node);
  };
  const lookOf = (node) => {
    const style = getComputedStyle(node);
    const kind = node.nodeName + node.getAttribute("class");
    const { color, fontSize, fontWeight, textShadow, textDecoration, borderBottom } = style;
    const words = [color, fontSize, fontWeight, textShadow, textDecoration, borderBottom];
    return [...words, kind, backgrounds(node)].join();
  };
  const hasWords = (node) => node.matches("input, select, textarea")
    || [...node.childNodes].some((child) => child.nodeType === Node.TEXT_NODE && child.data.trim());
  const seen = new Set(good), looks = {};
  const mark = (node, attribute, look) => {
    looks[look] = (looks[look] ?? 0) + 1;
    node.toggleAttribute(attribute, looks[look] <= 3 && !seen.has(look));
  };
  for (const node of document.querySelectorAll("body *")) {
    if (hasWords(node) && node.checkVisibility()) mark(node, "data-words", lookOf(node));
  }
  for (const node of document.querySelectorAll("body a[href]")) {
    mark(node, "data-link", `${lookOf(node)} within ${lookOf(node.parentElement)}`);
  }
  for (const code of document.querySelectorAll("pre")) {
    if (!code.querySelector("[data-words]")) code.textContent = code.textContent;
  }
  axe.configure({ rules: [
    { id: "color-contrast", selector: "[data-words]" },
    { id: "link-in-text-block", selector: "[data-link]" },
  ] });
  const { violations } = await axe.run({ resultTypes: ["violations"], ...options });
  const some = (nodes) => nodes.slice(0, 3).map(({ html }) => html.slice(0, 200));
  return [violations.map(({ id, nodes }) => [id, some(nodes)]), Object.keys(looks)];
}"""


def test_every_source_has_a_page_in_both_editions(html):
    assert {page for page in PAGES if not (html / page).is_file()} == set()


DEMOS = {
    "attention": ["alignment", "alignment"],
    "digits": ["digits"],
    "index": ["trainer", "kanji"],
    "kanji": ["kanji"],
    "lstm": ["gates", "trainer"],
    "names": ["names"],
    "pictures": ["pictures"],
    "shakespeare": ["writer"],
    "speech": ["speech"],
    "vanishing_gradient": ["gradient"],
}
CHARTS = {"gradient", "trainer"}  # demos that take their shape when they begin


@pytest.mark.parametrize("path", PAGES)
def test_page(path, page, html):
    """One visit, from the disk, without a network: all is there and can be read, wide or narrow."""
    name = Path(path).stem
    page.context.set_offline(True)
    page.goto((html / path).as_uri())
    begin_all(page)
    demos = page.locator(".rnn-demo").evaluate_all("nodes => nodes.map(node => node.dataset.demo)")
    assert demos == DEMOS.get(name, [])
    more = page.evaluate(MORE)
    if not CHARTS & {*demos}:
        page.set_viewport_size({"width": 390, "height": 900})
        more += page.evaluate(MORE)
    page.set_viewport_size({"width": 360, "height": 740})
    open_all(page)
    wrong = {
        "demos that push away what is below": [room for room in more if not -2 < room < 120],
        "too wide": page.evaluate(TOO_WIDE),
        "marks at the beginning of a line": page.evaluate(FIRST_MARKS),
        "math": page.evaluate(MATH_PROBLEMS),
        "figures": page.evaluate(FIGURE_PROBLEMS),
        "asked elsewhere": [
            url for url in page.asked if not url.startswith(("file:", "data:", "blob:"))
        ],
        "too heavy": over_budget(weight(page), BUDGETS | OF_ONE.get(name, {})),
        "problems": [*page.problems],  # axe tries to read style sheets, which a disk does not allow
    }
    assert page.evaluate(LANGUAGES) == {
        "page": "ja" if path.startswith("ja/") else "en",
        "en": (html / f"book/{name}.html").as_uri(),
        "ja": (html / f"ja/book/{name}.html").as_uri(),
    }
    page.set_viewport_size({"width": 1280, "height": 900})
    wrong["axe"] = violations(page)
    assert {what: found for what, found in wrong.items() if found} == {}


LANGUAGES = """() => {
  const links = [...document.querySelectorAll('.languages a')].map(link => [link.lang, link.href]);
  return { page: document.documentElement.lang, ...Object.fromEntries(links) };
}"""

TOO_WIDE = """() => {
  if (document.documentElement.scrollWidth <= innerWidth) return [];
  const wide = [...document.querySelectorAll('body *')]
    .filter(node => node.getBoundingClientRect().right > innerWidth);
  return [document.documentElement.scrollWidth, ...wide.map(node => node.outerHTML.slice(0, 200))];
}"""

# Of the marks right behind a formula, those that stand in another line.
FIRST_MARKS = """() => [...document.querySelectorAll("main span.math")].filter((formula) => {
  const text = formula.nextSibling;
  if (text?.nodeType !== Node.TEXT_NODE || !/^[,.;:!?)、。，）」]/.test(text.data)) return false;
  const range = document.createRange();
  range.setStart(text, 0);
  range.setEnd(text, 1);
  const mark = range.getBoundingClientRect(), before = formula.getBoundingClientRect();
  return mark.height > 0 && mark.right < before.left;
}).map((formula) => formula.textContent + formula.nextSibling.data.slice(0, 20))"""

# What the heaviest pages of November 2026 need, and (but for requests) a tenth more: pictures.html
# in Japanese, bptt.html, digits.html and lstm.html, pictures.html in Japanese, attention.html.
# Since December 2026 each page has more: what the chapters are about in its contents (2 kB, 24
# elements), and in English the font of the titles (a request, 10 kB).
BUDGETS = {
    "document (kB)": 73,
    "elements": 10_824,
    "requests": 21,
    "all (kB)": 252,
    "models (kB)": 1_048,
}
OF_ONE = {"cards": {"elements": 18_300}}  # the formulas of twenty chapters, and a tenth more


def weight(page) -> dict[str, float]:
    """What a page takes, down to its last figure, with text compressed as GitHub Pages does it."""
    asked = [Path(url2pathname(urlparse(url).path)) for url in page.asked if url[:5] == "file:"]
    files = [path for path in asked if path.is_file()]  # what is missing is among the problems
    models = [path for path in files if path.parent.name == "models"]
    found = {
        "document (kB)": compressed(files[0]) / 1000,
        "elements": page.evaluate("document.querySelectorAll('*').length"),
        "requests": len(files),
        "all (kB)": sum(map(compressed, set(files) - set(models))) / 1000,
        "models (kB)": sum(map(compressed, models)) / 1000,
    }
    return found


@functools.cache
def compressed(path: Path) -> int:
    content = path.read_bytes()
    return len(gzip.compress(content) if path.suffix in TEXT_FILES else content)


def test_what_a_page_takes_is_counted(page, tmp_path):
    """Or the budgets would be kept by whatever is not seen."""
    (tmp_path / "models").mkdir()
    (tmp_path / "models/m.js").write_bytes(random.Random(0).randbytes(3000).hex().encode())
    (tmp_path / "picture.png").write_bytes(random.Random(1).randbytes(5000))
    head = '<link rel="icon" href="data:,"><script src="models/m.js"></script>'
    text = f'<html><head>{head}</head><body><p>A</p><img src="picture.png"></body></html>'
    (tmp_path / "page.html").write_text(text)
    page.goto((tmp_path / "page.html").as_uri())
    found = weight(page)
    assert (found["elements"], found["requests"]) == (7, 3)
    assert found["models (kB)"] == pytest.approx(3.4, abs=0.3)  # 6000 digits, compressed
    assert found["document (kB)"] == pytest.approx(0.16, abs=0.05)
    assert found["all (kB)"] == pytest.approx(5 + found["document (kB)"])
    assert over_budget(BUDGETS) == {}
    for what in BUDGETS:
        assert set(over_budget(BUDGETS | {what: BUDGETS[what] + 1})) == {what}
    page.problems.clear()  # what it runs is no program


def over_budget(found: dict[str, float], budgets=BUDGETS) -> dict[str, float]:
    return {what: value for what, value in found.items() if value > budgets[what]}


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


# How much more room each demo takes than was kept for it, in pixels.
MORE = """() => [...document.querySelectorAll(".rnn-demo")].map((demo) =>
  demo.querySelector(".stage").offsetHeight - parseFloat(getComputedStyle(demo).minHeight))"""


@pytest.mark.parametrize(
    "path", [path for path in PAGES if CHARTS & {*DEMOS.get(Path(path).stem, [])}]
)
def test_on_a_phone_what_stands_below_a_chart_stays_there_when_it_begins(path, page, html):
    page.set_viewport_size({"width": 390, "height": 900})
    page.goto((html / path).as_uri())
    begin_all(page)
    more = page.evaluate(MORE)
    assert min(more) > -2 and max(more) < 120


def test_the_site_opens_at_its_front_page(page, address):
    for edition in ("", "ja/"):
        page.goto(f"{address}/{edition}")
        page.wait_for_url(f"{address}/{edition}book/index.html")


@pytest.mark.parametrize("path", ["book/digits.html", "ja/book/lstm.html"])
def test_a_page_asks_only_its_own_server(path, page, address):
    page.goto(f"{address}/{path}")
    begin_all(page)
    open_all(page)
    assert page.problems == []
    assert [url for url in page.asked if not url.startswith((address, "data:", "blob:"))] == []


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


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_a_digit_is_read_at_once_where_motion_is_unwanted(motion, visitor, html):
    page = visitor(reduced_motion=motion)
    stop_the_clock(page)  # or it could be over before one looks
    page.goto((html / "book/digits.html").as_uri())
    page.locator(".rnn-demo .examples button").last.click()
    goes_on = page.get_by_role("button", name="Pause").is_visible()
    assert goes_on == (motion == "no-preference")


POWER, RAISED = "\N{NO-BREAK SPACE}×\N{NO-BREAK SPACE}10", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"
NUMBER = rf'<span class="pasted-text claimed">(\d[\d.]*(?:{POWER}[{RAISED}]+)?)(%?)</span>'
UNIT = r"\s*(?:倍|ナット|ポイント)?\s*"
LEAST = rf"at least {NUMBER}", rf"{NUMBER} or more", rf"{NUMBER}{UNIT}以上"
MOST = (
    rf"(?:at most|within|nowhere above|more than) {NUMBER}",
    rf"{NUMBER} (?:at most|or less)",
    rf"{NUMBER}{UNIT}(?:以下|以内|を超えることは)",
)


def number(words: str) -> float:
    """What is written as 0.02 or as 2 × 10⁻², or with a minus sign."""
    plain = str.maketrans(f"−{RAISED}", "--0123456789")
    return float(words.replace(POWER, "e").translate(plain))


@pytest.mark.parametrize("edition", ["", "ja/"])
def test_no_sentence_says_more_than_was_measured(edition, html):
    """Of 0.0894 a sentence may say "at least 0.08", not "at least 0.09"."""
    page = (html / f"{edition}book/claims.html").read_text("utf-8")
    seen, wrong = 0, []
    for row in re.findall(r"<tr[^>]*>(.*?)</tr>", page, re.DOTALL):
        sentence, measured, *_ = re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL) or ("", "")
        sentence = " ".join(sentence.split())
        values = [number(value) for value in re.sub("<[^>]+>", "", measured).split(";") if value]
        claimed = [found.start() for found in re.finditer('class="pasted-text claimed"', sentence)]
        assert len(claimed) == len(values), sentence
        for sign, forms in ((1, LEAST), (-1, MOST)):
            for found in (found for form in forms for found in re.finditer(form, sentence)):
                said, percent = found.groups()
                bound = number(said) / (100 if percent else 1)
                quoted = values[bisect(claimed, found.start(1)) - 1]
                seen += 1
                if sign * bound > sign * quoted:
                    wrong.append((sentence, said, quoted))
    assert wrong == []
    assert seen >= 20


def test_the_front_page_is_translated(html):
    front = (html / "ja/book/index.html").read_text("utf-8")
    assert "再帰型ニューラルネットワーク" in front
    assert "新しい版" not in front
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
def test_the_contents_name_every_page_and_mark_this_one(path, html):
    whole = (html / path).read_text("utf-8")
    (contents,) = re.findall(r'(?s)<nav[^>]* id="contents".*?</nav>', whole)
    page = BeautifulSoup(contents, "html.parser")
    links = page.select("#contents .toctree-l1 > a")
    places = [(html / path).parent / link["href"].removeprefix("#") for link in links]
    edition = html / Path(path).parent
    assert {(html / path) if place == edition else place for place in places} == {
        edition / f"{name}.html" for name in SOURCES
    }
    (current,) = [link for link in links if link.get("aria-current")]
    assert current["href"] == "#" and "current" in current.parent["class"]
    captions = [caption.get_text() for caption in page.select("#contents > .caption")]
    assert len(captions) == len(PARTS)
    for caption in captions:
        assert bool(re.search("[ぁ-んァ-ヶ]", caption)) == path.startswith("ja/"), caption


@pytest.mark.parametrize("edition", ["", "ja/"])
def test_what_a_cell_prints_behind_a_guess_is_seen_with_the_answer(edition, page, html):
    page.goto((html / f"{edition}book/simple_rnn.html").as_uri())
    answer = page.locator("details.admonition:not(.solution):has(+ .cell .stream)").first
    printed = answer.locator("+ .cell .cell_output")
    hint = answer.locator("summary").evaluate("node => getComputedStyle(node, '::after').content")
    assert ("次のセル" if edition else "next cell") in hint
    assert not printed.is_visible()
    answer.locator("summary").click()
    assert printed.is_visible() and "0.9524" in printed.inner_text()


@pytest.mark.parametrize("path", PAGES)
def test_cells_that_a_phone_shows_below_each_other_name_their_columns(path, html):
    tables = re.findall(r"(?s)<table.*?</table>", (html / path).read_text("utf-8"))
    page = BeautifulSoup("".join(tables), "html.parser")
    for table in page.select("table.stacked, table.claims"):
        for math in table.select("mjx-container"):
            math.decompose()
        headings = [cell.get_text().strip() for cell in table.select("thead th, thead td")]
        for row in table.select("tbody tr"):
            assert [cell.get("data-label", "") for cell in row("td")] == ["", *headings[1:]]
    assert [heading for heading in page.select("th") if not heading.get_text().strip()] == []


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


@pytest.mark.parametrize("figure", ["#fig-digits img", "#fig-compared img"])
def test_in_the_dark_a_drawing_has_the_ground_of_its_page(figure, page, html):
    page.emulate_media(reduced_motion="reduce")
    page.goto((html / "book/digits.html").as_uri())
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    open_all(page)  # one is folded
    drawing = page.locator(figure)
    drawing.scroll_into_view_if_needed()
    settle(page)
    picture = Image.open(io.BytesIO(drawing.screenshot())).convert("RGB")
    _, most = max(picture.getcolors(picture.width * picture.height))
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert paper == f"rgb{most}" and max(most) < 64


# ------------------------------------------------------------------ the live figures


def test_programs_and_weights_are_files_that_both_editions_share(html):
    sources = {}
    for page in PAGES:
        text = (html / page).read_text("utf-8")
        assert "rnnbookModels" not in text and "use strict" not in text, page
        assert text.count('<link rel="stylesheet"') <= 1, page
        tags = "".join(re.findall(r'<div class="rnn-demo"[^>]*>', text))
        figures = BeautifulSoup(tags, "html.parser").select(".rnn-demo")
        assert len(figures) == len(DEMOS.get(Path(page).stem, [])), page
        sources[page] = [source_of(figure, html / page) for figure in figures]
    english = [page for page in PAGES if not page.startswith("ja/")]
    assert all(sources[page] == sources[f"ja/{page}"] for page in english)
    assert not (html / "ja" / "_static" / "models").exists()


def source_of(figure, page: Path) -> Path | None:
    """The file with the weights of a live figure; none where they are random at first."""
    if figure["data-demo"] in ("gates", "gradient", "trainer"):
        return None
    file = (page.parent / figure["data-source"]).resolve()
    assert figure["data-weights"] in file.read_text("utf-8"), page
    return file


def test_a_drawn_digit_is_read(page, html):
    page.goto((html / "book/digits.html").as_uri())
    page.locator(".rnn-demo").scroll_into_view_if_needed()
    pad = page.locator(".rnn-demo .pad")
    pad.scroll_into_view_if_needed()
    page.clock.install(time=0)
    page.clock.pause_at(60_000)
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
    page.clock.run_for(600 + 29 * 150)  # from the end of the stroke to the last row
    status = page.locator(".rnn-demo .status").first
    assert status.inner_text().startswith("After 28 rows: 7")


def test_the_model_of_the_page_writes(page, html):
    page.goto((html / "book/shakespeare.html").as_uri())
    demo = page.locator(".rnn-demo")
    demo.scroll_into_view_if_needed()
    demo.get_by_text("More", exact=True).click()
    demo.get_by_label("Pace").select_option("fast")
    demo.get_by_role("button", name="Begin anew").click()
    demo.get_by_role("button", name="Write").wait_for()
    text = demo.locator(".paper").evaluate("node => node.textContent")
    assert text.startswith("ROMEO:\n") and len(text) == 407
    assert len(re.findall(r"\b(the|to|and|of|I|you|my)\b", text)) >= 5  # English, at a glance


def test_code_has_an_element_only_for_what_has_a_colour_of_its_own():
    source = 'total = add(1, "a")  # of both\n'
    code = BeautifulSoup(highlight(source, PythonLexer(), Formatter()), "html.parser")
    kinds = {span["class"][0] for span in code.select("span[class]")}
    assert code.get_text().strip() == source.strip() and kinds == {"o", "mi", "s2", "c1"}
    colours = code_colours()
    assert all(f".highlight .{kind} {{" in colours for kind in kinds)
    assert ".highlight .n {" not in colours
