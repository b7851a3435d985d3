"""The live figures, in a browser, each in a page of its own."""

import html
import json
import re

import matplotlib.pyplot as plt
import pytest
import torch
from IPython.core.interactiveshell import InteractiveShell
from torch import nn

from bookbuild.words import words_in
from built import ROOT
from demo_examples import (
    ALL,
    CHARACTERS,
    character_model,
    demo,
    digit_model,
    digits,
    stop_the_clock,
    trainer,
    writer,
)
from picture_examples import percent
from rnnbook.data import digit_image
from rnnbook.demos.figure import picture
from rnnbook.demos.kinds import JS, KINDS
from rnnbook.demos.weights import lstm_weights, pack, quantised
from rnnbook.page.plotting import use_book_style
from waiting import let_it_paint

# ------------------------------------------------------------------ the recurrences


@pytest.fixture
def recurrence(show):
    """A page in which the functions of recurrence.js, and of other files, can be called."""
    page = show("")

    def call(expression: str, **arguments):
        files = ("recurrence.js", "widget.js", "digit_sheet.js")
        source = "\n".join((JS / name).read_text("utf-8") for name in files)
        names = ", ".join(arguments)
        program = f"(({{{names}}}) => {{ {source}\n return ({expression}); }})"
        return page.evaluate(program, arguments)

    return call


def test_a_probability_is_0_or_100_percent_only_if_it_is(recurrence):
    shares = [0, 1e-9, 0.001, 0.0312, 0.0994, 0.0995, 0.624, 0.9949, 0.995, 0.999999, 1]
    shown = ["0", "< 0.1", "0.1", "3.1", "9.9", "10", "62", "99", "> 99", "> 99", "100"]
    nobreak = [f"{text} %".replace(" ", "\N{NO-BREAK SPACE}") for text in shown]
    assert recurrence("shares.map(percent)", shares=shares) == nobreak
    assert [percent(p) for p in shares] == nobreak  # what other tests expect


@pytest.mark.parametrize("kind", ["LSTM", "RNN"])
def test_states_and_gradients_are_those_of_torch(kind, recurrence):
    torch.manual_seed(0)
    layer = getattr(nn, kind)(3, 5, batch_first=True).double()
    x = torch.randn(1, 7, 3, dtype=torch.float64)
    upstream = torch.randn(5, dtype=torch.float64)
    states, _ = layer(x)
    (states[0, -1] @ upstream).backward()

    found = recurrence(
        f"""(() => {{
          const matrixOf = (rows) => {{
            const M = matrix(rows.length, rows[0].length);
            rows.forEach((row, j) => M[j].set(row));
            return M;
          }};
          const layer = new {kind}(matrixOf(W_x), matrixOf(W_h), Float64Array.from(b));
          const steps = layer.forward(xs);
          layer.backward(steps, Float64Array.from(dh));
          const plain = (M) => M.map((row) => [...row]);
          return {{ h: plain(steps.map((step) => step.h)), W_x: plain(layer.gradient.W_x),
                    W_h: plain(layer.gradient.W_h), b: [...layer.gradient.b] }};
        }})()""",
        W_x=layer.weight_ih_l0.tolist(),
        W_h=layer.weight_hh_l0.tolist(),
        b=(layer.bias_ih_l0 + layer.bias_hh_l0).tolist(),
        xs=x[0].tolist(),
        dh=upstream.tolist(),
    )
    expected = {
        "h": states[0],
        "W_x": layer.weight_ih_l0.grad,
        "W_h": layer.weight_hh_l0.grad,
        "b": layer.bias_ih_l0.grad,
    }
    for name, value in expected.items():
        torch.testing.assert_close(
            torch.tensor(found[name], dtype=torch.float64), value.detach(), atol=1e-12, rtol=1e-10
        )


def test_the_packed_weights_are_the_rounded_ones(recurrence):
    model = digit_model()
    found = recurrence(
        "(({W_x, b}) => ({W_x: W_x.map((row) => [...row]), b: [...b]}))(unpack(packed))",
        packed=pack(lstm_weights(model.layer)),
    )
    torch.testing.assert_close(torch.tensor(found["W_x"]), model.layer.weight_ih_l0.data)
    expected = model.layer.bias_ih_l0 + model.layer.bias_hh_l0
    torch.testing.assert_close(torch.tensor(found["b"]), expected.data)


