"""What a chapter is about, in the words of its field: `about`, below its title.

    ```{about} GRU, gated recurrent unit, ゲート付き回帰型ユニット
    :minutes: 40

    The gated recurrent unit (GRU) and ablations of the LSTM
    ```

The line stands under the title, in the contents, in the title of the window and before the
description of the page; the minutes, which the short way takes, with the cards of all chapters
(`bookbuild.contents`). Whoever searches for one of the terms, in either language, finds this
chapter first: Sphinx's search gives a main entry of the index more than a word of the text.
"""

from typing import ClassVar

from bs4 import BeautifulSoup
from docutils import nodes
from docutils.parsers.rst import directives
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective


class About(SphinxDirective):
    """The line that it holds, and the terms that lead to this page."""

    required_arguments = 1
    final_argument_whitespace = True
    option_spec: ClassVar = {"minutes": directives.positive_int}
    has_content = True

    def run(self) -> list[nodes.Node]:
        self.assert_has_content()
        if "minutes" not in self.options:
            raise self.error("it does not say how many minutes the short way takes")
        terms = " ".join(self.arguments[0].split()).split(", ")
        entries = [("single", term, "", "main", None) for term in terms]
        (line,) = self.parse_content_to_nodes()
        line["classes"].append("about")
        self.env.metadata[self.env.docname]["minutes"] = self.options["minutes"]
        return [addnodes.index(entries=entries), line]


def line(app: Sphinx, page: str) -> str:
    """What a page is about, in the language of the edition; or nothing."""
    return app.env.metadata.get(page, {}).get("about", "")


def _note(app: Sphinx, doctree: nodes.document) -> None:
    for paragraph in doctree.findall(nodes.paragraph):
        if "about" in paragraph["classes"]:
            app.env.metadata[app.env.docname]["about"] = paragraph.astext()


def _add_lines(app: Sphinx, page: str, template: str, context: dict, doctree) -> None:
    """The contents of the book as `contents()`: Sphinx's, with the line of each chapter."""
    toctree = context["toctree"]

    def contents(**options) -> str:
        menu = BeautifulSoup(toctree(**options), "html.parser")
        lines = {context["pathto"](name): line(app, name) for name in app.env.found_docs}
        for link in menu.select("a"):
            for unused in {"reference", "internal"} & {*link["class"]}:
                link["class"].remove(unused)  # no style is for them, and every page has them all
            if words := lines.get(link["href"]):
                link.append(menu.new_tag("span", attrs={"class": "about"}, string=words))
        return str(menu)

    context["contents"], context["about"] = contents, line(app, page)


def setup(app: Sphinx) -> None:
    app.add_directive("about", About)
    app.connect("doctree-read", _note)
    app.connect("html-page-context", _add_lines)
