"""A chapter run elsewhere, in Binder or Colab, and what the site says when its address is known."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import venv
import xml.etree.ElementTree as ElementTree
import zipfile
from html import unescape
from importlib import metadata
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import jupytext
import nbformat
import pytest
import yaml
from bs4 import BeautifulSoup
from docutils import nodes
from jupyter_client import KernelManager
from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin
from nbclient import NotebookClient
from packaging.utils import canonicalize_name

import validate
from bookbuild import mathjax
from bookbuild.cache import code_of
from bookbuild.notebooks import _write_numbers, with_tex
from bookbuild.plain import Markdown
from built import BUILD, ROOT, serve
from distributions import closure
from rnnbook.dependencies.definitions import sort
from rnnbook.page.glue import UNSEEN
from test_comments import plain

CHAPTERS = sorted(
    path.stem for path in (ROOT / "book").glob("*.md") if "{code-cell}" in path.read_text("utf-8")
)
REPOSITORY = "https://github.com/someone/rnn-book"
SITE = "https://someone.github.io/rnn-book/"
EDITIONS = ["", "ja/"]


def tool(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


# ------------------------------------------------------------------ Binder


def test_repo2docker_accepts_the_configuration_and_takes_our_steps():
    command = [tool("jupyter-repo2docker"), "--no-build", "--debug", str(ROOT)]
    result = subprocess.run(command, capture_output=True, text=True)
    output = result.stdout + result.stderr
    assert result.returncode == 0, output
    assert 'pip install --no-cache-dir -r ".binder/requirements.txt"' in output
    assert "RUN ./.binder/postBuild" in output
    assert os.access(ROOT / ".binder/postBuild", os.X_OK)
    python = (ROOT / ".binder/runtime.txt").read_text().strip().removeprefix("python-")
    assert f"environment for python={python}" in output
    workflow = yaml.safe_load((ROOT / ".github/workflows/book.yml").read_text("utf-8"))
    assert python in workflow["jobs"]["test"]["strategy"]["matrix"]["python"]  # is tested, too


IMAGE = (ROOT / ".binder/requirements.txt").read_text("utf-8").splitlines()


def test_of_two_builds_of_pytorch_the_image_has_the_small_one(tmp_path):
    """With the options of the image, pip takes the build of PyTorch's own index; both stand in."""
    small = "https://download.pytorch.org/whl/cpu"
    for index, version in (("usual", "99.0"), ("small", "99.0+cpu")):
        empty_wheel(tmp_path / index / "torch", "torch", version)
    with serve(tmp_path) as address:
        options = [line.replace(small, f"{address}/small") for line in IMAGE if line[:2] == "--"]
        assert options and all(address in option for option in options)  # or pip would ask others
        (tmp_path / "options.txt").write_text("\n".join(options))
        usual = {"PIP_INDEX_URL": f"{address}/usual", "PIP_EXTRA_INDEX_URL": ""}
        usual |= {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--dest", tmp_path]
        subprocess.run(
            [*command, "-r", tmp_path / "options.txt", "torch"],
            env={**os.environ, **usual},
            check=True,
        )
    (wheel,) = tmp_path.glob("*.whl")
    assert "+cpu" in wheel.name


def empty_wheel(folder: Path, name: str, version: str) -> None:
    folder.mkdir(parents=True)
    facts = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{name}-{version}.dist-info/METADATA", facts)
        wheel.writestr(
            f"{name}-{version}.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{name}-{version}.dist-info/RECORD", "")


def test_the_image_has_what_the_chapters_import_and_its_last_step_calls():
    named = [line for line in IMAGE if line[0] not in "#-"]
    there = closure("rnnbook[all]", *named) if "-e .[all]" in IMAGE else set()
    assert "jupyterlab" in named  # the links to Binder open a chapter in it
    homes = metadata.packages_distributions()
    for chapter in CHAPTERS:
        code = code_of((ROOT / f"book/{chapter}.md").read_text("utf-8"))
        modules = [module for module, _ in sort(ast.parse(code), code).imports.values()]
        tops = {module.split(".")[0] for module in modules} - sys.stdlib_module_names
        homeless = {top for top in tops if not there & set(map(canonicalize_name, homes[top]))}
        assert homeless == set(), chapter
    step = (ROOT / ".binder/postBuild").read_text("utf-8")
    (command,) = metadata.entry_points(group="console_scripts", name="jupytext-config")
    assert command.name in step and canonicalize_name(command.dist.name) in there


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


# ------------------------------------------------------------------ a site with an address


@pytest.fixture(scope="module")
def published(html, tmp_path_factory) -> Path:
    """Both editions, written as GitHub's workflow writes them, from pages that were read."""
    folder = tmp_path_factory.mktemp("published") / "_build"
    for read in (".doctrees", ".jupyter_cache", "jupyter_execute"):
        shutil.copytree(BUILD / read, folder / read)
    for read in (".doctrees", "jupyter_execute"):
        shutil.copytree(BUILD / "ja" / read, folder / "ja" / read)
    environment = {**os.environ, "GITHUB_REPOSITORY": "someone/rnn-book", "GITHUB_SHA": "abc123"}
    environment.pop("GITHUB_SERVER_URL", None)
    command = [sys.executable, "-c", BUILDS, folder]
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-3000:]
    return folder / "html"