def test_rounding_moves_no_weight_by_more_than_half_a_step():
    weight = torch.randn(20, 30)
    layer = nn.Linear(30, 20)
    layer.weight.data.copy_(weight)
    rounded = quantised(layer).weight.data
    step = weight.abs().amax(dim=1, keepdim=True) / 127
    assert ((rounded - weight).abs() <= step / 2 + 1e-7).all()
    assert torch.equal(layer.weight.data, weight)


# ------------------------------------------------------------------ all of them


@pytest.mark.parametrize("kind", KINDS)
def test_a_demo_begins_says_what_to_try_names_its_controls_and_fits_a_phone(kind, show):
    page = show(ALL[kind]())
    assert page.locator(".still").count() == 0
    line = page.locator(".stage > :first-child")
    assert "try" in line.get_attribute("class") and len(line.inner_text()) > 20
    unnamed = page.evaluate(
        """[...document.querySelectorAll('.rnn-demo :is(button, select, input, textarea)')]
        .filter(node => node.checkVisibility({ visibilityProperty: true }))
        .filter(node => !(node.ariaLabel || node.textContent.trim()
                          || node.closest('label')?.textContent.trim()))
        .map(node => node.outerHTML)"""
    )
    assert unnamed == []
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.evaluate(SMALL_TARGETS) == []
    folder = ROOT / "_build" / "screenshots"  # to be looked at
    page.screenshot(path=folder / f"demo-{kind}.png", full_page=True)


PLACES = """
[...document.querySelectorAll('.rnn-demo :is(button, select, textarea, input, canvas, svg, .bars)')]
  .filter(node => node.checkVisibility())
  .map(node => [node, node.getBoundingClientRect()])
  .map(([node, { x, y, width, height }]) =>
    [node.localName, node.className.baseVal ?? node.className,
      ...[x, y, width, height].map(Math.round)].join(" "))
"""
SMALLEST, LARGEST = (
    f"node => {{ node.value = node.{end}; node.dispatchEvent(new Event('input')); }}"
    for end in ("min", "max")
)


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("kind", KINDS)
def test_numbers_that_change_move_nothing(kind, width, show, page):
    """A slider at either end, a gate shut, a row read, a letter shown: all stays in its place."""
    page.set_viewport_size({"width": width, "height": 900})
    stop_the_clock(page)
    page = show(ALL[kind]())
    page.clock.run_for(60_000)  # whatever begins by itself has ended
    before = page.evaluate(PLACES)
    for move in (LARGEST, SMALLEST):
        for control in page.locator(".rnn-demo input[type=range]").all():
            control.evaluate(move)
            assert page.evaluate(PLACES) == before
    if kind == "gates":
        page.locator(".gate:enabled").first.click()
    if kind == "writer":
        page.locator(".paper").focus()
        page.keyboard.press("Home")
    if kind == "digits":
        page.get_by_label("test image 2, a 5").click()
        page.get_by_role("button", name="Pause").click()
    if kind in ("names", "alignment"):
        for name in ("bo", "b3"):
            page.get_by_label("Name", exact=True).fill(name)
            page.get_by_role("button", name="One kana").click()
            assert page.evaluate(PLACES) == before
    if kind == "trainer":
        page.get_by_role("button", name="Train").click()
        page.clock.run_for(100)
        assert page.get_by_role("button", name="Done").is_disabled()
    assert page.evaluate(PLACES) == before


SMALL_TARGETS = """
[...document.querySelectorAll('.rnn-demo :is(button, select, input[type=range])')]
  .map(node => [node.outerHTML.slice(0, 80), node.getBoundingClientRect()])
  .filter(([_, box]) => box.width > 0 && box.height < 43.5).map(([name]) => name)
"""


