"""Moves what the demos of the site share into files: their programs, styles and weights.

A demo is the output of a cell, one piece of HTML that is complete in itself (`rnnbook.demos`). In
the site, its program and styles would stand in many pages, and weights of a megabyte in two
editions. So each part becomes a file named by its content, in the English edition's `_static`,
and the pages of both editions refer to it. The weights are loaded by the program, when its demo
comes into view; a script element can do that from a disk, too, where a page may not fetch.

The programs and styles are those of today, not those of the day when the cell was executed: they
change no number, so a change of theirs executes nothing.
"""

import hashlib
import re
from pathlib import Path

from sphinx.application import Sphinx

from bookbuild.languages import ORIGINAL
from rnnbook.files import write_atomically

PART = re.compile(
    r'class="rnn-demo" data-demo="(?P<kind>\w+)"'
    r'|<(?P<tag>style|script) data-demo-part="(?P<part>\w+)">(?P<content>.*?)</(?P=tag)>',
    re.DOTALL,
)
FOLDERS = {"style": "demos", "program": "demos", "model": "models"}


def _move_parts(app: Sphinx, page: str, template: str, context: dict, doctree) -> None:
    body = context.get("body", "")
    if app.builder.format != "html" or "data-demo-part" not in body:
        return
    from rnnbook.demos.page import program, style  # here, since it takes a while

    up = "../" * (page.count("/") + (app.config.language != ORIGINAL))
    kind, seen = "", set()

    def moved(match: re.Match) -> str:
        nonlocal kind
        if match["kind"]:  # the parts of a demo follow its element
            kind = match["kind"]
            return match[0]
        part, content = match["part"], match["content"]
        content = {"program": program(kind), "style": style(), "model": content}[part]
        digest = hashlib.sha256(content.encode()).hexdigest()[:16]
        suffix = "css" if part == "style" else "js"
        path = f"_static/{FOLDERS[part]}/{digest}.{suffix}"
        _write(app, path, content)
        if part == "model":  # the program of the demo before it asks for this file
            return f"<!-- weights: {up}{path} -->"
        if path in seen:
            return ""
        seen.add(path)
        if part == "style":
            return f'<link rel="stylesheet" href="{up}{path}">'
        return f'<script src="{up}{path}" defer></script>'

    body = PART.sub(moved, body)
    if app.config.language == "ja":
        body = STILL.sub(lambda match: f'{match[1]}{IN_JAPANESE[match[2]]}"', body)
    context["body"] = SOURCE.sub(r'\1 data-source="\3"\2', body)


# What the still pictures show, which stand in the page where there is no JavaScript. These words
# are in the cells of the chapters, so they are in no catalogue.
STILL = re.compile(r'(<img class="still"[^>]*? alt=")([^"]*)"')
IN_JAPANESE = {
    "A digit, and beside it the ten probabilities after each of its 28 rows.": (
        "一つの数字と、その 28 行を一行読むごとの十個の確率。"
    ),
    "The loss of a simple RNN and of an LSTM over the steps of a training.": (
        "学習のステップに対する、単純 RNN と LSTM の損失。"
    ),
    "Three rows of bars over twelve steps: three spikes as inputs, the cell state, in which each"
    " is added to what is there, and its tanh.": (
        "12 ステップの棒が 3 段。三つのスパイクの入力、それを足し込んだセル状態、その tanh。"
    ),
    "The surprise of the model at each character of a short line, as bars.": (
        "短い一行の各文字でのモデルの意外さを示す棒。"
    ),
    "The norm of the gradient on a logarithmic axis against the steps back: nearly a straight"
    " line that falls, beside a dashed one.": (
        "さかのぼったステップ数に対する勾配のノルム（対数軸）。ほぼまっすぐ下がり、破線と並ぶ。"
    ),
}

# A demo and, right behind it, where its weights are: the address moves into the demo.
SOURCE = re.compile(
    r'(<div class="rnn-demo" data-demo="\w+" data-weights="\w+")'
    r"((?:(?!<div class=\"rnn-demo\").)*?)<!-- weights: (\S+) -->",
    re.DOTALL,
)


def _write(app: Sphinx, path: str, content: str) -> None:
    """Write a file of the site, unless it is there. The other edition finds it there, too."""
    target = Path(app.outdir, path)
    if app.config.language == ORIGINAL and not target.exists():
        write_atomically(target, content.encode())


def setup(app: Sphinx) -> None:
    app.connect("html-page-context", _move_parts)