BUILDS = """
import sys
from pathlib import Path
from bookbuild import __main__ as program
from sphinx.builders.html import StandaloneHTMLBuilder
StandaloneHTMLBuilder.search = False  # an index that nobody asks here
program.BUILD = Path(sys.argv[1])
program.build_book()
"""


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


@pytest.mark.parametrize("edition", EDITIONS)
@pytest.mark.parametrize("chapter", CHAPTERS)
def test_the_buttons_open_this_very_chapter(chapter, edition, published):
    page = (published / f"{edition}book/{chapter}.html").read_text("utf-8")
    links = [link["href"] for link in attributes(page, "a") if "href" in link]
    (binder,) = [urlparse(link) for link in links if "mybinder.org" in link]
    assert binder.path == "/v2/gh/someone/rnn-book/notebooks"
    (place,) = parse_qs(binder.query)["urlpath"]
    assert place == f"lab/tree/{edition}{chapter}.ipynb"
    (colab,) = [link for link in links if "colab" in link]
    assert colab.endswith(f"/github/someone/rnn-book/blob/notebooks/{edition}{chapter}.ipynb")
    (notebook,) = [link for link in links if link.endswith(".ipynb") and "://" not in link]
    file = (published / edition / "book" / notebook).resolve()
    assert file == published / f"{edition}_notebooks/{chapter}.ipynb" and file.is_file()
    forms = [urlparse(link) for link in links if "/issues/new" in link]
    for form in forms:
        (template,) = parse_qs(form.query)["template"]
        fields = yaml.safe_load((ROOT / ".github/ISSUE_TEMPLATE" / template).read_text("utf-8"))
        assert "page" in {field.get("id") for field in fields["body"]}
        assert parse_qs(form.query)["page"] == [f"{SITE}{edition}book/{chapter}.html"]
    assert len(forms) == 2


@pytest.mark.parametrize("edition", EDITIONS)
def test_a_page_says_how_to_cite_it(edition, published):
    page = BeautifulSoup((published / f"{edition}book/lstm.html").read_text("utf-8"), "html.parser")
    entry, title = page.select_one(".cite pre").get_text(), page.h1.get_text()
    assert entry.startswith("@incollection{rnnbook-lstm,\n  author = {{The authors")
    assert re.search(r"\n  title = \{(.+)\},", entry)[1] in title
    assert f"\n  url = {{{SITE}{edition}book/lstm.html}}\n}}" in entry
    assert page.select_one(".cite p").get_text().endswith(f" {SITE}{edition}book/lstm.html")
    assert page.select_one("button.share[hidden]")  # until the script finds what it can do


def test_a_site_without_an_address_shows_no_dead_buttons(html):
    if os.environ.get("GITHUB_REPOSITORY"):
        pytest.skip("this site has an address")
    for page in html.rglob("book/*.html"):
        text = page.read_text("utf-8")
        assert not re.search(
            r"mybinder|colab\.research|issues/new|rnnbook\.zip|canonical|class=.share", text
        )


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


