"""Live figures in the site: their programs, styles and weights are files that pages share.

A demo is the output of a cell, complete in itself as HTML (`rnnbook.demos`). In the site, its
program and styles would stand in many pages, and weights of a megabyte in two editions. So from
the parts that come with the HTML, each becomes a file named by its content, in the English
edition's `_static`, and the pages of both editions refer to it. The weights are loaded by the
program, when its demo comes into view; a script element can do that from a disk, too, where a page
may not fetch.

The programs and styles are those of today, not those of the day when the cell was executed: they
change no number, so a change of theirs executes nothing.
"""

import hashlib
from dataclasses import replace
from pathlib import Path

from docutils import nodes
from myst_nb.core.render import MimeData, NbElementRenderer
from myst_nb.ext.glue.utils import PendingGlueReference
from sphinx.application import Sphinx
from sphinx.builders import Builder
from sphinx.transforms.post_transforms import SphinxPostTransform

from bookbuild.editions import ORIGINAL, way_up
from rnnbook.demos.kinds import MIME, program, style
from rnnbook.files import write_atomically


class demo(nodes.General, nodes.Element):
    """A live figure; within it, the picture that a page without JavaScript shows."""


class Renderer:
    """Makes the node of an output; myst-nb finds this class by an entry point of the package."""

    mime_priority_overrides = (("*", MIME, 0),)

    @staticmethod
    def handle_mime(renderer: NbElementRenderer, data: MimeData, inline: bool) -> list | None:
        if data.mime_type != MIME:
            return None
        parts = dict(data.content)
        still = replace(data, mime_type="image/svg+xml", content=parts.pop("still"))
        if model := parts.pop("model", ""):
            renderer.write_file([f"{parts['weights']}.js"], model.encode(), exists_ok=True)
        (picture,) = renderer.render_image(still)
        picture["classes"].append("still")
        return [demo("", picture, glued=data.output_metadata["scrapbook"]["name"], **parts)]


class Borrow(SphinxPostTransform):
    """Shows a demo of another chapter, with the words that its picture has there."""

    default_priority = 4  # before myst-nb looks for its HTML
    formats = ("html",)

    def run(self) -> None:
        for wanted in list(self.document.findall(PendingGlueReference)):
            if wanted.gtype != "text":
                there = self.env.get_doctree(wanted.refdoc).findall(demo)
                if found := next((one for one in there if one["glued"] == wanted.key), None):
                    wanted.replace_self(found)


def _open(translator, node: demo) -> None:
    attributes = {"data-demo": node["kind"], "data-settings": node["settings"]}
    if name := node.get("weights"):
        outputs = Path(translator.builder.env.mystnb_config.output_folder)
        model = (outputs / f"{name}.js").read_text("utf-8")
        attributes["data-weights"] = name
        attributes["data-source"] = _shared(translator.builder, f"models/{name}.js", model)
    translator.body.append(translator.starttag(node, "div", CLASS="rnn-demo", **attributes))


def _close(translator, node: demo) -> None:
    """End the element; behind it come its styles and program, unless the page has them already."""
    styles = _shared(translator.builder, "demos/{}.css", style())
    script = _shared(translator.builder, "demos/{}.js", program(node["kind"]))
    tags = f'<link rel="stylesheet" href="{styles}">\n', f'<script src="{script}" defer></script>\n'
    translator.body.append("</div>\n")
    translator.body += [tag for tag in tags if tag not in translator.body]


def _shared(builder: Builder, name: str, content: str) -> str:
    """The address of a file of both editions, which is written unless it is there."""
    name = name.format(hashlib.sha256(content.encode()).hexdigest()[:16])
    target = Path(builder.outdir, "_static", name)
    if builder.config.language == ORIGINAL and not target.exists():
        write_atomically(target, content.encode())
    return f"{way_up(builder.app, builder.current_docname)}_static/{name}"


def setup(app: Sphinx) -> None:
    app.add_node(demo, html=(_open, _close))
    app.add_post_transform(Borrow)
