"""What was checked: the directive `{checked}` in a chapter, and `{claims}`, which gathers them all.

A claim is made in a cell (`rnnbook.page.claims.claim`). Its statement is an item of the list in the
chapter's `{checked}`, which quotes the number (`{glue:text}`); the bounds are added behind it, and
the page of claims shows the same. A claim without a statement is an error: nobody would read what
was checked. So is a statement without a claim.
"""

from collections.abc import Iterator
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, localcontext
from pathlib import Path

from docutils import nodes
from myst_nb.core.variables import format_plain_text
from myst_nb.ext.glue.roles import PasteTextRole
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.locale import _
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from bookbuild import gathering
from bookbuild.gathering import Cell, table

logger = logging.getLogger(__name__)

ROUNDING = {"↓": ROUND_FLOOR, "↑": ROUND_CEILING}
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


class QuoteRole(PasteTextRole):
    """`{glue:text}`, as myst-nb has it, that also remembers which number it has pasted.

    A format that ends in ↓ or ↑ rounds down or up instead of to the nearest number: of 0.0894
    one may say "at least 0.08", not "at least 0.09".
    """

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        name, _colon, form = self.text.partition(":")
        output = self._outputs().get(name)
        if "::" in self.text or output is None:  # of another chapter, or missing
            return super().run()
        words = formatted(output["data"]["text/plain"], form or "s")
        words = words if form in ("", "s") else as_written(words)
        number = nodes.inline("", words, classes=["pasted-text"], quotes=name)
        number["support_smartquotes"] = False  # it is shown as the cell has made it
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
    number = Decimal(value)
    if number == 0 and "e" in form:
        return "0"  # which has no exponent
    with localcontext(rounding=ROUNDING[form[-1]]):
        return format(number, form[:-1])


def as_written(number: str) -> str:
    """A number as a reader writes it: 2 × 10⁻¹⁴ for 2e-14, and −0.02 for -0.02."""
    digits, _, power = number.partition("e")
    digits = digits.replace("-", "−")
    if not power:
        return digits
    return f"{digits}\N{NO-BREAK SPACE}×\N{NO-BREAK SPACE}10{str(int(power)).translate(RAISED)}"


# ------------------------------------------------------------------ in a chapter


class Checked(SphinxDirective):
    """The folded list of statements at the end of a chapter."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        title = nodes.title("", _("Statements, with what was measured and the bounds"))
        content = self.parse_content_to_nodes()
        return [nodes.admonition("", title, *content, classes=["dropdown", "checked"])]


def _items(doctree: nodes.document) -> list[nodes.list_item]:
    folds = [fold for fold in doctree.findall(nodes.admonition) if "checked" in fold["classes"]]
    return [item for fold in folds for item in fold.findall(nodes.list_item)]


class AddBounds(SphinxPostTransform):
    """Shows the bounds of a claim behind its statement."""

    default_priority = 4  # before references in it are resolved

    def run(self) -> None:
        claims = claims_of(self.app, self.env.docname)
        for item in _items(self.document):
            bounds = [_bounds(claims[name]) for name in _quoted(item) if name in claims]
            if not bounds:
                words = "a statement without a claim: %s"
                logger.warning(words, item.astext(), location=item)
            item[0] += nodes.inline("", f" [{'; '.join(bounds)}]", classes=["bounds"])


def claims_of(app: Sphinx, chapter: str) -> dict[str, dict]:
    """The claims of a chapter by name, each with its value and bounds."""
    found = gathering.outputs(app.env, chapter).items()
    return {name: one["metadata"]["claim"] for name, one in found if "claim" in one["metadata"]}


def _quoted(node: nodes.Node) -> list[str]:
    return [number["quotes"] for number in node.findall(nodes.inline) if "quotes" in number]


def _bounds(claim: dict) -> str:
    bounds = {"≥": claim["at_least"], "≤": claim["at_most"]}
    given = {sign: as_written(f"{bound:g}") for sign, bound in bounds.items() if bound is not None}
    return ", ".join(f"{sign}\N{NO-BREAK SPACE}{bound}" for sign, bound in given.items())


# ------------------------------------------------------------------ on the page of claims


class Summary(nodes.General, nodes.TextElement):
    """The line that opens a fold. A title would be another place that a search for it leads to."""


def _folds(app: Sphinx, page: str) -> list[nodes.admonition]:
    """For each chapter that claims something a fold, with the way to the chapter and a table."""
    return [fold for chapter in gathering.executions(app.env) for fold in _fold(app, page, chapter)]


def _fold(app: Sphinx, page: str, chapter: str) -> Iterator[nodes.admonition]:
    rows, title = list(_rows(app, page, chapter)), app.env.titles[chapter].astext()
    if not rows:
        return
    address = app.builder.get_relative_uri(page, chapter)
    way = nodes.reference("", _("To the chapter"), internal=True, refuri=address)
    yield nodes.admonition(
        "",
        Summary("", _("{chapter} (claims: {count})").format(chapter=title, count=len(rows))),
        nodes.paragraph("", "", way),
        table([_("Claim"), _("Measured"), _("Checked")], rows, "claims stacked"),
        classes=["dropdown"],
        ids=[f"claims-{chapter.rpartition('/')[2]}"],
    )


def _rows(app: Sphinx, page: str, chapter: str) -> Iterator[list[Cell]]:
    """One row for each statement of a chapter, which may quote several claims."""
    claims, items = claims_of(app, chapter), _items(app.env.get_doctree(chapter))
    for item in items:
        statement = item[0].deepcopy()
        names = [name for name in dict.fromkeys(_quoted(statement)) if name in claims]
        for number in statement.findall(nodes.inline):
            if number.get("quotes") in claims:  # and in this order its value stands beside it
                number["classes"] = [*number["classes"], "claimed"]
        for reference in statement.findall(addnodes.pending_xref):
            reference["refdoc"] = page  # from which it now leads
        values = "; ".join(as_written(f"{claims[name]['value']:.4g}") for name in names)
        bounds = "; ".join(_bounds(claims[name]) for name in names)
        if names:  # Sphinx has noted in the statement whether it is translated
            words = nodes.inline("", "", *statement, translated=statement.get("translated"))
            yield [[words], values, bounds]
    quoted = {name for item in items for name in _quoted(item[0])}
    for name in sorted(claims.keys() - quoted):
        words = "no statement quotes the claim %r: in {checked} write one with {glue:text}`%s`"
        logger.warning(words, name, name, location=(chapter, _line(app, chapter, name)))


def _line(app: Sphinx, chapter: str, claim: str) -> int | None:
    """The line of a chapter that names a claim; None where the name is put together."""
    lines = Path(app.env.doc2path(chapter)).read_text("utf-8").splitlines()
    return next((number for number, line in enumerate(lines, 1) if f'"{claim}"' in line), None)


def _open_summary(translator, node: Summary) -> None:
    translator.body.append(translator.starttag(node, "summary", "", CLASS="admonition-title"))


def _close_summary(translator, node: Summary) -> None:
    translator.body.append("</summary>\n")


def setup(app: Sphinx) -> None:
    app.add_directive("checked", Checked)
    app.add_post_transform(AddBounds)
    app.add_node(Summary, html=(_open_summary, _close_summary))
    gathering.add_directive(app, "claims", _folds)
    app.add_role_to_domain("glue", "text", QuoteRole(), override=True)