def test_a_site_with_an_address_is_valid_html(published):
    if reason := validate.obstacle():
        pytest.skip(reason)
    pages = "404.html", "book/index.html", "book/lstm.html"  # the frame is the same in all others
    assert validate.messages(*[published / page for page in pages]) == []


# ------------------------------------------------------------------ notebooks


def beginning(notebook: nbformat.NotebookNode) -> tuple[list, list]:
    """The cells of a notebook that its page does not have, one or two, and all others."""
    number = 2 if "results.use(" in notebook.cells[1].source else 1
    return notebook.cells[:number], notebook.cells[number:]


def notebook_of(chapter: str, edition: str, folder: Path) -> nbformat.NotebookNode:
    return nbformat.read(folder / f"{edition}_notebooks/{chapter}.ipynb", as_version=4)


@pytest.mark.parametrize("edition", EDITIONS)
@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_notebook_has_every_cell_with_its_outputs(chapter, edition, published):
    notebook = notebook_of(chapter, edition, published)
    nbformat.validate(notebook)
    first, others = beginning(notebook)
    assert f"'rnnbook[all] @ git+{REPOSITORY}@abc123'" in first[0].source
    for cell in first:
        assert bool(re.search("[ぁ-ん]", cell.source)) == (edition == "ja/")
    code = [cell for cell in others if cell.cell_type == "code"]
    source = (ROOT / "book" / f"{chapter}.md").read_text("utf-8")
    assert len(code) == source.count("```{code-cell}")
    assert sum(bool(cell.outputs) for cell in code) > len(code) / 4
    outputs = [output for cell in code for output in cell.outputs]
    forms = {form.removeprefix(UNSEEN) for output in outputs for form in output.get("data", ())}
    assert forms <= {"text/plain", "text/html", "text/markdown", "image/svg+xml", "image/png"}
    original = notebook_of(chapter, "", published)
    expected = [cell for cell in beginning(original)[1] if cell.cell_type == "code"]
    for cell in [*code, *expected]:
        cell.source = plain(cell.source)  # comments are in the language of the edition
    assert code == expected


@pytest.mark.parametrize("edition", EDITIONS)
@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_notebook_says_what_its_page_says(chapter, edition, published):
    """The same words, numbers and citations, as many formulas, and the same drawings."""
    html = (published / f"{edition}book/{chapter}.html").read_text("utf-8")
    page = BeautifulSoup(html, "html.parser")
    cells = notebook_of(chapter, edition, published).cells
    text = "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    notebook = BeautifulSoup(MARKDOWN.render(text), "html.parser")
    assert said(notebook) == said(page.select_one(".body"))
    for address in [a["href"] for a in notebook.select("a")] + pictures(notebook):
        if address.startswith(SITE):
            file, _, anchor = address.removeprefix(SITE).partition("#")
            assert (published / file).is_file(), address
            assert not anchor or f'id="{anchor}"' in (published / file).read_text("utf-8"), address


MARKDOWN = MarkdownIt("gfm-like", {"linkify": False, "html": True}).use(dollarmath_plugin)


def said(part: BeautifulSoup) -> dict:
    """What is to be read in a part of a page, without its cells and what they have put out."""
    for other in part.select(".cell, .output, .rnn-demo, .headerlink"):
        other.decompose()
    formulas = [formula.extract() for formula in part.select(".math")]
    names = [Path(address).name for address in pictures(part)]
    drawings = [name for name in names if not re.fullmatch(r"[0-9a-f]{64}\.\w+", name)]
    # Markdown has no lists of definitions: what stands there is the term, a colon, and the rest.
    words = "".join(part.get_text().replace(":", "").split())
    return {"words": words, "formulas": len(formulas), "drawings": drawings}


def pictures(part: BeautifulSoup) -> list[str]:
    return [image["src"] for image in part.select("img")]


def test_what_is_written_as_plain_markdown_is_read_as_the_same():
    html = MARKDOWN.render(MIXED)
    again = MARKDOWN.render(Markdown().convert(html))
    assert again.split() == html.split()


MIXED = r"""
An *emphasis*, **two words**, `code`, ``a ` in code`` and [a *link*](https://a.org/b_c).
No markup: \*a\*, \_b\_, \`c\`, \[d\](e), \<f>, \$g\$, \~\~h\~\~, \&amp; and C:\\d.

- one
  more line

  and a second paragraph
- a list in a list:
  3. three
  4. four

> Quoted
>
> twice.

| head | |
| --- | --- |
| `cell` | **a** \| b |
"""


