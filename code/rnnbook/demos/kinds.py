"""The kinds of live figures, and the style sheet and the program of each."""

from pathlib import Path

JS = Path(__file__).parent / "js"
MIME = "application/vnd.rnnbook.demo+json"  # the kind of output that a live figure is
KINDS = {  # of live figures: the programs that a kind needs beside those of all
    "alignment": [
        "encoder_decoder.js",
        "transformer_pair.js",
        "kana.js",
        "name_field.js",
        "alignment.js",
    ],
    "digits": ["digit_sheet.js", "digits.js"],
    "gates": ["gate_cell.js", "gates.js"],
    "gradient": ["charts.js", "gradient.js"],
    "kanji": ["pen.js", "kanji.js"],
    "names": ["encoder_decoder.js", "kana.js", "name_field.js", "names.js"],
    "pictures": ["captioner.js", "picture_sheet.js", "pictures.js"],
    "speech": ["frame_reader.js", "whisper.js", "speech.js"],
    "trainer": ["charts.js", "learner.js", "trainer.js"],
    "writer": ["character_reader.js", "paper.js", "writer.js"],
}


def style() -> str:
    """The style sheet of all demos."""
    return (JS / "demo.css").read_text("utf-8")


def program(kind: str) -> str:
    """The JavaScript of a demo, closed in itself: nothing on the page can clash with it."""
    files = ("recurrence.js", "widget.js", *KINDS[kind])
    body = "\n".join((JS / file).read_text("utf-8") for file in files)
    return f'(() => {{\n"use strict";\n{body}\n}})();\n'
