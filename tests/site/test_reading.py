"""The site as readers use it: with a keyboard, a screen reader, the search, on paper, offline."""

import json
import re
import shutil
import subprocess
import sys
import zipfile
import zlib
from itertools import pairwise
from pathlib import Path

import pytest
from jinja2 import Template
from playwright.sync_api import expect
from py_mini_racer import MiniRacer

import validate
from bookbuild.mathjax import styles, typeset
from bookbuild.search import JapaneseSearch
from built import ROOT
from test_site import PAGES, settle, violations
from waiting import let_it_paint

# ------------------------------------------------------------------ accessibility


@pytest.mark.parametrize("path", ["search.html", "ja/search.html", "404.html", "ja/404.html"])
def test_axe_finds_nothing_on_pages_that_are_no_chapters(path, page, html):
    page.goto((html / path).as_uri())
    assert violations(page) == []


def test_axe_finds_words_and_links_that_cannot_be_seen_also_behind_a_page_without(page):
    """Of what looks as on an earlier page it takes no notice: that must not hide what does not."""
    for colours, found in [
        ("color: #00c", []),
        ("color: #555; text-decoration: none", ["link-in-text-block"]),
        ("color: #ccc", ["color-contrast"]),
    ]:
        link = f'<a href="#" style="{colours}">words of a link</a>'
        words = f"<h1>A</h1><p>Words before {link}, and words behind it.</p>"
        page.set_content(f"<!doctype html><html lang=en><title>A</title><main>{words}</main>")
        assert sorted({rule for rule, _ in violations(page)}) == found


def test_every_page_is_valid_html(html):
    """`make validate` says so, too; the weekly workflow runs it, so that no push waits for it."""
    if reason := validate.obstacle():
        pytest.skip(reason)
    assert validate.messages(html) == []


def test_a_page_that_is_not_valid_is_found(tmp_path):
    if reason := validate.obstacle():
        pytest.skip(reason)
    page = "<!doctype html><html lang=en><title>A</title><details><summary><p>b</p></summary>"
    (tmp_path / "page.html").write_text(f"{page}</details>")
    (message,) = validate.messages(tmp_path)
    assert "not allowed as child of element “summary”" in message


def test_only_the_checker_that_is_known_is_run(tmp_path):
    (tmp_path / "another.tgz").write_bytes(b"")
    with pytest.raises(ValueError, match=r"expected sha512-.*, found sha512-"):
        validate.unpacked(tmp_path / "another.tgz")


@pytest.mark.parametrize("path", PAGES)
def test_what_opens_is_named_by_words_alone(path, html):
    """A summary may not hold paragraphs, nor another name than the one that is seen."""
    summaries = re.findall(r"(?s)<summary\b.*?</summary>", (html / path).read_text("utf-8"))
    assert [text for text in summaries if re.search("<p[ >]|aria-label", text)] == []


@pytest.mark.parametrize("path", PAGES)
def test_headings_are_in_order(path, html):
    levels = [int(n) for n in re.findall(r"<h([1-6])\b", (html / path).read_text("utf-8"))]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(b <= a + 1 for a, b in pairwise(levels)), levels


@pytest.mark.parametrize("path", PAGES)
def test_ids_are_unique(path, html):
    ids = re.findall(
        r'<(?!path|clipPath|g|use|defs)\w+[^>]*\sid="([^"]+)"', (html / path).read_text("utf-8")
    )
    assert sorted(ids) == sorted(set(ids))


def test_the_keyboard_gets_everywhere(page, html):
    page.goto((html / "book/lstm.html").as_uri())
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#main"
    page.keyboard.press("Control+k")
    assert page.evaluate("document.activeElement.name") == "q"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # the menu "Run, download"
    assert page.locator(".use ul").is_visible()
    page.keyboard.press("Escape")
    assert not page.locator(".use ul").is_visible()
    unseen = page.evaluate(
        """() => [...document.querySelectorAll('a, button, input, select, summary, [tabindex="0"]')]
          .filter(node => node.checkVisibility() && !node.disabled && node.tabIndex >= 0)
          .filter(node => {
            node.focus({ focusVisible: true });
            const { outlineStyle, outlineWidth } = getComputedStyle(node);
            return document.activeElement !== node
              || outlineStyle === 'none' || outlineWidth === '0px';
          }).map(node => node.outerHTML.slice(0, 200))"""
    )
    assert unseen == []


