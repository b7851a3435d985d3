"""Which definitions a study reaches, and their digest, the same on every Python."""

import ast
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
import yaml

from bookbuild.cache import code_of
from built import ROOT
from rnnbook.dependencies import definitions, imports
from rnnbook.records import conduct

FILES = {
    "a.py": """
        from pack import b
        from pack.c import helper as h
        from pack.deep.d import K
        import json
        def run(x):
            return b.double(x) + h(x) + json.loads("1")
        def other(x):
            return K * x
        """,
    "b.py": "from pack.c import FACTOR\ndef double(x):\n    return FACTOR * x\n",
    "c.py": "FACTOR = 2\ndef helper(x):\n    return Thing().value\n"
    "class Thing:\n    value = [k for k in (1, 2)]\nunused = 3\n",
    "deep/d.py": "K = 4\n",
}


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Writes the files of a package, some of them changed, and returns the digest of a.run."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def digest(names=("run",), **changed: str) -> str:
        shutil.rmtree(tmp_path / "pack", ignore_errors=True)
        files = {**FILES, **{f"{name}.py": text for name, text in changed.items()}}
        for name, text in files.items():
            path = tmp_path / "pack" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text.replace("\n        ", "\n"))
        for folder in (tmp_path / "pack", tmp_path / "pack/deep"):
            (folder / "__init__.py").touch()
        definitions.read.cache_clear()
        imports.find_source.cache_clear()
        for name in [name for name in sys.modules if name.split(".")[0] == "pack"]:
            del sys.modules[name]
        return definitions.code_digest("pack.a", names)

    yield digest
    definitions.read.cache_clear()
    imports.find_source.cache_clear()


@pytest.mark.parametrize(
    "changed",
    [
        {"c": '"""Words."""\n# why\n' + FILES["c.py"]},
        {"c": FILES["c.py"].replace("(x):\n", '(x):\n    """What it does."""\n\n')},
        {"c": "class Thing:\n    value = [k for k in (1, 2)]\ndef helper(x):\n"
              "    return Thing().value\nFACTOR = 2\n"},
        {"c": "def helper(x):\n    return Thing().value\nfrom pack.deep.d import Thing, FACTOR\n",
         "deep/d": "K = 4\nFACTOR = 2\nclass Thing:\n    value = [k for k in (1, 2)]\n"},
        {"c": FILES["c.py"].replace("unused = 3", "unused = 4")},
        {"deep/d": "K = 5\n"},
    ],
    ids=["comment", "docstring", "order", "moved", "not reached", "reached by another function"],
)  # fmt: skip
def test_the_digest_does_not_see(changed, package):
    assert package(**changed) == package()


@pytest.mark.parametrize(
    "changed",
    [
        {"c": FILES["c.py"].replace("FACTOR = 2", "FACTOR = 3")},
        {"c": FILES["c.py"].replace("(1, 2)", "(1, 3)")},
        {"c": FILES["c.py"].replace("Thing().value", "Thing().value or ''")},
        {"b": FILES["b.py"].replace("FACTOR * x", "x * FACTOR")},
        {"c": FILES["c.py"] + "if FACTOR:\n    FACTOR = 7\n"},
    ],
    ids=["a constant of a module", "a class", "a function by another name", "order", "a branch"],
)
def test_the_digest_sees(changed, package):
    assert package(**changed) != package()


def test_a_local_variable_is_no_definition_of_the_same_name(package):
    local = "    def one(self, unused): return [unused for k in (1, 2)]\n"
    both = local + "    def two(self): return unused\n"
    one, two = (FILES["c.py"].replace("    value", f"{new}    value") for new in (local, both))
    more = "def k():\n    return 3\n"
    assert package(c=one) == package(c=one.replace("unused = 3", "unused = 4") + more)
    assert package(c=two) != package(c=two.replace("unused = 3", "unused = 4"))


def test_an_import_within_a_function_counts(package):
    inner = "def run(x):\n    from pack.c import FACTOR\n    return FACTOR * x\n"
    changed = FILES["c.py"].replace("FACTOR = 2", "FACTOR = 3")
    assert package(a=inner) != package(a=inner, c=changed)


def test_a_constant_that_is_none_is_not_one_that_is_empty(package):
    texts = [f"def run():\n    return {value}\n" for value in ("None", "''", "0", "False", "[]")]
    assert len({package(a=text) for text in texts}) == 5


def test_a_name_that_does_not_exist_is_an_error(package):
    with pytest.raises(NameError, match=r"pack\.a defines no absent"):
        package(names=["absent"])