@pytest.mark.parametrize("kind", KINDS)
def test_a_demo_has_the_words_of_its_page(kind, show):
    words = {words: f"{words} か" for name in KINDS[kind] for words in words_in(JS / name)}
    page = show(ALL[kind](), words=words)
    text = page.locator(".stage").inner_text()
    assert len(re.findall("[^ ] か", text)) > 5 and not re.search(r"[{}]|undefined", text)


@pytest.mark.parametrize("path", sorted(JS.glob("*.js")), ids=lambda path: path.stem)
def test_every_word_of_a_program_is_found_by_those_who_translate(path):
    calls = re.findall(r"\bsay\(", path.read_text("utf-8"))
    assert len(words_in(path)) == len(calls)


@pytest.mark.parametrize("kind", KINDS)
def test_two_of_a_kind_do_not_disturb_each_other(kind, show, page):
    stop_the_clock(page)
    page = show(ALL[kind](), ALL[kind]())
    page.locator(".stage").nth(1).wait_for()
    page.clock.run_for(60_000)  # whatever begins by itself has ended
    before = page.locator(".stage").nth(1).inner_html()
    first = page.locator(".stage").nth(0)
    for folded in first.locator("summary").all():
        folded.click()
    for control in first.locator("select").all()[:1]:
        control.select_option(index=1)
    for control in first.locator("input[type=range]").all()[:2]:
        control.evaluate(
            "node => { node.value = node.max; node.dispatchEvent(new Event('input')); }"
        )
    first.locator("button:enabled").first.click()
    assert page.locator(".stage").nth(1).inner_html() == before


@pytest.mark.parametrize("kind", KINDS)
def test_sliders_at_both_ends_and_a_hundred_clicks(kind, show):
    page = show(ALL[kind]())
    for end in ("min", "max"):
        page.evaluate(
            """end => {
              for (const node of document.querySelectorAll('.rnn-demo input[type=range]')) {
                node.value = node[end];
                node.dispatchEvent(new Event('input'));
              }
            }""",
            end,
        )
    page.evaluate(
        """() => { const buttons = [...document.querySelectorAll('.rnn-demo button')];
        for (let k = 0; k < 100; k++) buttons[k % buttons.length].click(); }"""
    )
    assert page.locator(".stage").count() == 1


@pytest.mark.parametrize("kind", ["digits", "names", "writer"])
@pytest.mark.parametrize("damage", ["missing", "truncated", "another shape"])
def test_damaged_weights_are_explained(kind, damage, show):
    whole = ALL[kind]()
    if damage == "missing":
        broken = whole._repr_html_().replace("rnnbookModels ??= {})[", "otherModels ??= {})[")
    else:
        packed = json.loads(whole.packed)
        if damage == "truncated":
            packed[1]["values"] = packed[1]["values"][:40]
        else:
            packed[1]["shape"][0] += 1
        whole.packed = json.dumps(packed)
        broken = whole
    page = show(broken)
    page.locator(".problem").wait_for()
    assert "could not start" in page.locator(".problem").inner_text()
    assert page.locator(".still").count() == 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_demo_works_in_an_isolated_frame(kind, show):
    """As Colab shows the output of a cell: in a frame without the page's address."""
    frame = html.escape(ALL[kind]()._repr_html_())
    page = show(f'<iframe sandbox="allow-scripts" width="700" height="900" srcdoc="{frame}">')
    page.frame_locator("iframe").locator(".stage").wait_for()


def test_a_demo_begins_when_it_comes_into_view(show):
    page = show('<div style="height: 3000px"></div>', demo("gates"))
    let_it_paint(page)
    assert page.locator(".stage").count() == 0
    page.locator(".rnn-demo").scroll_into_view_if_needed()
    page.locator(".stage").wait_for()


def test_an_output_that_arrives_late_is_found(show):
    """A notebook may run the program before it puts the output on the page."""
    root, program = (
        demo("gates")._repr_html_().split("</div>")[0] + "</div>",
        demo("gates")._repr_html_().split("</div>")[1],
    )
    page = show(program)
    page.evaluate("root => document.body.insertAdjacentHTML('beforeend', root)", root)
    page.locator(".stage").wait_for()