def test_on_a_phone_the_contents_open_and_close_with_the_keyboard(page, html):
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto((html / "book/lstm.html").as_uri())
    contents = page.locator("#contents")
    assert not contents.is_visible()
    page.get_by_role("button", name="Contents").focus()
    page.keyboard.press("Enter")
    assert contents.is_visible()
    page.keyboard.press("Escape")
    assert not contents.is_visible()
    small = page.evaluate(
        """() => [...document.querySelectorAll('header :is(button, input, summary, a)')]
          .filter(node => node.checkVisibility() && node.getBoundingClientRect().height < 44)
          .map(node => node.outerHTML)"""
    )
    assert small == []


# ------------------------------------------------------------------ light and dark, scripts, paper


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_theme_follows_the_system_until_the_reader_chooses(scheme, visitor, html):
    page = visitor(color_scheme=scheme)
    page.goto((html / "book/lstm.html").as_uri())
    colour = "getComputedStyle(document.body).backgroundColor"
    before = page.evaluate(colour)
    assert (before == "rgb(255, 255, 255)") == (scheme == "light")
    page.locator("button.theme").click()
    after = page.evaluate(colour)
    assert after != before
    page.reload()
    assert page.evaluate(colour) == after


def test_without_javascript_everything_can_be_read(visitor, html):
    page = visitor(
        java_script_enabled=False, viewport={"width": 360, "height": 740}, color_scheme="dark"
    )
    page.goto((html / "book/lstm.html").as_uri())
    assert page.locator("mjx-container").count() > 50
    assert page.get_by_text("Four times as many").is_hidden()
    page.get_by_text("Solution to Exercise").first.click()
    assert page.get_by_text("Four times as many").is_visible()
    contents = page.get_by_role("button", name="Contents")
    expect(contents).to_be_in_viewport()  # in the row of the header that stays
    contents.click()
    page.get_by_role("link", name="Read a digit row by row").first.click()
    page.wait_for_url("**/digits.html")
    assert not page.locator("button.theme").is_visible()
    page.goto((html / "search.html").as_uri())
    assert page.get_by_text("The search needs JavaScript").is_visible()


def test_of_what_is_stored_only_a_theme_counts_as_one(page, html):
    page.emulate_media(color_scheme="dark")
    page.goto((html / "book/lstm.html").as_uri())
    for stored, theme in (("light", "light"), ("</script>", "dark")):
        page.evaluate("stored => localStorage.setItem('theme', stored)", stored)
        page.reload()
        assert page.evaluate("document.documentElement.dataset.theme") == theme


def test_one_button_opens_what_is_deeper_and_the_choice_holds_on_other_pages(page, html):
    folds, opened = page.locator("details.deeper"), page.locator("details.deeper[open]")
    page.goto((html / "book/lstm.html").as_uri())
    assert folds.count() > 2 and opened.count() == 0
    page.get_by_role("button", name="Open the deeper parts").click()
    assert opened.count() == folds.count()
    page.goto((html / "ja/book/digits.html").as_uri())
    assert folds.count() > 1
    expect(opened).to_have_count(folds.count())  # kept by the page before, it may come late
    page.get_by_role("button", name="深い部分を畳む").click()
    assert opened.count() == 0
    page.reload()
    expect(page.get_by_role("button", name="深い部分をすべて開く")).to_be_visible()
    assert opened.count() == 0


def test_an_address_that_leads_to_no_place_harms_nothing(page, html):
    page.goto(f"{(html / 'book/lstm.html').as_uri()}#%")
    settle(page)
    assert page.locator("button.theme").is_visible() and page.problems == []


def test_code_can_be_copied(visitor, address):
    page = visitor(permissions=["clipboard-read", "clipboard-write"])
    page.goto(f"{address}/book/lstm.html")
    cell = page.locator(".cell_input .highlight:visible").first
    cell.hover()
    cell.get_by_role("button", name="Copy").click()
    page.get_by_text("Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()").startswith("import ")