LOST = ["import pack", "import pack.c", "import pack.deep as deep", "from pack import deep",
        "from pack.c import *", "from . import c", "from .c import helper", "from .. import pack",
        "import json, pack.c"]  # fmt: skip
FOLLOWED = ["import pack.c as c", "from pack import c", "from pack.c import helper as h",
            "import xml.dom.minidom", "import xml", "from os.path import *",
            "from xml import dom"]  # fmt: skip


@pytest.mark.parametrize("line", LOST)
def test_an_import_by_which_a_name_would_be_lost_is_refused(line, package):
    package()
    with pytest.raises(imports.LostImport, match="a program: what `") as caught:
        definitions.reached_by(f"def f():\n    {line}\n", "pack")
    assert f"`{line}`" in str(caught.value) and "\n" not in str(caught.value)
    with pytest.raises(imports.LostImport, match=r"pack\.b: what"):
        package(b=f"{line}\n{FILES['b.py']}")


@pytest.mark.parametrize("line", FOLLOWED)
def test_other_imports_are_followed_or_concern_other_packages(line, package):
    before = package()
    definitions.reached_by(line, "pack")
    assert package(b=f"{line}\n{FILES['b.py']}") == before


def test_what_is_imported_as_a_module_is_followed(package):
    program = "import pack.c as c\nprint(c.helper(1))\n"
    package()
    reached = definitions.reached_by(program, "pack").values()
    assert {statement.name for statement in reached} == {"helper", "Thing"}


def test_nothing_is_imported_in_a_way_that_is_refused():
    for path in sorted((ROOT / "code/rnnbook").rglob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        imports.check_imports(tree, "rnnbook", str(path.relative_to(ROOT)))
    for path in sorted((ROOT / "book").glob("*.md")):
        if "{code-cell}" in (text := path.read_text("utf-8")):
            imports.check_imports(ast.parse(code_of(text)), "rnnbook", path.name)


def test_a_study_reaches_its_network_and_the_loop():
    found = definitions.reached("rnnbook.studies.parts", ["run"])
    names = {getattr(statement, "name", "") for statement in found.values()}
    assert {
        "LSTM",
        "CoupledGates",
        "train_side_by_side",
        "store_a_number",
        "warmup_cosine",
    } <= names
    assert "Transformer" not in names


def pythons() -> list[str]:
    """Other versions of Python on this machine that the book supports."""
    found = []
    for version in sorted({"3.11", "3.12", "3.13", "3.14"} - {"{}.{}".format(*sys.version_info)}):
        folders = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin"))
        paths = (shutil.which(f"python{version}", path=folder) for folder in [*folders, None])
        found += [next((path for path in paths if path and runs(path)), None)]
    return [python for python in found if python]


def runs(python: str) -> bool:
    return subprocess.run([python, "--version"], capture_output=True).returncode == 0


PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
from rnnbook.dependencies import definitions
for name in sys.argv[2:]:
    print(definitions.code_digest(f"rnnbook.studies.{name}", ["run", "THREADS"]))
"""


def test_the_digests_are_the_same_on_other_pythons():
    if not (others := pythons()):
        pytest.skip("no other Python on this machine")
    names = conduct.names()
    expected = [
        definitions.code_digest(f"rnnbook.studies.{name}", ["run", "THREADS"]) for name in names
    ]
    for python in others:
        command = [python, "-B", "-c", PROGRAM, str(ROOT / "code"), *names]
        result = subprocess.run(command, capture_output=True, text=True, check=True)
        assert result.stdout.split() == expected, python


CONFIG = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))["sphinx"]["config"]


@pytest.mark.parametrize(
    ("module", "library"), [("rnnbook.data.dates", "babel"), ("rnnbook.data.pictures", "resvg-py")]
)
def test_a_chapter_runs_again_with_another_release_of_what_makes_its_data(module, library):
    assert library in CONFIG["bookbuild_releases"][module]


def test_what_chapters_depend_on_is_there():
    named = [*CONFIG["bookbuild_data"], *CONFIG["bookbuild_releases"]]
    assert {module for module in named if not imports.find_source(module)} == set()
    for libraries in CONFIG["bookbuild_releases"].values():
        assert all(map(metadata.version, libraries))


def test_what_data_a_chapter_loads_is_known_without_torch():
    program = (
        "import importlib, sys\n"
        "for name in sys.argv[1:]:\n"
        "    print(importlib.import_module(name).digest(''))\n"
        "sys.exit('torch' in sys.modules)"
    )
    names = CONFIG["bookbuild_data"]
    subprocess.run([sys.executable, "-c", program, *names], check=True)
