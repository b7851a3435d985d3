"""The directive `{claims}`: every sentence of the book that quotes a checked number.

A claim is made in a cell (`rnnbook.page.claims.claim`) and quoted in the prose (`{glue:text}`). The
table shows that very sentence, in the language of the page, with the number and its bounds. A
claim that no sentence quotes is an error: nobody would read what was checked.
"""

import re
from collections.abc import Iterator
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, localcontext

from docutils import nodes
from myst_nb.core.variables import format_plain_text
from myst_nb.ext.glue.roles import PasteTextRole
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.locale import _
from sphinx.util import logging

from bookbuild import gathering
from bookbuild.tables import Cell, table

logger = logging.getLogger(__name__)

# In the source most sentences stand on lines of their own.
SENTENCE_END = re.compile(r"\n|(?<=[.?!:)]) (?=[A-Z(])|(?<=。)")
ROUNDING = {"↓": ROUND_FLOOR, "↑": ROUND_CEILING}


class QuoteRole(PasteTextRole):
    """`{glue:text}`, as myst-nb has it, that also remembers which number it has pasted.

    A format that ends in ↓ or ↑ rounds down or up instead of to the nearest number: of 0.0894
    one may say "at least 0.08", not "at least 0.09".
    """

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        name, form = (*self.text.split(":"), "s")[:2]
        output = self._outputs().get(name)
        if "::" in self.text or output is None:  # of another chapter, or missing
            return super().run()
        words = formatted(output["data"]["text/plain"], form)
        number = nodes.inline("", words, classes=["pasted-text"], quotes=name)
        self.set_source_info(number)
        return [number], []

    def _outputs(self) -> dict[str, dict]:
        """What the page has glued. A translated sentence is a document of its own, read later."""
        if "nb_renderer" in self.document:
            return self.document["nb_renderer"].renderer.nb_client.glue_data
        env = self.document.settings.env
        return gathering.outputs(env, env.docname)


def formatted(value: str, form: str) -> str:
    """A number in a format such as ".2f", ".0%" or ".0e↑": rounded to one side if it says so."""
    if form[-1] not in ROUNDING:
        return format_plain_text(value, form)
    with localcontext(rounding=ROUNDING[form[-1]]):
        return format(Decimal(value), form[:-1])


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


def _table(app: Sphinx, page: str) -> list[nodes.table]:
    rows = [row for chapter in gathering.executions(app.env) for row in _rows(app, page, chapter)]
    return [table([_("Claim"), _("Measured"), _("Checked"), _("Chapter")], rows, "claims")]


def _rows(app: Sphinx, page: str, chapter: str) -> Iterator[list[Cell]]:
    """One row for each sentence of a chapter, which may quote several claims."""
    sentences, claims = sentences_of(app.env.get_doctree(chapter)), {}
    for name, output in gathering.outputs(app.env, chapter).items():
        claim = output.get("metadata", {}).get("claim")
        if claim and name in sentences:
            words = "".join(node.astext() for node in sentences[name])
            claims.setdefault(words, (sentences[name], []))[1].append(claim)
        elif claim:
            logger.warning("no sentence quotes the claim %r", name, location=chapter)
    address = app.builder.get_relative_uri(page, chapter)
    for sentence, checked in claims.values():
        for part in sentence:
            for reference in part.findall(addnodes.pending_xref):
                reference["refdoc"] = page  # from which it now leads
        values = "; ".join(f"{claim['value']:.4g}" for claim in checked)
        link = nodes.reference("", app.env.titles[chapter].astext(), internal=True, refuri=address)
        yield [sentence, values, "; ".join(map(_bounds, checked)), [link]]


def _bounds(claim: dict) -> str:
    bounds = {"≥": claim["at_least"], "≤": claim["at_most"]}
    return ", ".join(
        f"{sign}\N{NO-BREAK SPACE}{b:g}" for sign, b in bounds.items() if b is not None
    )


def setup(app: Sphinx) -> None:
    gathering.add_directive(app, "claims", _table, prose=True)
    app.add_role_to_domain("glue", "text", QuoteRole(), override=True)
