"""The live figures on names, in a browser: what is written, and where the model looks."""

import re

import pytest
import torch

from demo_examples import (
    KANA,
    LETTERS,
    aligner,
    looking_model,
    name_writer,
    names_model,
    stop_the_clock,
)
from rnnbook.data.pairs import plain
from rnnbook.decoding import search
from rnnbook.demos import names
from rnnbook.models.encoder_decoder import END, START

# ------------------------------------------------------------------ the writer of names


def kept(page) -> list[str]:
    """The kana that are written, and "end"."""
    return page.locator(".places li:not(.empty, .hidden) .kept > :first-child").all_inner_texts()


def signs(ids: list[int]) -> list[str]:
    return [*KANA.decode(ids), "end"]


def read(name: str):
    return LETTERS.encode(name)[None], torch.tensor([len(name)])


def shares(page, place: str) -> list[float]:
    texts = page.locator(f"{place} .value").all_inner_texts()
    return [float(re.search(r"[\d.]+", text)[0]) / 100 for text in texts]


def test_it_opens_with_a_name_and_what_torch_writes_for_it(show):
    model = names_model()
    page = show(name_writer(model))
    (greedy,) = search.greedy(model, *read("anna"), longest=16)
    assert kept(page) == signs(greedy.ids) and 4 <= len(kept(page)) <= 8
    (ranked,) = search.beam(model, *read("anna"), longest=16, width=4)
    answers = page.locator(".answers .sign > :first-child").all_inner_texts()
    assert answers == [KANA.decode(answer.ids) for answer in ranked]
    p = [torch.tensor(answer.log_probability).exp().item() for answer in ranked]
    assert shares(page, ".answers") == pytest.approx(p, abs=0.006)
    first = model.step(torch.tensor([START]), model.start(model.encode(*read("anna"))), None)[0]
    likeliest = first.softmax(dim=1)[0].topk(3).values.tolist()
    heard = page.locator(".places .sound").all_inner_texts()
    assert heard[:3] == [names.sound(kana) for kana in kept(page)[:3]]
    assert shares(page, ".places li:first-child") == pytest.approx(likeliest, abs=0.006)


def test_a_name_that_is_typed_is_written_kana_by_kana(show):
    model = names_model()
    page = show(name_writer(model))
    stop_the_clock(page)
    page.get_by_label("Name", exact=True).fill("emma")
    assert kept(page) == []
    (greedy,) = search.greedy(model, *read("emma"), longest=16)
    expected = signs(greedy.ids)
    page.clock.run_for(500 + 2 * 300)
    assert kept(page) == expected[:2]
    assert page.locator(".answers .sign").first.inner_text().split("\n")[0].endswith("…")
    page.clock.run_for(16 * 300)
    assert kept(page) == expected and "".join(expected[:-1]) in page.locator(".status").inner_text()


def test_one_kana_at_a_time_and_then_the_rest(show):
    page = show(name_writer())
    whole = kept(page)
    stop_the_clock(page)
    for count in (1, 2):
        page.get_by_role("button", name="One kana").click()
        assert kept(page) == whole[:count] and "so far" in page.locator(".status").inner_text()
    page.get_by_role("button", name="Write").click()
    page.clock.run_for(300)
    page.get_by_role("button", name="Pause").click()
    page.clock.run_for(16 * 300)
    assert kept(page) == whole[:3]
    page.get_by_role("button", name="Write").click()
    page.clock.run_for(16 * 300)
    assert kept(page) == whole


def test_after_the_end_it_writes_the_name_once_more(show):
    page = show(name_writer())
    whole = kept(page)
    stop_the_clock(page)
    page.get_by_role("button", name="Write").click()
    assert kept(page) == []
    page.clock.run_for(16 * 300)
    assert kept(page) == whole


def test_on_a_phone_the_latest_kana_is_in_view(show):
    page = show(name_writer())
    page.set_viewport_size({"width": 360, "height": 740})
    whole = kept(page)
    stop_the_clock(page)
    places = page.locator(".places li")
    for t, _ in enumerate(whole):
        page.get_by_role("button", name="One kana").click()
        box = places.nth(t).bounding_box()
        assert box["x"] > 0 and box["x"] + box["width"] < 350
    page.get_by_role("button", name="One kana").click()
    assert places.first.bounding_box()["x"] > 0


