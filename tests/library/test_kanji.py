"""Kanji as strokes: from drawings to movements of a pen and back, and what is like what."""

import io
import tarfile

import pytest
import torch

from rnnbook.data import kanji
from rnnbook.data.kanji import (
    Kanji,
    kanji_from_archive,
    kanji_of,
    load_kanji,
    read_kanji,
    stroke_of,
)
from rnnbook.data.kanji_strokes import (
    CENTRE,
    DRAW,
    END,
    LIFT,
    SCALE,
    encode_drawings,
    known_before,
    movements,
    strokes_of,
    thinned,
)
from rnnbook.data.words import IGNORED
from rnnbook.metrics.kanji import Shapes, left_parts, places_on, shape_of, typical

DRAWING = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.0//EN" "http://www.w3.org/TR/svg10.dtd" [
<!ATTLIST g
xmlns:kvg CDATA #FIXED "http://kanjivg.tagaini.net"
kvg:element CDATA #IMPLIED
kvg:position CDATA #IMPLIED >
]>
<svg xmlns="http://www.w3.org/2000/svg" xmlns:kvg="https://kanjivg.tagaini.net/">
<g id="kvg:StrokePaths"><g kvg:element="休">
  <g kvg:element="亻" kvg:position="left">
    <path d="M30,10c0,0-10,20-20,20"/>
    <g><path d="M20,30V90"/></g>
  </g>
  <g kvg:element="木" kvg:position="right"><path d="M40,40L90,40"/></g>