def test_a_formula_is_written_as_tex_with_its_number():
    inline, block = (
        nodes.math("", "x_t < y"),
        nodes.math_block("", "a &= b \\\\ c &= d", nowrap=False),
    )
    again, other = nodes.math("", "x_t < y"), nodes.math("", "x_t < y + 1")
    one, two, three, four = map(mathjax.html, [other, inline, block, again])
    page = f"""
    <p>A sum <span class="math">{one}</span>, <span class="math">{two}</span> and</p>
    <div class="math"><span class="eqno">(4.3)<a class="headerlink">#</a></span>{three}</div>
    <p><span class="math">{four}</span></p>
    """
    formulas = nodes.paragraph("", "", inline, block, other, again)  # in whatever order
    body = BeautifulSoup(with_tex(page, formulas), "html.parser")
    _write_numbers(body)
    block = "$$\na &= b \\\\ c &= d \\tag{4.3}\n$$"
    expected = f"A sum $x_t < y + 1$, $x_t < y$ and\n\n{block}\n\n$x_t < y$"
    assert Markdown().convert_soup(body).strip() == expected


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ('<p><span class="caption-number">Fig. 3 </span>It is.</p>', "**Fig. 3** It is."),
        (
            '<div class="highlight-python notranslate"><pre><i>x</i> = "*"</pre></div>',
            '```python\nx = "*"\n```',
        ),
        (
            "<details><summary>Is 1 &lt; 2?</summary><p>Yes.</p></details>",
            "<details><summary>Is 1 &lt; 2?</summary>\n\nYes.\n\n</details>",
        ),
        (
            "<dl><dt>B</dt><dd><p>batch</p></dd><dt>T</dt><dd>time</dd></dl>",
            "- B: batch\n- T: time",
        ),
    ],
)
def test_what_sphinx_writes_in_a_way_of_its_own(html, expected):
    assert Markdown().convert(html) == expected


def test_a_notebook_runs_in_a_fresh_environment_within_the_memory_of_binder(published, tmp_path):
    """As in Colab: the first cell installs the package, here from a copy of this repository."""
    notebook = nbformat.read(published / "_notebooks/simple_rnn.ipynb", as_version=4)
    shutil.copytree(ROOT, tmp_path / "copy", ignore=shutil.ignore_patterns(*GENERATED))
    address = f"git+{REPOSITORY}@abc123"
    assert address in notebook.cells[0].source
    notebook.cells[0].source = notebook.cells[0].source.replace(
        address, (tmp_path / "copy").as_uri()
    )
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = []
    limit = "import resource; resource.setrlimit(resource.RLIMIT_DATA, (2 * 10**9,) * 2)"
    notebook.cells.insert(0, nbformat.v4.new_code_cell(limit))
    kernel = KernelManager()
    kernel.kernel_spec.argv[0] = environment_without_the_book(tmp_path / "venv")
    (tmp_path / "elsewhere").mkdir()
    NotebookClient(
        notebook,
        km=kernel,
        timeout=1200,
        resources={"metadata": {"path": str(tmp_path / "elsewhere")}},
    ).execute()
    last = [cell for cell in notebook.cells if cell.cell_type == "code"][-1]
    assert last.execution_count > 10


GENERATED = [".git", ".venv", "_build", "build", "runs", "*.egg-info", "__pycache__"]


def environment_without_the_book(folder: Path) -> str:
    """A new environment with all that `rnnbook` needs, and a kernel, but not `rnnbook`: its Python.

    The packages are links to those that are here, since PyTorch is large.
    """
    venv.create(folder)
    packages = next(folder.glob("lib/python*/site-packages"))
    for name in closure("rnnbook[all]", "ipykernel", "pip") - {"rnnbook"}:
        one = metadata.distribution(name)
        tops = {file.parts[0] for file in one.files if ".." not in file.parts}
        for top in tops:
            if not (packages / top).exists():  # packages may share a folder
                (packages / top).symlink_to(one.locate_file(top))
    return str(folder / "bin/python")