def test_without_javascript_there_is_a_still_picture(visitor, tmp_path):
    path = tmp_path / "page.html"
    page_of_demo = f"<!doctype html><html lang='en'><body>{demo('gates')._repr_html_()}"
    path.write_text(page_of_demo, "utf-8")
    page = visitor(java_script_enabled=False)
    page.goto(path.as_uri())
    assert page.get_by_alt_text("gates, a picture").count() == 1


def test_an_unknown_kind_is_refused():
    with pytest.raises(ValueError, match="digits, gates"):
        demo("gaits")


def shown(figure) -> str:
    """What a notebook gets to see of a figure."""
    bundle, _ = InteractiveShell.instance().display_formatter.format(figure)
    return bundle["image/svg+xml"]


@pytest.mark.parametrize("draw", [picture, shown], ids=["still picture", "figure"])
def test_the_same_figure_gives_the_same_file(draw):
    """So a chapter that is executed again leaves its files as they were."""
    use_book_style()
    files = []
    for _ in range(2):
        figure, axes = plt.subplots()
        axes.plot([1, 2])
        files.append(draw(figure))
        plt.close(figure)
    assert files[0] == files[1]


# ------------------------------------------------------------------ the gate player

SOLUTIONS = [  # for each challenge, the steps at which i, f and o are open
    {"i": {3}, "f": set(range(1, 13)), "o": set(range(1, 13))},
    {"i": {2, 6, 9}, "f": set(range(1, 13)) - {2, 6, 9}, "o": set(range(1, 13))},
    {"i": {2, 7}, "f": set(range(1, 13)), "o": {12}},
]


@pytest.mark.parametrize("challenge", range(3))
def test_every_challenge_can_be_solved(challenge, show):
    page = show(demo("gates"))
    page.get_by_label("Challenge").select_option(f"challenge {challenge}")
    status = page.locator(".status")
    assert "Not yet" in status.inner_text()
    for gate, open_steps in SOLUTIONS[challenge].items():
        name = {"i": "input", "f": "forget", "o": "output"}[gate]
        for step in set(range(1, 13)) - open_steps:
            page.get_by_role("button", name=f"{name} gate {gate}, step {step}, open").click()
    assert status.inner_text().startswith("Solved!")
    assert "solved" in status.get_attribute("class")


def test_the_gates_are_one_tab_stop_and_arrow_keys_walk_them(show):
    page = show(demo("gates"))
    page.get_by_label("Challenge").select_option("none")
    stops = page.locator(".gate[tabindex='0']")
    assert stops.count() == 1
    stops.focus()
    for key in ("ArrowDown", "ArrowRight", "Enter"):
        page.keyboard.press(key)
    gate = page.get_by_role("button", name="forget gate f, step 2, open")
    assert gate.get_attribute("aria-pressed") == "false"
    assert gate.get_attribute("tabindex") == "0" and stops.count() == 1
    for name in ("input gate i", "forget gate f"):  # no gate can be set then: no stop
        page.get_by_label(name, exact=True).select_option("open")
    assert stops.count() == 0


def test_on_a_phone_the_inputs_of_the_gate_player_have_room_for_a_finger(show):
    page = show(demo("gates"))
    page.set_viewport_size({"width": 360, "height": 740})
    sizes = page.locator(".row-x input").evaluate_all(
        "inputs => inputs.map(i => i.getBoundingClientRect()).map(b => [b.width, b.height])"
    )
    assert len(sizes) == 12  # upright: as high as the way of their handle, 24 px wide or more
    assert min(width for width, _ in sizes) >= 24 and min(height for _, height in sizes) >= 80


def test_an_input_of_the_gate_player_is_pulled_up_and_down(show):
    page = show(demo("gates"))
    page.get_by_label("Challenge").select_option("none")
    first = page.get_by_label("input at step 1", exact=True)
    box = first.bounding_box()
    middle = box["x"] + box["width"] / 2
    states = page.locator(".row-c .number")
    for share, value in ((0.02, "1.00"), (0.98, "−1.00")):
        page.mouse.click(middle, box["y"] + share * box["height"])
        assert states.first.inner_text() == value
    first.press("ArrowUp")
    assert states.first.inner_text() == "−.90"