def test_on_paper_there_is_the_text_alone_in_black_on_white(page, html):
    page.goto((html / "book/lstm.html").as_uri())
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    solution = page.get_by_text("Four times as many")
    deeper = page.locator("details.deeper > :not(summary)").first
    assert not deeper.is_visible()
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert deeper.is_visible() and not solution.is_visible()  # or it could not be handed out
    for part in ("body > header", "#contents", ".this-page", ".neighbours"):
        assert not page.locator(part).is_visible(), part
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert not deeper.is_visible()
    page.locator("details.solution", has=solution).evaluate("fold => (fold.open = true)")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert solution.is_visible()  # the reader opened it
    assert len(page.pdf(format="A4")) > 100_000


# ------------------------------------------------------------------ the search

SEARCHES = [
    ("", "vanishing", "vanishing_gradient"),
    ("", "forget gate", "lstm"),
    ("ja/", "勾配消失", "vanishing_gradient"),
    ("ja/", "忘却ゲート", "lstm"),
    ("ja/", "画", "kanji"),
    ("ja/", "vanishing", "vanishing_gradient"),
]


@pytest.mark.parametrize("where", ["server", "disk"])
@pytest.mark.parametrize(("edition", "words", "expected"), SEARCHES)
def test_the_search_finds_a_page_and_marks_the_words_there(
    edition, words, expected, where, page, html, address
):
    site = address if where == "server" else html.as_uri()
    page.goto(f"{site}/{edition}book/references.html")
    field = page.locator("header input[name=q]")
    field.fill(words)
    field.press("Enter")
    hit = page.locator(f"#search-results a[href^='book/{expected}.html']").first
    hit.wait_for()
    if where == "server":  # a page on a disk may not read others
        page.locator("#search-results .context").first.wait_for()
    hit.click()
    page.locator("main .highlighted:visible").first.wait_for()
    marked = {text.lower() for text in page.locator(".highlighted").all_text_contents()}
    assert marked == set(words.split())
    assert page.problems == []


@pytest.mark.parametrize(
    ("path", "words"), [("book/gru.html", "gate"), ("ja/book/gru.html", "ゲート")]
)
def test_an_address_with_words_marks_them(path, words, page, html):
    page.goto(f"{(html / path).as_uri()}?highlight={words}")
    page.locator("main .highlighted:visible").first.wait_for()
    assert "?" not in page.url
    assert page.problems == []


@pytest.mark.parametrize("search", ["search.html?q=forget gate", "ja/search.html?q=忘却ゲート"])
def test_results_that_are_equally_good_come_in_the_order_of_the_book(search, page, html):
    page.goto(f"{html.as_uri()}/{search}")
    page.get_by_text(re.compile(r"\d+ (found|件見つかりました)")).wait_for()
    name = "links => links.map(link => link.pathname.split('/').pop())"
    book = page.locator("#contents li > a").evaluate_all(name)
    found = page.locator("#search-results a[data-score]")
    scores = found.evaluate_all("links => links.map(link => Math.ceil(link.dataset.score))")
    places = [book.index(hit) for hit in found.evaluate_all(name)]
    hits = list(zip(scores, places, strict=True))
    assert len(hits) > len(set(scores)) + 2
    assert hits == sorted(hits, key=lambda hit: (-hit[0], hit[1]))


def test_a_search_without_a_hit_says_so(page, html):
    for edition, sentence in (("", "Nothing was found"), ("ja/", "見つかりませんでした")):
        page.goto(f"{(html / edition / 'search.html').as_uri()}?q=xyzzy")
        page.get_by_text(sentence).wait_for()
    assert page.problems == []


@pytest.mark.parametrize(
    "query", ["constructor", "__proto__", "hasOwnProperty", "lstm constructor"]
)
def test_a_search_for_a_word_that_every_object_of_javascript_has_ends(query, page, html):
    page.goto(f"{(html / 'search.html').as_uri()}?q={query}")
    page.get_by_text("Nothing was found").wait_for()
    assert page.problems == []


def words_of_the_query(text: str) -> list[str]:
    engine = MiniRacer()
    engine.eval(JapaneseSearch.js_splitter_code)
    return json.loads(engine.eval(f"JSON.stringify(splitQuery({json.dumps(text)}))"))


