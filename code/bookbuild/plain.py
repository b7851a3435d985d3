"""MyST Markdown as plain Markdown, for notebooks opened where MyST is unknown, as in Colab."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from pybtex.database import Entry

DIRECTIVE = re.compile(r"^(`{3,})\{([\w:-]+)\} ?(.*?)\n(.*?)^\1$", re.DOTALL | re.MULTILINE)
OPTIONS = re.compile(r"(?:^:[\w-]+:.*\n)*", re.MULTILINE)
ROLE = re.compile(r"\{([\w:]+)\}`([^`]+)`")
LINK = re.compile(r"\[([^\]\n]*)\]\((\w+)\.md\)")
TARGET = re.compile(r"^\([\w-]+\)=\n", re.MULTILINE)
EQUATION_LABEL = re.compile(r"^\$\$ \([\w-]+\)$", re.MULTILINE)


@dataclass(frozen=True)
class Plain:
    """Writes the text of a chapter anew.

    Attributes:
        number: gives the number of a label, such as "Fig. 17" or "(3)".
        value: gives a glued value in a format, such as "0.25" for `name:.2f`.
        title: gives the title of a page by the name of its file.
        citation: gives the authors and the year of a key of the bibliography.
        picture: gives the address of a drawing by its path in the sources.
        site: the address of the site, or "" where it is not known.
    """

    number: Callable[[str], str]
    value: Callable[[str], str]
    title: Callable[[str], str]
    citation: Callable[[str], tuple[str, str]]
    picture: Callable[[str], str]
    site: str = ""

    def __call__(self, text: str) -> str:
        text = EQUATION_LABEL.sub("$$", TARGET.sub("", text))
        text = DIRECTIVE.sub(self._directive, text)
        return LINK.sub(self._link, ROLE.sub(self._role, text))

    def _directive(self, match: re.Match) -> str:
        _, name, argument, body = match.groups()
        head = OPTIONS.match(body)[0]
        options = dict(re.findall(r"^:([\w-]+): (.*)$", head, re.MULTILINE))
        content = self(body[len(head) :].strip())
        label = options.get("name", options.get("label"))
        number = f"**{self.number(label)}** " if label else ""
        if name == "figure":
            return f"![{options['alt']}]({self.picture(argument)})\n\n{number}{content}"
        if name == "table":
            return f"{number}{argument}\n\n{content}"
        if name == "solution":
            return f"<details><summary>Solution</summary>\n\n{content}\n\n</details>"
        if name == "exercise":
            return f"{number}\n\n{content}"
        if name == "code-block":
            return f"```{argument}\n{content}\n```"
        return f"{number}{content}"  # a caption: the cell above shows the figure

    def _role(self, match: re.Match) -> str:
        name, content = match.groups()
        if name == "glue:text":
            return self.value(content)
        if name in ("numref", "eq"):
            return self.number(content)
        if name == "cite:t":
            return ", ".join("{} ({})".format(*self.citation(key)) for key in content.split(","))
        if name.startswith("cite"):
            return f"({'; '.join(', '.join(self.citation(key)) for key in content.split(','))})"
        return content

    def _link(self, match: re.Match) -> str:
        words = match[1] or self.title(match[2])
        return f"[{words}]({self.site}book/{match[2]}.html)" if self.site else f"“{words}”"


def authors_and_year(entry: Entry) -> tuple[str, str]:
    """Whom a text names: up to two authors by their surnames, or the first of more."""
    names = [
        " ".join(map(str, person.rich_prelast_names + person.rich_last_names))
        for person in entry.persons["author"]
    ]
    who = f"{names[0]} et al." if len(names) > 2 else " and ".join(names)
    return who, entry.fields["year"]
