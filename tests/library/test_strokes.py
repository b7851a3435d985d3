"""Drawings as SVG."""

from xml.etree import ElementTree

from rnnbook.demos.strokes import sheet

BAR, STROKE = ((10.2, 50.0), (99.0, 50.0)), ((54.0, 10.0), (54.0, 80.0), (40.0, 99.0))


def test_drawings_stand_in_rows_and_their_strokes_in_order():
    drawing = ElementTree.fromstring(sheet([[BAR, STROKE], [BAR], [STROKE]], columns=2).data)
    assert drawing.get("viewBox") == "0 0 234 234"
    groups = list(drawing)
    assert [group.get("transform") for group in groups] == [
        "translate(0 0)", "translate(125 0)", "translate(0 125)",
    ]  # fmt: skip
    assert [path.get("d") for path in groups[0]] == ["M10 50 99 50", "M54 10 54 80 40 99"]
    assert [path.get("style") for path in groups[0]] == ["--s:0", "--s:1"]