@pytest.mark.parametrize(
    "text", ["勾配消失の問題", "LSTMの忘却ゲート", "章", "a_b ＋ 学習率 0.01", "々々", "メモリー"]
)
def test_japanese_is_split_the_same_way_in_the_index_and_in_the_query(text):
    query, index = words_of_the_query(text), JapaneseSearch({}).split(text)
    assert query == [word for word in index if word in query]
    assert "勾配消失" not in query and ("勾配" in query) == ("勾配" in text)


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("忘却", "忘却ゲートを開く"),
        ("漢", "漢字を書く"),
        ("メモリー", "メモリの量"),
        ("メモリ", "メモリーの量"),
        ("コンピュータ", "コンピューターで"),
        ("コンピューターで", "コンピュータで"),
    ],
)
def test_a_query_finds_a_word_in_its_other_spellings(query, text):
    assert set(words_of_the_query(query)) <= set(JapaneseSearch({}).split(text))


def test_a_long_vowel_counts_where_it_tells_words_apart():
    assert words_of_the_query("キー") == ["キー"]  # キ is another word


# ------------------------------------------------------------------ what a page asks for

IMAGE = {"content_type": "text/html", "body": '<!doctype html><img src="image.png" alt="an image">'}


@pytest.mark.parametrize(("failure", "problems"), [("cut off", 0), ("refused", 1)])
def test_of_requests_that_fail_only_those_that_the_next_page_cuts_off_are_forgiven(
    failure, problems, page
):
    page.route("http://book/", lambda route: route.fulfill(**IMAGE))
    answers = {"cut off": lambda route: None, "refused": lambda route: route.abort("failed")}
    page.route("http://book/image.png", answers[failure])
    with page.expect_event("requestfailed"):
        with page.expect_request("http://book/image.png"):
            page.goto("http://book/", wait_until="commit")
        if failure == "cut off":
            page.goto("about:blank")
    failed = [problem for problem in page.problems if problem.startswith("http://book/image.png")]
    assert len(failed) == problems


def test_every_page_has_the_style_sheet_of_today(html):
    sheet = Template((ROOT / "book/_templates/site.css").read_text("utf-8")).render()
    styles = " ".join(sheet.split())
    assert [page for page in PAGES if styles not in (html / page).read_text("utf-8")] == []


LAST_LINK = """(hash) => [...document.querySelectorAll(`main a[href="${hash}"]`)].at(-1).click()"""
ALL_SET = """[...document.querySelectorAll("main section > section")]
  .every((section) => section.style.contentVisibility == "visible")
  && !document.querySelector(".waits")"""
AT_TOP = """(id) => {
  const { top } = document.getElementById(id).getBoundingClientRect();
  return 0 <= top && top <= 100;
}"""


@pytest.mark.parametrize("place", ["tab-lstm-kept", "in-practice"])  # the first is in a fold
@pytest.mark.parametrize("way", ["link", "address"])
def test_a_link_within_a_page_leads_to_its_place_on_a_phone(way, place, visitor, html):
    page = visitor(viewport={"width": 390, "height": 844})
    address = (html / "book/lstm.html").as_uri()
    page.goto(f"{address}#{place}" if way == "address" else address)
    if way == "link":
        page.evaluate(LAST_LINK, f"#{place}")
    page.wait_for_function(ALL_SET)  # by which time all heights are what they will be
    page.wait_for_function(AT_TOP, arg=place)


def test_every_page_asks_for_the_script_of_today(html):
    script = (ROOT / "book/_static/site.js").read_bytes()
    assert (html / "_static/site.js").read_bytes() == script
    name = f"site.js?{zlib.crc32(script):08x}"
    assert [page for page in PAGES if name not in (html / page).read_text("utf-8")] == []


# ------------------------------------------------------------------ what a page weighs


def test_a_page_asks_for_nothing_that_it_does_not_use(page, address, html):
    (font,) = (html / "_static").glob("titles-*.woff2")
    page.goto(f"{address}/book/build.html")  # has neither pictures nor formulas
    settle(page)
    assert {url.removeprefix(address).partition("?")[0] for url in page.asked} == {
        "/book/build.html",
        "/_static/site.js",
        f"/_static/{font.name}",
    }