</g></g>
<g id="kvg:StrokeNumbers"><g><path d="M0,0L9,9"/></g></g>
</svg>"""


def archive_of(**drawings: str) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        members = {f"kanji/{name}.svg": drawing for name, drawing in drawings.items()}
        for name, content in {**members, "__init__.py": "raise SystemExit('imported')"}.items():
            info = tarfile.TarInfo(f"kanjivg-1/{name}")
            info.size = len(content.encode())
            archive.addfile(info, io.BytesIO(content.encode()))
    return file.getvalue()


# ------------------------------------------------------------------ the data


def test_all_kanji_are_there_and_split():
    known = load_kanji()
    assert len(known.kanji) == 6413
    assert [len(part) for part in (known.train, known.held_out, known.test)] == [5774, 317, 322]
    assert {one.sign for one in known.train}.isdisjoint(one.sign for one in known.test)
    by_sign = {one.sign: one for one in known.kanji}
    rest = by_sign["休"]
    assert len(rest.strokes) == 6 and (rest.left, rest.left_strokes) == ("亻", 2)
    assert len(by_sign["一"].strokes) == 1 and by_sign["国"].left == ""
    inside = [0 <= v <= 109 for one in known.kanji for s in one.strokes for p in s for v in p]
    assert all(inside)
    assert all(len(stroke) > 1 for one in known.kanji for stroke in one.strokes)


def test_where_a_kanji_belongs_depends_on_its_sign_alone():
    known = load_kanji()
    few = kanji.Drawings(known.kanji[::7])
    assert set(few.test) == set(known.test) & set(few.kanji)


def test_a_drawing_gives_strokes_and_the_left_part():
    sign, strokes, left, number = kanji_of("休", DRAWING.encode())
    assert sign == "休" and len(strokes) == 3
    assert strokes[0][0] == (30, 10) and strokes[0][-1] == (10, 30)
    assert strokes[1] == ((20, 30), (20, 90))
    assert (left, number) == ("亻", 2)
    alone = DRAWING.replace('"right"', '"bottom"')
    assert kanji_of("休", alone.encode())[2:] == ("", 0)


def test_curves_become_points_near_them():
    """A quarter of a circle, as a cubic curve; every point kept lies on it."""
    k = 0.5523
    stroke = stroke_of(f"M100,50C100,{50 + 50 * k},{50 + 50 * k},100,50,100")
    assert stroke[0] == (100, 50) and stroke[-1] == (50, 100)
    assert len(stroke) in (4, 5, 6)
    assert all(abs(((x - 50) ** 2 + (y - 50) ** 2) ** 0.5 - 50) < 0.1 for x, y in stroke)


def test_the_archive_becomes_a_line_for_each_kanji_and_these_are_read_again():
    square = '<svg xmlns="http://www.w3.org/2000/svg"><g><g><path d="M1,2L3.04,4"/></g></g></svg>'
    files = {"04f11": DRAWING, "04e00": square, "04e00-Kaisho": square, "03042": square}
    content = kanji_from_archive(archive_of(**files)).decode()
    assert content.splitlines()[0] == "一\t1.0,2.0;3.0,4.0\t\t0"
    one, rest = read_kanji(content).kanji
    assert one == Kanji("一", (((1, 2), (3, 4)),), "", 0)
    assert rest == kanji_of("休", DRAWING.encode())


def test_the_kanji_are_read_from_the_file(tmp_path, monkeypatch):
    path = tmp_path / "kanji"
    path.write_bytes(kanji_from_archive(archive_of(**{"04f11": DRAWING})))
    monkeypatch.setattr(kanji, "kanji_file", lambda: path)
    assert [one.sign for one in load_kanji.__wrapped__().kanji] == ["休"]


# ------------------------------------------------------------------ movements

TWO = (((54.5, 39.5), (69.5, 39.5)), ((54.5, 54.5), (54.5, 84.5), (69.5, 84.5)))


def test_movements_by_hand():
    assert movements(TWO).tolist() == [
        [0, -1, LIFT],
        [1, 0, DRAW],
        [-1, 1, LIFT],
        [0, 2, DRAW],
        [1, 0, DRAW],
        [0, 0, END],
    ]


def test_strokes_come_back_and_the_end_ends_them():
    rows = movements(TWO)
    assert strokes_of(rows) == [*TWO]
    assert strokes_of(rows[:4]) == [TWO[0], TWO[1][:2]]
    assert strokes_of(torch.cat([rows, rows])) == [*TWO]
    drawn_at_once = torch.tensor([[1.0, 0.0, DRAW]])  # without lifting the pen first
    assert strokes_of(drawn_at_once) == [((CENTRE + SCALE, CENTRE),)]


def test_drawings_of_a_batch_are_padded():
    rows, lengths = encode_drawings([TWO, TWO[:1]])
    assert lengths.tolist() == [6, 3] and rows.shape == (2, 6, 3)
    assert torch.equal(rows[0], movements(TWO)) and torch.equal(rows[1, :3], movements(TWO[:1]))
    assert (rows[1, 3:, 2] == IGNORED).all() and (rows[1, 3:, :2] == 0).all()


def test_what_is_known_before_a_movement_by_hand():
    x = known_before(movements(TWO)[None, :-1])[0]
    offset, kind, place, since = x.split([2, 3, 2, 2], dim=1)
    assert offset.tolist() == [[0, 0], [0, -1], [1, 0], [-1, 1], [0, 2], [1, 0]]
    assert kind.argmax(dim=1).tolist() == [END, LIFT, DRAW, LIFT, DRAW, DRAW]
    assert (2 * place).tolist() == [[0, 0], [0, -1], [1, -1], [0, 0], [0, 2], [1, 2]]
    assert since.tolist() == [[0, 0], [0, 0], [1, 0], [0, 0], [0, 2], [1, 2]]


def test_what_is_known_depends_on_nothing_later():
    rows, _ = encode_drawings([one.strokes for one in load_kanji().train[:20]])
    whole, part = known_before(rows), known_before(rows[:, :9])
    assert torch.equal(whole[:, :10], part)


def test_points_are_left_out_where_the_line_is_near():
    points = [(0.0, 0.0), (1.0, 0.9), (2.0, 0.0), (3.0, 5.0), (4.0, 0.0)]
    assert thinned(points, 1.0) == [(0, 0), (2, 0), (3, 5), (4, 0)]
    assert thinned(points, 0.5) == points
    assert thinned(points, 9.0) == [(0, 0), (4, 0)]
    closed = [(0.0, 0.0), (3.0, 0.0), (3.0, 3.0), (0.0, 0.0)]  # no line through equal ends
    assert thinned(closed, 1.0) == closed


# ------------------------------------------------------------------ what is like what


def test_places_are_equally_far_apart_along_a_stroke():
    corner = places_on(torch.tensor([(0.0, 0.0), (7.0, 0.0), (7.0, 7.0)]).numpy())
    assert corner.tolist() == [[0, 0], [2, 0], [4, 0], [6, 0], [7, 1], [7, 3], [7, 5], [7, 7]]
    back = places_on(torch.tensor([(7.0, 7.0), (7.0, 0.0), (0.0, 0.0)]).numpy())
    assert back.tolist() == corner.tolist()[::-1]  # in the direction of writing
    dot = places_on(torch.tensor([(3.0, 4.0)]).numpy())
    assert dot.tolist() == 8 * [[3, 4]]


def moved(strokes, by):
    return tuple(tuple((x + by, y) for x, y in stroke) for stroke in strokes)


def test_the_nearest_drawing_has_as_many_strokes():
    shapes = Shapes([("a", TWO), ("b", moved(TWO, 9)), ("c", TWO[:1])])
    found = shapes.nearest(moved(TWO, 7))
    assert found.sign == "b" and found.units == pytest.approx(2)
    assert shapes.nearest(TWO[:1]).sign == "c"
    assert shapes.nearest((*TWO, TWO[0])) is None
    backwards = tuple(stroke[::-1] for stroke in TWO)
    assert shapes.nearest(backwards).units > 5  # the direction counts


def test_the_beginning_of_a_drawing_is_found():
    shapes = Shapes([("one", TWO[:1]), ("two", moved(TWO, 30))])
    assert shapes.beginning((TWO[0], *moved(TWO, 50))).sign == "one"
    assert shapes.beginning((*moved(TWO, 31), TWO[0])).sign == "two"
    assert shapes.beginning(TWO[:1]) is None  # the whole is no beginning


def test_left_parts_are_known_by_their_first_strokes():
    """Within five units, nearly all parts of unseen kanji are found, and hardly any false one."""
    known = load_kanji()
    parts = left_parts(known.train)
    assert list(parts)[:3] == ["氵", "木", "扌"] and min(map(len, parts.values())) >= 10
    shapes = Shapes((sign, strokes) for sign, some in parts.items() for strokes in some)
    right = false = 0
    some = known.held_out[::2]
    for one in some:
        found = shapes.beginning(one.strokes)
        near = found is not None and found.units < 5
        right += near and found.sign == one.left
        false += near and found.sign != one.left
    have = sum(one.left in parts for one in some)
    assert have > 50 and right >= 0.95 * have and false <= 3


def test_the_typical_drawing_is_in_the_middle():
    some = [moved(TWO, by) for by in (0, 8, 10, 12, 40)]
    assert typical(some) == some[2]
    assert torch.equal(shape_of(some[2])[0], torch.tensor([64.5, 39.5], dtype=torch.float64))