def test_gates_left_alone_solve_the_second_challenge(show):
    page = show(demo("gates"))
    page.get_by_label("Challenge").select_option("challenge 1")
    for name in ("input gate i", "forget gate f"):
        page.get_by_label(name, exact=True).select_option("alone")
    assert page.locator(".status").inner_text().startswith("Solved!")


def test_the_cell_adds_where_all_gates_are_open(show):
    page = show(demo("gates"))
    page.get_by_label("Challenge").select_option("none")
    c = page.locator(".row-c .number").all_inner_texts()
    assert [float(value) for value in c[:6]] == [0.0, 0.8, 0.8, 0.8, 0.8, 0.2]


# ------------------------------------------------------------------ the gradient


def test_the_predicted_slope_is_near_the_computed_one(show):
    page = show(demo("gradient"))
    words = page.locator(".status").inner_text()
    computed = float(words.split("a factor of ")[1].split(" ")[0])
    predicted = float(words.split("predicted: ")[1].split(")")[0])
    assert computed == pytest.approx(predicted, rel=0.25) and 0.3 < computed < 0.8


def test_an_open_forget_gate_keeps_the_gradient(show):
    page = show(demo("gradient"))
    page.get_by_label("Network").select_option("lstm")
    bias = page.get_by_label("Forget bias")
    bias.evaluate("node => { node.value = 8; node.dispatchEvent(new Event('input')); }")
    words = page.locator(".status").inner_text()
    assert float(words.split("a factor of ")[1].split(" ")[0]) > 0.98


def test_a_gradient_of_zero_is_explained(show):
    page = show(demo("gradient"))
    scale = page.get_by_label("Recurrent weights, times")
    scale.evaluate("node => { node.value = 0; node.dispatchEvent(new Event('input')); }")
    assert "exactly 0" in page.locator(".status").inner_text()


# ------------------------------------------------------------------ the training


def test_it_can_be_paused(show):
    page = show(trainer(lag=4, steps=1_000_000))
    for button in ("Train", "Pause", "Continue", "Pause", "Begin anew"):
        page.get_by_role("button", name=button).click()
    assert "Press" in page.locator(".status").first.inner_text()


def train(page) -> str:
    """Press the button, and return what is said at the end. The page's clock stands still: it
    does not draw while it works."""
    stop_the_clock(page)
    page.get_by_role("button", name="Train").click()
    page.clock.run_for(100)
    return page.locator(".status").first.inner_text()


def test_it_trains_to_the_end_and_begins_anew(show):
    page = show(trainer(lag=4, steps=250))
    words = train(page)
    assert words.startswith("Step 250")
    assert int(words.split("LSTM: ")[1].split("%")[0]) >= 95
    assert page.get_by_role("button", name="Done").is_disabled()
    page.get_by_role("button", name="Begin anew").click()
    assert "Press" in page.locator(".status").first.inner_text()


SCROLL = """(far) => new Promise((done) => {
  new IntersectionObserver((entries, observer) => {
    if (entries.at(-1).isIntersecting === far) return;
    observer.disconnect(); // those of the page, which are older, have been told, too
    done();
  }).observe(document.querySelector(".stage"));
  scrollTo(0, far ? document.body.scrollHeight : 0);
})"""


def test_it_stands_still_where_nobody_sees_it(show):
    page = show(trainer(lag=4, steps=250), '<p style="margin-top: 5000px">Far below.</p>')
    stop_the_clock(page)
    page.get_by_role("button", name="Train").click()
    page.evaluate(SCROLL, True)
    page.clock.run_for(100)
    assert page.get_by_role("button", name="Pause").count() == 1
    assert "Press" in page.locator(".status").first.inner_text()
    page.evaluate(SCROLL, False)
    page.clock.run_for(100)
    assert page.locator(".status").first.inner_text().startswith("Step 250")


@pytest.mark.parametrize(("lag", "steps"), [(30, 250), (49, 500)])
def test_at_a_long_lag_the_lstm_learns_and_the_simple_rnn_does_not(lag, steps, show):
    """With the settings of the page and its first random weights."""
    words = train(show(trainer(lag=lag, steps=steps)))
    assert words.startswith(f"Step {steps}")
    right = {name: int(words.split(f"{name}: ")[1].split("%")[0]) for name in ("RNN", "LSTM")}
    assert right["LSTM"] >= 95 and right["RNN"] <= 70


