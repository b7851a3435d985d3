"""A chapter run elsewhere, in Binder or Colab, and what the site says when its address is known."""

import json
import os
import re
import resource
import subprocess
import sys
import venv
import xml.etree.ElementTree as ElementTree
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlparse

import jupytext
import nbformat
import pytest
import yaml
from jupyter_client import KernelManager
from nbclient import NotebookClient

from bookbuild.plain import Plain, author_and_year
from conftest import ROOT

CHAPTERS = sorted(
    path.stem for path in (ROOT / "book").glob("*.md") if "{code-cell}" in path.read_text("utf-8")
)
REPOSITORY = "https://github.com/someone/rnn-book"
SITE = "https://someone.github.io/rnn-book/"


def tool(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


# ------------------------------------------------------------------ Binder


def test_repo2docker_accepts_the_configuration_and_takes_our_steps():
    command = [tool("jupyter-repo2docker"), "--no-build", "--debug", str(ROOT)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120)
    output = result.stdout + result.stderr
    assert result.returncode == 0, output
    assert 'pip install --no-cache-dir -r ".binder/requirements.txt"' in output
    assert "RUN ./.binder/postBuild" in output
    assert "environment for python=3.12" in output


def test_the_image_has_the_small_pytorch():
    lines = (ROOT / ".binder/requirements.txt").read_text("utf-8").splitlines()
    assert "--extra-index-url https://download.pytorch.org/whl/cpu" in lines
    assert {"-e .", "jupyterlab", "jupytext"} <= set(lines)


def test_jupyterlab_opens_markdown_as_a_notebook(tmp_path):
    (command,) = re.findall(
        r"^jupytext-config (\S+)", (ROOT / ".binder/postBuild").read_text("utf-8"), re.MULTILINE
    )
    environment = {**os.environ, "JUPYTER_CONFIG_DIR": str(tmp_path)}
    subprocess.run([tool("jupytext-config"), command], env=environment, check=True)
    settings = json.loads((tmp_path / "labconfig/default_setting_overrides.json").read_text())
    viewers = settings["@jupyterlab/docmanager-extension:plugin"]["defaultViewers"]
    assert viewers["markdown"] == "Jupytext Notebook"


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_the_notebook_server_opens_a_chapter_with_all_its_cells(chapter):
    server = jupytext.TextFileContentsManager()
    server.root_dir = str(ROOT)
    opened = server.get(f"book/{chapter}.md")
    assert opened["type"] == "notebook"
    cells = opened["content"]["cells"]
    source = (ROOT / "book" / f"{chapter}.md").read_text("utf-8")
    assert sum(cell["cell_type"] == "code" for cell in cells) == source.count("```{code-cell}")


def run_with_limit(chapter: str, megabytes: int) -> subprocess.CompletedProcess:
    """Run a chapter as a notebook whose process may not have more than so much data."""
    program = (
        "import sys, jupytext; from nbclient import NotebookClient;"
        "NotebookClient(jupytext.read(sys.argv[1]), kernel_name='python3', timeout=300,"
        " resources={'metadata': {'path': 'book'}}).execute()"
    )

    def limit():
        resource.setrlimit(resource.RLIMIT_DATA, (megabytes * 10**6,) * 2)

    return subprocess.run(
        [sys.executable, "-c", program, f"book/{chapter}.md"],
        cwd=ROOT,
        preexec_fn=limit,
        capture_output=True,
        text=True,
    )


def test_a_chapter_runs_within_the_memory_of_binder():
    result = run_with_limit("simple_rnn", megabytes=2000)
    assert result.returncode == 0, result.stderr[-3000:]


# ------------------------------------------------------------------ a site with an address


@pytest.fixture(scope="module")
def published(html, tmp_path_factory) -> Path:
    """The English edition, built as GitHub's workflow builds it."""
    folder = tmp_path_factory.mktemp("published") / "html"
    program = "import sys; from pathlib import Path; from bookbuild.__main__ import sphinx;"
    program += "sphinx('html', Path(sys.argv[1]))"
    environment = {**os.environ, "GITHUB_REPOSITORY": "someone/rnn-book", "GITHUB_SHA": "abc123"}
    environment.pop("GITHUB_SERVER_URL", None)
    result = subprocess.run(
        [sys.executable, "-c", program, str(folder)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-3000:]
    return folder


def attributes(page: str, tag: str, **wanted: str) -> list[dict[str, str]]:
    """The attributes of the elements `tag` of a page that have those wanted."""
    found = []
    for text in re.findall(rf"<{tag}\s([^>]*)>", page):
        pairs = {name: unescape(value) for name, value in re.findall(r'([\w:-]+)="([^"]*)"', text)}
        if wanted.items() <= pairs.items():
            found.append(pairs)
    return found


@pytest.mark.parametrize("name", ["index", *CHAPTERS, "glossary"])
def test_a_page_says_where_it_is_and_what_it_is(name, published):
    page = (published / f"book/{name}.html").read_text("utf-8")
    (canonical,) = attributes(page, "link", rel="canonical")
    assert canonical["href"] == f"{SITE}book/{name}.html"
    alternates = attributes(page, "link", rel="alternate")
    assert {link["hreflang"]: link["href"] for link in alternates} == {
        "en": f"{SITE}book/{name}.html",
        "ja": f"{SITE}ja/book/{name}.html",
        "x-default": f"{SITE}book/{name}.html",
    }
    cards = {meta["property"]: meta["content"] for meta in attributes(page, "meta")
             if "property" in meta}  # fmt: skip
    assert cards["og:title"] and cards["og:image"].startswith(SITE)
    assert 40 < len(cards["og:description"]) <= 202
    assert (published / cards["og:image"].removeprefix(SITE)).is_file()


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_the_buttons_open_this_very_chapter(chapter, published):
    page = (published / f"book/{chapter}.html").read_text("utf-8")
    links = [link["href"] for link in attributes(page, "a") if "href" in link]
    (binder,) = [urlparse(link) for link in links if "mybinder.org" in link]
    assert binder.path == "/v2/gh/someone/rnn-book/main"
    (place,) = parse_qs(binder.query)["urlpath"]
    assert place == f"lab/tree/book/{chapter}.md"
    assert (ROOT / unquote(place).removeprefix("lab/tree/")).is_file()
    (colab,) = [link for link in links if "colab" in link]
    assert colab.endswith(f"/github/someone/rnn-book/blob/notebooks/{chapter}.ipynb")
    assert (published / f"_notebooks/{chapter}.ipynb").is_file()
    forms = [urlparse(link) for link in links if "/issues/new" in link]
    for form in forms:
        (template,) = parse_qs(form.query)["template"]
        fields = yaml.safe_load((ROOT / ".github/ISSUE_TEMPLATE" / template).read_text("utf-8"))
        assert "page" in {field.get("id") for field in fields["body"]}
        assert parse_qs(form.query)["page"] == [f"{SITE}book/{chapter}.html"]
    assert len(forms) == 2


def test_a_site_without_an_address_shows_no_dead_buttons(html):
    if os.environ.get("GITHUB_REPOSITORY"):
        pytest.skip("this site has an address")
    for page in html.rglob("book/*.html"):
        text = page.read_text("utf-8")
        assert not re.search(r"mybinder|colab\.research|issues/new|rnnbook\.zip|canonical", text)


def test_the_map_of_the_site_names_every_page_of_both_editions(published):
    tree = ElementTree.parse(published / "sitemap.xml")
    found = {node.text for node in tree.iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")}
    names = [path.stem for path in (ROOT / "book").glob("*.md")]
    assert found == {f"{SITE}{ja}book/{name}.html" for ja in ("", "ja/") for name in names}
    assert f"Sitemap: {SITE}sitemap.xml" in (published / "robots.txt").read_text("utf-8")


def test_the_page_for_what_is_missing_finds_the_site_from_anywhere(published):
    page = (published / "404.html").read_text("utf-8")
    assert attributes(page, "base") == [{"href": SITE}]
    assert "book/index.html" in page and "ページがありません" in page


# ------------------------------------------------------------------ notebooks


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_notebook_has_outputs_and_no_markup_that_only_the_book_understands(chapter, published):
    notebook = nbformat.read(published / f"_notebooks/{chapter}.ipynb", as_version=4)
    nbformat.validate(notebook)
    first, *others = notebook.cells
    assert f"git+{REPOSITORY}@abc123" in first.source
    code = [cell for cell in others if cell.cell_type == "code"]
    source = (ROOT / "book" / f"{chapter}.md").read_text("utf-8")
    assert len(code) == source.count("```{code-cell}")
    assert sum(bool(cell.outputs) for cell in code) > len(code) / 4
    words = "\n".join(cell.source for cell in others if cell.cell_type == "markdown")
    assert (
        re.findall(r"\{[a-z:]+\}`[^`]*`|^`{3,}\{.*|^\([\w-]+\)=|\]\(\w+\.md\)", words, re.M) == []
    )
    for address in re.findall(rf"\({SITE}([^)#]+)\)", words):
        assert (published / address).is_file(), address


def test_plain_markdown():
    plain = Plain(
        number={"fig-a": "Fig. 3", "eq-b": "(2)", "ex": "Exercise 1"}.get,
        value={"loss:.2f": "0.25"}.get,
        title={"lstm": "The LSTM"}.get,
        picture=lambda path: f"pictures/{path}",
        site="https://book/",
    )
    text = "(a-label)=\n# Title\n\n```{figure} a.svg\n:name: fig-a\n:alt: A cell\n\nThe $x$.\n```\n"
    text += "It is {glue:text}`loss:.2f`, see {numref}`fig-a`, {eq}`eq-b`, [](lstm.md)"
    text += " and {cite:t}`hochreiter1997long`.\n\n```{solution} ex\n:class: dropdown\n\nYes.\n```"
    assert plain(text) == (
        "# Title\n\n![A cell](pictures/a.svg)\n\n**Fig. 3** The $x$.\n"
        "It is 0.25, see Fig. 3, (2), [The LSTM](https://book/book/lstm.html)"
        " and Hochreiter (1997).\n\n<details><summary>Solution</summary>\n\nYes.\n\n</details>"
    )
    assert author_and_year("lecun1998gradient") == "Lecun (1998)"


def test_a_notebook_runs_where_only_its_first_cell_has_installed_anything(published, tmp_path):
    """As in Colab; the package comes from this folder instead of from GitHub."""
    notebook = nbformat.read(published / "_notebooks/simple_rnn.ipynb", as_version=4)
    address = f"git+{REPOSITORY}@abc123"
    assert address in notebook.cells[0].source
    notebook.cells[0].source = notebook.cells[0].source.replace(address, ROOT.as_uri())
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = []
    venv.create(tmp_path / "venv", with_pip=True)
    python = str(tmp_path / "venv/bin/python")
    subprocess.run([python, "-m", "pip", "install", "--quiet", "ipykernel"], check=True)
    kernel = KernelManager()
    kernel.kernel_spec.argv[0] = python
    (tmp_path / "elsewhere").mkdir()
    client = NotebookClient(
        notebook,
        km=kernel,
        timeout=1200,
        resources={"metadata": {"path": str(tmp_path / "elsewhere")}},
    )
    client.execute()
    last = [cell for cell in notebook.cells if cell.cell_type == "code"][-1]
    assert last.execution_count > 10
