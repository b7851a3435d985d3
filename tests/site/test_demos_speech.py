"""The live figure on spoken digits, in a browser."""

import pytest
import torch

from demo_examples import frame_readers, listener, recordings, stop_the_clock
from rnnbook.data.speech import text_of
from rnnbook.decoding.ctc import best_path

pytestmark = pytest.mark.usefixtures("one_thread")


def opening(digits="407"):
    """The frames that the figure opens with: of each digit the first recording."""
    known = recordings()
    return torch.cat([next(one.frames for one in known if one.digit == int(d)) for d in digits])


def go(page, t: int) -> None:
    page.get_by_label("Frames heard").evaluate(
        "(node, t) => { node.value = t; node.dispatchEvent(new Event('input')); }", t
    )


def heights(page, panel: int) -> list[float]:
    """How sure a network is of a digit, where that is more than one percent."""
    bars = page.locator(".spikes").nth(panel).locator("rect")
    return [
        float(height) / 100
        for height in bars.evaluate_all("nodes => nodes.map(n => n.getAttribute('height'))")
    ]


def heard(page, panel: int) -> str:
    return "".join(page.locator(".heard").nth(panel).locator("span").all_inner_texts())


@pytest.mark.parametrize("t", [1, 9, 20])
def test_both_networks_hear_what_torch_hears_of_the_frames_so_far(t, show):
    networks = frame_readers()
    page = show(listener(networks))
    frames = opening()
    assert int(page.get_by_label("Frames heard").get_attribute("max")) == len(frames)
    go(page, t)
    for panel, network in enumerate(networks):
        with torch.no_grad():
            logits = network(frames[None, :t], torch.tensor([t]))
        p = logits[0].softmax(dim=1)[:, 1:].amax(dim=1)
        assert heights(page, panel) == pytest.approx(p[p >= 0.01].tolist(), abs=1e-4)
        (signs,) = best_path(logits, torch.tensor([t]))
        assert heard(page, panel) == text_of(signs)
    one, both = (heard(page, panel) or "–" for panel in (0, 1))
    expected = (
        f"After {t} of {len(frames)} frames: in one direction {one}, in both directions {both}."
    )
    assert page.locator(".status").inner_text() == expected


def test_the_networks_of_this_test_hear_something_and_not_the_same():
    frames, lengths = opening()[None], torch.tensor([len(opening())])
    texts = [
        text_of(best_path(network(frames, lengths), lengths)[0]) for network in frame_readers()
    ]
    assert all(texts) and texts[0] != texts[1]


def test_one_drags_over_the_sound(show):
    page = show(listener())
    box = page.locator(".sound").bounding_box()
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 1, y)
    page.mouse.down()
    assert page.get_by_label("Frames heard").input_value() == "1"
    page.mouse.move(box["x"] + box["width"] / 2, y, steps=3)
    half = len(opening()) / 2
    assert abs(int(page.get_by_label("Frames heard").input_value()) - half) <= 1
    page.mouse.up()
    page.mouse.move(box["x"] + 5, y)
    assert abs(int(page.get_by_label("Frames heard").input_value()) - half) <= 1


def test_it_opens_where_a_part_has_been_heard(show):
    page = show(listener())
    assert page.get_by_label("Frames heard").input_value() == str(round(0.6 * len(opening())))


def test_it_plays_frame_by_frame_from_the_beginning_and_can_be_paused(show, page):
    stop_the_clock(page)
    page = show(listener())
    page.clock.run_for(1000)
    frames = page.get_by_label("Frames heard")
    page.get_by_role("button", name="Listen").click()
    assert frames.input_value() == "1"
    page.clock.run_for(26)
    assert frames.input_value() == "2"
    page.get_by_role("button", name="Pause").click()
    page.clock.run_for(1000)
    assert frames.input_value() == "2"
    page.get_by_role("button", name="Listen").click()
    assert frames.input_value() == "3"
    page.clock.run_for(10_000)
    assert frames.input_value() == str(len(opening()))
    page.get_by_role("button", name="Listen").click()
    assert frames.input_value() == "1"
    page.get_by_role("button", name="Pause").click()
    page.get_by_text("More").click()
    page.get_by_role("button", name="One frame").click()
    assert frames.input_value() == "2"