# ------------------------------------------------------------------ the writer


def paper(page) -> str:
    """What stands on the paper."""
    return page.locator(".paper").evaluate("node => node.textContent")


def write(page, button="Begin anew") -> str:
    """Press the button, wait, and return what stands on the paper."""
    page.locator(".more").evaluate("node => { node.open = true; }")
    page.get_by_label("Pace").select_option("fast")
    page.get_by_role("button", name=button).click()
    page.get_by_role("button", name="Write").wait_for()
    return paper(page)


def test_it_opens_with_a_line_and_goes_on_from_it(show):
    page = show(writer())
    opening = paper(page)
    assert opening.startswith("ABC") and 3 < len(opening) <= 83
    assert opening[3:].rstrip("\n").count("\n") == 0
    assert page.locator(".expected li").count() == 8  # of one of its letters
    assert page.locator(".paper .chosen").count() == 1
    assert page.locator(".paper .given").all_inner_texts() == list("ABC")
    longer = write(page, "Write")
    assert longer.startswith(opening) and len(longer) == len(opening) + 400
    again = write(page)
    assert longer.startswith(again)  # the line was written with the settings that are shown


def test_another_beginning_is_a_new_text(show):
    page = show(writer())
    page.get_by_label("Begin with").fill("Bad")
    assert write(page, "Write").startswith("Bad") and len(paper(page)) == 403


def test_the_same_seed_writes_the_same_text(show):
    page = show(writer())
    first, second = write(page), write(page)
    assert first == second and first.startswith("ABC") and len(first) == 403
    page.get_by_label("Seed").evaluate("n => { n.value = 1; n.dispatchEvent(new Event('input')); }")
    assert write(page) != first


def test_the_likeliest_characters_are_those_of_torch(show):
    model = character_model()
    page = show(writer(model))
    page.get_by_label("Temperature").evaluate(
        "n => { n.value = 0; n.dispatchEvent(new Event('input')); }"
    )
    ids, state = torch.tensor([CHARACTERS.index(c) for c in "ABC"]), None
    text = "ABC"
    with torch.no_grad():
        for _ in range(400):
            logits, state = model(ids[None], state)
            ids = logits[0, -1].argmax(dim=-1, keepdim=True)
            text += CHARACTERS[ids.item()]
    assert write(page) == text


def test_it_can_be_stopped_and_shows_what_it_expected(show):
    page = show(writer())
    opening = len(paper(page))
    page.get_by_role("button", name="Write").click()
    page.wait_for_function(
        "length => document.querySelector('.paper').textContent.length > length", arg=opening + 5
    )
    page.get_by_role("button", name="Stop").click()
    length = len(paper(page))
    let_it_paint(page)
    assert len(paper(page)) == length
    page.locator(".paper").focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    assert page.locator(".expected li").count() == 8
    assert "surprise" in page.locator(".expected").inner_text()


@pytest.mark.parametrize("prompt", ["", "🙂あ", "<img src=x onerror=alert(1)>", "A" * 10_000])
def test_any_prompt_gives_a_sensible_result(prompt, show):
    page = show(writer())
    page.get_by_label("Begin with").fill(prompt)
    text = write(page)
    assert len(text) >= 400 and page.locator(".paper img").count() == 0
    status = page.locator(".status").inner_text()
    if len(prompt) > 1000:
        assert "last 1000" in status
    elif set(prompt) - set(CHARACTERS):
        assert "does not know" in status


# ------------------------------------------------------------------ the reader of digits


def test_what_is_read_is_what_torch_reads(show):
    model = digit_model()
    page = show(digits(model))
    image = torch.zeros(28, 28).flatten()
    image[:390] = 1.0
    with torch.no_grad():
        p = model(image.view(1, 28, 28))[0].softmax(dim=1)[0]
    page.get_by_label("test image 1, a 5").wait_for()
    shown = page.locator(".bars .value").all_inner_texts()
    assert shown == [percent(value) for value in p.tolist()]
    assert p.max() > 0.3


