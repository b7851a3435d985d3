"""The directive `{claims}`: every sentence of the book that quotes a checked number.

A claim is made in a cell (`rnnbook.claims.claim`) and quoted in the prose (`{glue:text}`). The
table shows that very sentence, in the language of the page, with the number and its bounds. A
claim that no sentence quotes is an error: nobody would read what was checked.
"""

import json
import re
from ast import literal_eval
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, localcontext
from pathlib import Path

from docutils import nodes
from myst_nb.ext.glue.roles import PasteTextRole
from myst_nb.ext.glue.utils import retrieve_glue_data
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from bookbuild.gathered import gathered
from bookbuild.tables import table

logger = logging.getLogger(__name__)

HEADINGS = {
    "en": ["Claim", "Measured", "Checked", "Chapter"],
    "ja": ["主張", "測定値", "検査", "章"],
}
# In the source most sentences stand on lines of their own.
SENTENCE_END = re.compile(r"\n|(?<=[.?!:)]) (?=[A-Z(])|(?<=。)")


class claims_table(gathered):
    """Stands for the table."""

    shows_prose = True


class Claims(SphinxDirective):
    def run(self) -> list[nodes.Node]:
        return [claims_table()]


ROUNDING = {"↓": ROUND_FLOOR, "↑": ROUND_CEILING}


class QuoteRole(PasteTextRole):
    """`{glue:text}`, as myst-nb has it, that also remembers which number it has pasted.

    A format that ends in ↓ or ↑ rounds down or up instead of to the nearest number: of 0.0894
    one may say "at least 0.08", not "at least 0.09".
    """

    def run(self):
        # A translated sentence is parsed as a document of its own; it may quote, too.
        read = self.document.settings.env.temp_data
        translated = "nb_renderer" not in self.document and "bookbuild_outputs" in read
        if translated:
            self.document["nb_renderer"] = read["bookbuild_outputs"]
        elif "nb_renderer" in self.document:
            read["bookbuild_outputs"] = self.document["nb_renderer"]
        nodes_and_messages = self._quote()
        if translated:
            del self.document["nb_renderer"]
        return nodes_and_messages

    def _quote(self):
        name, _, form = self.text.rpartition(":")
        self.text = self.text.rstrip("↓↑")
        pasted, messages = super().run()
        for node in pasted:
            if isinstance(node, nodes.inline):
                node["quotes"] = name or self.text
                if form[-1] in ROUNDING:
                    value = retrieve_glue_data(self.document, name).data["text/plain"]
                    node[:] = [nodes.Text(formatted(value, form))]
        return pasted, messages


def formatted(value: str, form: str) -> str:
    """A number in a format such as ".2f", ".0%" or ".0e↑": rounded to one side if it says so."""
    if form[-1] not in ROUNDING:
        return format(literal_eval(value), form)
    with localcontext(rounding=ROUNDING[form[-1]]):
        return format(Decimal(value), form[:-1])


def all_claims(env: BuildEnvironment) -> list[tuple[str, str, dict]]:
    """Chapter, name and {"value", "at_least", "at_most"} of every claim, in the book's order."""
    found = []
    for docname in env.toctree_includes.get(env.config.root_doc, []):
        path = Path(env.mystnb_config.output_folder, f"{docname}.glue.json")
        if docname not in getattr(env, "nb_metadata", {}) or not path.exists():
            continue
        for name, output in json.loads(path.read_text("utf-8")).items():
            if "claim" in output.get("metadata", {}):
                found.append((docname, name, output["metadata"]["claim"]))
    return found


def sentences_of(doctree: nodes.document) -> dict[str, list[nodes.Node]]:
    """For each quoted number of a chapter, the nodes of the first sentence that quotes it."""
    found = {}
    for node in doctree.findall(nodes.inline):
        if "quotes" in node and node["quotes"] not in found:
            found[node["quotes"]] = _sentence_around(node)
    return found


def _sentence_around(number: nodes.inline) -> list[nodes.Node]:
    sentences = [[]]
    for child in number.parent.children:
        if not isinstance(child, nodes.Text):
            sentences[-1].append(child)
            continue
        first, *others = SENTENCE_END.split(str(child))
        sentences[-1].append(nodes.Text(first))
        sentences += [[nodes.Text(part)] for part in others]
    wanted = next(sentence for sentence in sentences if number in sentence)
    return [node.deepcopy() for node in wanted]


class FillTable(SphinxPostTransform):
    """Puts the table in its place, before the references in the sentences are resolved."""

    default_priority = 4

    def run(self) -> None:
        for node in list(self.document.findall(claims_table)):
            node.replace_self(self._table())

    def _table(self) -> nodes.table:
        """One row for each sentence, which may quote several claims."""
        found, sentences, quoted = {}, {}, {}
        for chapter, name, claim in all_claims(self.env):
            if chapter not in quoted:
                quoted[chapter] = sentences_of(self.env.get_doctree(chapter))
            sentence = quoted[chapter].get(name)
            if sentence is None:
                logger.warning("no sentence quotes the claim %r", name, location=chapter)
                continue
            self._look_from_here(sentence)
            key = chapter, "".join(node.astext() for node in sentence)
            sentences[key] = sentence
            found.setdefault(key, []).append(claim)
        rows = []
        for (chapter, words), claims in found.items():
            values = "; ".join(f"{claim['value']:.4g}" for claim in claims)
            bounds = "; ".join(map(_bounds, claims))
            cells = [nodes.Text(values)], [nodes.Text(bounds)], [self._link(chapter)]
            rows.append([sentences[chapter, words], *cells])
        return table(HEADINGS.get(self.config.language, HEADINGS["en"]), rows, "claims")

    def _look_from_here(self, sentence: list[nodes.Node]) -> None:
        """Let the references in a sentence lead from this page, not from its chapter."""
        for part in sentence:
            for reference in part.findall(addnodes.pending_xref):
                reference["refdoc"] = self.env.docname

    def _link(self, chapter: str) -> nodes.reference:
        address = self.app.builder.get_relative_uri(self.env.docname, chapter)
        title = self.env.titles[chapter].astext()
        return nodes.reference("", title, internal=True, refuri=address)


def _bounds(claim: dict) -> str:
    bounds = {"≥": claim["at_least"], "≤": claim["at_most"]}
    return ", ".join(
        f"{sign}\N{NO-BREAK SPACE}{b:g}" for sign, b in bounds.items() if b is not None
    )


def setup(app: Sphinx) -> None:
    app.add_node(claims_table)
    app.add_directive("claims", Claims)
    app.add_post_transform(FillTable)
    app.add_role_to_domain("glue", "text", QuoteRole(), override=True)