NOTES = """
window.played = [];
const create = AudioContext.prototype.createBufferSource;
AudioContext.prototype.createBufferSource = function () {
  const source = create.call(this);
  const start = source.start.bind(source), stop = source.stop.bind(source);
  source.start = (when, from) => {
    const { sampleRate, length } = source.buffer, samples = [...source.buffer.getChannelData(0)];
    played.push({ from, sampleRate, length, most: Math.max(...samples.map(Math.abs)), stopped: 0 });
    start(when, from);
  };
  source.stop = () => {
    played.at(-1).stopped++;
    stop();
  };
  return source;
};
"""


def test_a_whisper_is_heard_but_only_when_the_reader_wishes(show, page):
    page.add_init_script(NOTES)
    stop_the_clock(page)
    page = show(listener())
    assert "whisper, rebuilt from the 13 numbers" in page.locator(".stage").inner_text()
    go(page, 5)
    page.get_by_role("button", name="Other digits").click()
    assert page.evaluate("played") == []
    length = int(page.get_by_label("Frames heard").get_attribute("max"))
    page.get_by_role("button", name="Listen").click()
    (sound,) = page.evaluate("played")
    assert sound["from"] == 0 and sound["most"] == pytest.approx(0.7)
    assert (sound["sampleRate"], sound["length"]) == (8000, 200 * (length + 1))
    page.clock.run_for(110)
    go(page, 7)
    assert page.evaluate("played")[0]["stopped"] == 1
    page.get_by_role("button", name="Listen").click()
    assert page.evaluate("played")[1]["from"] == pytest.approx(7 * 0.025)


def test_without_sound_it_plays_silently(show, page):
    page.add_init_script("delete window.AudioContext")
    stop_the_clock(page)
    page = show(listener())
    assert "whisper" not in page.locator(".stage").inner_text()
    page.get_by_role("button", name="Play").click()
    page.clock.run_for(10_000)
    assert page.get_by_label("Frames heard").input_value() == str(len(opening()))


def said(page) -> str:
    return "".join(page.locator(".said span").all_inner_texts())


def test_the_reader_says_digits_of_their_own(show):
    page = show(listener())
    page.get_by_text("More").click()
    assert said(page) == "407"
    page.get_by_role("button", name="Take the last away").click()
    page.get_by_role("button", name="Say 9").click()
    assert said(page) == "409"
    for _ in range(3):
        page.get_by_role("button", name="Say 1").click()
    assert said(page) == "409111" and page.get_by_role("button", name="Say 1").is_disabled()
    for _ in range(5):
        page.get_by_role("button", name="Take the last away").click()
    assert said(page) == "4"
    assert page.get_by_role("button", name="Take the last away").is_disabled()


def test_other_recordings_are_of_the_same_digits(show):
    page = show(listener())
    before = page.get_by_label("Frames heard").get_attribute("max")
    page.get_by_text("More").click()
    page.get_by_role("button", name="Other recordings").click()
    assert said(page) == "407"
    assert page.get_by_label("Frames heard").get_attribute("max") != before


def test_other_digits_are_four_and_others_each_time(show):
    page = show(listener())
    found = set()
    for _ in range(5):
        page.get_by_role("button", name="Other digits").click()
        found.add(said(page))
    assert {len(digits) for digits in found} == {4} and len(found) > 2


def test_the_sound_is_seen_in_japanese_too(show):
    """There the sounds of kana are hidden: they are nothing new to who reads kana."""
    page = show(listener())
    page.evaluate("document.documentElement.lang = 'ja'")
    assert page.locator(".sheet canvas").is_visible()