def test_an_empty_pad_and_a_drawing(show):
    page = show(digits())
    stop_the_clock(page)
    pad = page.locator(".pad")
    box = pad.bounding_box()
    page.mouse.move(box["x"] + 60, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + 60, box["y"] + 180, steps=8)
    page.mouse.up()
    page.clock.run_for(600 + 29 * 150)  # from the end of the stroke to the last row
    assert page.locator(".status").first.inner_text().startswith("After 28 rows")
    page.get_by_role("button", name="Clear").click()
    assert "Draw a digit" in page.locator(".status").first.inner_text()
    assert page.locator(".bars .value").all_inner_texts() == [percent(0.1)] * 10


def test_a_stroke_is_added_to_the_drawing_and_not_to_a_test_image(show):
    page = show(digits())
    stop_the_clock(page)
    pad, sheet = page.locator(".pad"), page.locator(".sheet")
    x, y, side = (pad.bounding_box()[key] for key in ("x", "y", "width"))

    def stroke(*points: tuple[float, float]):
        first, *others = [(x + u * side, y + v * side) for u, v in points]
        page.mouse.move(*first)
        page.mouse.down()
        for point in others:
            page.mouse.move(*point, steps=4)
        page.mouse.up()

    def inked() -> int:
        return pad.evaluate(
            """node => node.getContext("2d").getImageData(0, 0, node.width, node.height)
            .data.filter((value, k) => k % 4 === 3 && value > 0).length"""
        )

    stroke((0.3, 0.2), (0.7, 0.2), (0.5, 0.8))
    assert sheet.get_attribute("data-shows") == "pen"
    one = inked()
    page.clock.run_for(600 + 29 * 150)
    assert sheet.get_attribute("data-shows") == "image"  # what the network has made of it
    stroke((0.35, 0.5), (0.75, 0.5))
    assert inked() > one
    page.clock.run_for(600)
    page.get_by_label("test image 1, a 5").click()
    assert inked() == 0


def test_in_the_dark_the_ink_is_light_and_the_sheet_is_not_white(show):
    page = show(digits())
    filters = page.locator(".ink").evaluate_all(INVERTED)
    assert set(filters) == {"invert(0)"}
    page.evaluate(
        """() => { const { dataset, style } = document.documentElement;
        dataset.theme = "dark";
        style.setProperty("--pst-color-background", "#16181c");
        style.setProperty("--pst-color-text-base", "#d8dbe0"); }"""
    )
    assert set(page.locator(".ink").evaluate_all(INVERTED)) == {"invert(1)"}
    white = page.locator(".rnn-demo *").evaluate_all(
        """nodes => nodes.filter(n => getComputedStyle(n).backgroundColor === "rgb(255, 255, 255)")
        .map(node => node.outerHTML)"""
    )
    assert white == []


INVERTED = "nodes => nodes.map(node => getComputedStyle(node).filter)"


def test_every_image_is_read_from_its_first_row(show):
    page = show(digits())
    stop_the_clock(page)
    status = page.locator(".status").first
    for image, ticks, words in ((2, 4, "After 3 rows:"), (1, 2, "After 1 row:")):
        page.get_by_label(f"test image {image}, a 5").click()
        page.clock.run_for(ticks * 150)  # at the first tick nothing is read yet
        assert status.inner_text().startswith(words)


def test_a_drawing_is_prepared_as_picture_files_are(recurrence):

    torch.manual_seed(0)
    ink = torch.zeros(280, 280)
    ink[40:213, 100:127] = 1  # no whole number of pixels becomes one pixel
    ink[40:69, 60:200] = 1
    expected = digit_image.centre(digit_image.scale(digit_image.crop(ink.numpy())))
    found = recurrence(
        "prepared(Float32Array.from(ink)).map((row) => [...row])", ink=ink.flatten().tolist()
    )
    torch.testing.assert_close(  # Pillow rounds where a pixel is cut
        torch.tensor(found, dtype=torch.float64), torch.from_numpy(expected), atol=0.03, rtol=0
    )
    assert recurrence("prepared(new Float32Array(280 * 280))") is None