@pytest.mark.parametrize("path", PAGES)
def test_pictures_have_sizes_and_those_below_wait(path, html):
    pictures = re.findall(r"<img[^>]+_images/[^>]+>", (html / path).read_text("utf-8"))
    for size in ("width", "height"):
        assert all(re.search(rf' {size}="\d+"', picture) for picture in pictures)
    assert ["lazy" in picture for picture in pictures] == [k > 0 for k in range(len(pictures))]


@pytest.mark.parametrize("path", PAGES)
def test_every_solution_is_an_element_that_opens(path, html):
    source = (ROOT / "book" / f"{Path(path).stem}.md").read_text("utf-8")
    solution = r'<details class="solution[^>]+>\s*<summary class="admonition-title">[^<]+ \d+\.\d+<'
    found = re.findall(solution, (html / path).read_text("utf-8"))
    assert len(found) == len(re.findall("{solution}", source))


# ------------------------------------------------------------------ formulas


def test_a_formula_is_set_with_words_for_a_screen_reader():
    html = typeset(r"\sigma(x) = \frac{1}{1 + e^{-x}}", True)
    assert "<mjx-frac" in html and "<mjx-assistive-mml" in html and "<mfrac>" in html


def test_a_formula_that_is_wrong_is_an_error():
    with pytest.raises(ValueError, match="Undefined control sequence"):
        typeset(r"\sigmoid(x)", False)


def test_a_page_has_the_styles_of_its_own_formulas_only():
    short = styles(typeset("x", False), "fonts")
    long = styles(typeset(r"\begin{pmatrix} x & \sqrt y \end{pmatrix}", True), "fonts")
    assert "mjx-sqrt" in long and "mjx-sqrt" not in short
    assert "fonts/MathJax_Main-Regular.woff" in short and len(short) < len(long)


# ------------------------------------------------------------------ the site as one file


def test_the_packed_site_works_without_a_network(page, html, tmp_path):
    archive, kept = html / "rnnbook.zip", tmp_path / "kept.zip"
    if archive.exists():
        shutil.copy(archive, kept)
    archive.write_bytes(b"an older one, which is not packed")
    try:
        subprocess.run([sys.executable, "-m", "bookbuild", "zip"], cwd=ROOT, check=True)
        with zipfile.ZipFile(archive) as packed:
            assert "rnnbook.zip" not in packed.namelist()
            assert not any("_executed" in name for name in packed.namelist())
            packed.extractall(tmp_path / "book")
    finally:
        archive.unlink(missing_ok=True)
        if kept.exists():
            shutil.move(kept, archive)
    page.context.set_offline(True)
    page.goto((tmp_path / "book/index.html").as_uri())
    page.wait_for_url("**/book/index.html")
    page.locator("header input[name=q]").fill("vanishing")
    page.keyboard.press("Enter")
    page.locator("#search-results a").first.click()
    page.wait_for_url(lambda url: "search.html" not in url)
    settle(page)
    assert page.locator("mjx-container").count() > 0
    assert page.problems == []
    shutil.rmtree(tmp_path / "book")


def test_the_other_edition_opens_at_the_same_section_and_with_the_same_search(page, html):
    page.goto(f"{(html / 'book/lstm.html').as_uri()}#exercises")
    page.get_by_role("link", name="日本語").click()
    page.wait_for_url("**/ja/book/lstm.html#exercises")
    page.goto(f"{(html / 'search.html').as_uri()}?q=lstm")
    page.get_by_role("link", name="日本語").click()
    page.wait_for_url(lambda url: url.endswith("/ja/search.html?q=lstm"))


def test_a_tap_beside_the_open_contents_only_closes_them(visitor, html):
    page = visitor(viewport={"width": 360, "height": 740}, has_touch=True)
    page.goto((html / "book/lstm.html").as_uri())
    page.get_by_role("button", name="Contents").tap()
    page.touchscreen.tap(345, 400)
    page.locator("#contents").wait_for(state="hidden")
    let_it_paint(page)
    assert page.url.endswith("/book/lstm.html")


def test_typing_a_search_does_not_move_the_page(page, html):
    page.goto((html / "book/lstm.html").as_uri())
    page.evaluate("scrollTo(0, 9000)")
    before = page.evaluate("scrollY")
    page.keyboard.press("Control+k")
    page.keyboard.type("forget gate")
    assert page.evaluate("scrollY") == before