def test_it_goes_on_from_a_kana_that_the_reader_has_chosen(show):
    model = names_model()
    page = show(name_writer(model))
    stop_the_clock(page)
    first = kept(page)[0]
    other = page.locator(".places li:nth-child(2) .other").nth(1)
    chosen = other.locator(":first-child").inner_text()
    other.click()
    page.clock.run_for(16 * 300)
    ids = [START, *KANA.encode(first + chosen).tolist()]
    with torch.no_grad():
        while ids[-1] != END:
            ids.append(model(*read("anna"), torch.tensor([ids]))[0, -1].argmax().item())
    assert kept(page) == signs(ids)
    assert page.locator(".kept.second").count() == 1
    assert "not its first choice" in page.locator(".status").inner_text()


def test_an_answer_of_the_search_is_shown_kana_by_kana(show):
    page = show(name_writer())
    answer = page.locator(".answers button").nth(3)
    text, p = answer.inner_text().split("\n")
    answer.click()
    assert kept(page) == [*text, "end"] and page.locator(".kept.second").count() >= 1
    assert page.locator(".status").inner_text().startswith(f"{text}: probability {p}.")
    assert page.locator(".answers [aria-current=true]").inner_text().split("\n") == [text, p]


EXAMPLES = ["ada", "ben", "cid", "dan", "eva", "flo", "gus", "hal", "ida", "jan", "kim"]


def test_that_the_search_has_found_better_is_said(show):
    """Of this model, the likeliest first kana begins no likeliest answer."""
    model = names_model()
    better = next(name for name in EXAMPLES if beam_beats_greedy(model, name))
    page = show(name_writer(model, ["anna", better]))
    page.emulate_media(reduced_motion="reduce")
    page.get_by_role("button", name=better).click()
    assert "likelier" in page.locator(".status").inner_text()
    page.locator(".answers button").first.click()
    assert "likelier" not in page.locator(".status").inner_text()


def test_of_an_answer_that_is_the_likeliest_nothing_better_is_said(show):
    model = names_model()
    best = next(name for name in EXAMPLES if not beam_beats_greedy(model, name))
    page = show(name_writer(model, [best]))
    assert kept(page)[-1] == "end"
    assert "likelier" not in page.locator(".status").inner_text()


def beam_beats_greedy(model, name: str) -> bool:
    (answer,), (ranked,) = (find(model, *read(name), 16) for find in (search.greedy, search.beam))
    return ranked[0].log_probability > answer.log_probability + 0.01


@pytest.mark.parametrize("name", ["  Škoda ", "ＡＮＮＡ", "Ann-O'Neil", "O’Neil"])
def test_names_are_made_plain_as_in_the_data(name, show):
    page = show(name_writer(examples=[plain(name).replace("’", "'"), "bo"]))
    page.emulate_media(reduced_motion="reduce")
    expected = kept(page)
    field = page.get_by_label("Name", exact=True)
    field.fill("bo")
    field.press("Enter")
    assert kept(page) != expected
    field.fill(name)
    field.press("Enter")
    assert kept(page) == expected


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "Type a name"),
        ("Łea 3", "does not know ł, a space, 3. It knows: abc"),
        ("あん", "あ, ん"),
        ("a" * 17, "at most 16 letters"),
    ],
)
def test_a_name_that_it_cannot_read_is_answered_in_one_line(name, words, show):
    page = show(name_writer())
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_role("button", name="One kana").click()
    assert words in page.locator(".status").inner_text() and kept(page) == []


def test_the_likely_kana_are_one_tab_stop_and_arrow_keys_walk_them(show):
    page = show(name_writer())
    stops = page.locator(".other:enabled[tabindex='0']")
    assert stops.count() == 1
    stops.focus()
    for key in ("ArrowRight", "ArrowDown"):
        page.keyboard.press(key)
    label = page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert label.endswith("in place of number 2")
    second = page.locator(".places li:nth-child(2) .other").nth(1)
    assert second.evaluate("node => node === document.activeElement")


# ------------------------------------------------------------------ where it looks


def looked(page) -> list[float]:
    """The share of the weight on each letter, of the kana that is chosen."""
    shares = "nodes => nodes.map(node => Number(node.style.getPropertyValue('--share')))"
    return page.locator(".alignment .seen").evaluate_all(shares)


def weights_of(model, name: str, kana: int):
    """The weights at a kana of what the model writes, (S,), or (layers, heads, S)."""
    source, lengths = read(name)
    (answer,) = search.greedy(model, source, lengths, longest=16)
    previous = torch.tensor([[START, *answer.ids]])
    with torch.no_grad():
        return model.alignment(source, lengths, previous)[0][..., kana, :]


def pointed(page) -> int:
    """The number of the kana that is chosen, from 0 on."""
    pressed = "nodes => nodes.map(node => node.getAttribute('aria-pressed')).indexOf('true')"
    return page.locator(".kana").evaluate_all(pressed)


@pytest.mark.parametrize("heads", [0, 2])
def test_the_kana_that_one_points_at_shows_where_the_model_looked(heads, show):
    model = looking_model(heads)
    page = show(aligner(model, heads))
    kana = page.locator(".kana .letter").all_text_contents()
    (greedy,) = search.greedy(model, *read("anna"), longest=16)
    assert kana == signs(greedy.ids) and page.locator(".seen").count() == 4
    for t in (1, 0):
        page.locator(".kana").nth(t).hover()
        assert pointed(page) == t
        expected = weights_of(model, "anna", t)
        expected = expected.mean(dim=(0, 1)) if heads else expected
        assert looked(page) == pytest.approx(expected.tolist(), abs=1e-3)
        assert f"{kana[t]} looks at" in page.locator(".status").inner_text()
    strong = page.locator(".look.strong")
    widths = [float(width) for width in strong.evaluate_all(WIDTHS)]
    assert widths == pytest.approx([1 + 7 * share for share in looked(page)])


WIDTHS = "nodes => nodes.map(node => node.getAttribute('stroke-width'))"


def test_the_heads_of_a_transformer_are_shown_one_by_one(show):
    model = looking_model(2)
    page = show(aligner(model, 2))
    heads = weights_of(model, "anna", 0)  # (layers, heads, S)
    page.locator(".kana").first.hover()
    page.get_by_label("Head").select_option("layer 2, head 1")
    assert looked(page) == pytest.approx(heads[1, 0].tolist(), abs=1e-3)
    page.get_by_label("Head").select_option("layer 1, head 2")
    assert looked(page) == pytest.approx(heads[0, 1].tolist(), abs=1e-3)
    assert page.get_by_label("Head").locator("option").count() == 1 + 2 * 2


def test_the_kana_are_reached_with_the_keyboard(show):
    page = show(aligner())
    page.locator(".kana").first.focus()
    assert pointed(page) == 0
    page.keyboard.press("ArrowRight")
    assert pointed(page) == 1
    page.keyboard.press("ArrowLeft")
    assert pointed(page) == 0


def test_while_it_writes_the_latest_kana_is_the_one_that_looks(show):
    page = show(aligner())
    whole = page.locator(".kana .letter").all_text_contents()
    stop_the_clock(page)
    for count in (1, 2):
        page.get_by_role("button", name="One kana").click()
        assert page.locator(".kana .letter").all_text_contents() == whole[:count]
        assert pointed(page) == count - 1
    page.locator(".kana").first.hover()
    page.get_by_role("button", name="Write").click()
    page.clock.run_for(16 * 300)
    assert whole[-1] == "end" and pointed(page) == len(whole) - 2


def test_a_name_that_cannot_be_read_draws_nothing(show):
    page = show(aligner())
    page.get_by_label("Name", exact=True).fill("b3")
    assert "does not know 3" in page.locator(".status").inner_text()
    assert page.locator(".look, .kana, .seen").count() == 0
