"""The store of executions, jupyter-cache, with what it lacks: distrust of what it finds.

It is a folder with a notebook for each execution, in `executed`, and a database of their keys. The
key of a notebook is a digest of its code cells, of which the last names everything else that its
outputs depend on (`bookbuild.cache`). So a notebook from elsewhere can be checked: its own cells
say which key it has. Beside a notebook lies what its trainings ended with
(`rnnbook.training.results`).
"""

import io
import shutil
from collections.abc import Iterator
from pathlib import Path

import nbformat
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn, JupyterCacheAbstract, NbArtifactsAbstract
from nbformat import NotebookNode
from sphinx.util import logging

logger = logging.getLogger(__name__)

RESULTS = "results.pt"


def key(store: JupyterCacheAbstract, notebook: NotebookNode) -> str:
    """The key of a notebook, the same with and without outputs."""
    return store.create_hashed_notebook(notebook)[1]


def keep(
    store: JupyterCacheAbstract,
    notebook: NotebookNode,
    seconds: float,
    results: bytes | None = None,
) -> None:
    """Put an executed notebook into the store, with the time that its execution took.

    `results` are those of its trainings (`rnnbook.training.results`), if it has any.
    """
    notebook.metadata["execution_seconds"] = seconds
    files = Files({} if results is None else {RESULTS: results})
    bundle = CacheBundleIn(notebook, uri="", artifacts=files, data={"execution_seconds": seconds})
    store.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)


class Files(NbArtifactsAbstract):
    """What a notebook has written, as jupyter-cache takes it."""

    def __init__(self, content: dict[str, bytes]):
        self.content = content

    @property
    def relative_paths(self) -> list[Path]:
        return [Path(name) for name in self.content]

    def __iter__(self) -> Iterator[tuple[Path, io.BytesIO]]:
        for name, content in self.content.items():
            yield Path(name), io.BytesIO(content)


def results_of(folder: Path, wanted: str) -> Path:
    """Where, in the folder of a store, the results of an execution's trainings lie, if any do."""
    return folder / "executed" / wanted / "artifacts" / RESULTS


def is_kept(store: JupyterCacheAbstract, notebook: NotebookNode) -> bool:
    """Whether the store has the outputs of a notebook; what it cannot read of them is removed."""
    try:
        record = store.match_cache_notebook(notebook)
    except KeyError:
        return False
    try:
        store.get_cache_bundle(record.pk)
        return True
    except Exception:  # of many kinds: a build was killed, or the disk full, as it was written
        shutil.rmtree(Path(store.path, "executed", record.hashkey), ignore_errors=True)
        return False


def checked(store: JupyterCacheAbstract, content: bytes, wanted: str) -> NotebookNode:
    """The executed notebook that a file holds, if it has the wanted key and ended without errors.

    Raises `ValueError`, which says what is wrong with it.
    """
    try:
        notebook = nbformat.reads(content.decode(), as_version=4)
        nbformat.validate(notebook)
        found = key(store, notebook)
    except Exception as error:  # of many kinds
        raise ValueError("it is no valid notebook") from error
    if found != wanted:
        raise ValueError(f"its cells have the key {found}, not {wanted}")
    if [cell.execution_count for cell in notebook.cells] != [*range(1, len(notebook.cells) + 1)]:
        raise ValueError("it was not executed from its first cell to its last")
    sure = [one for one in notebook.cells if "raises-exception" not in one.metadata.get("tags", ())]
    if any(output.output_type == "error" for cell in sure for output in cell.outputs):
        raise ValueError("a cell of it failed")
    return notebook


def seconds(notebook: NotebookNode) -> float:
    """How long an executed notebook took; where it does not say so, what its author expected."""
    guess = notebook.metadata.get("bookbuild", {}).get("seconds", 0)
    return float(notebook.metadata.get("execution_seconds", guess))


def mend(folder: Path) -> bool:
    """Make the database of a store anew if it is damaged; returns whether it was.

    It is set aside, and the new one has what is sound among the notebooks that are there.
    """
    database = folder / "global.db"
    if not database.exists() or _is_sound(folder):
        return False
    database.replace(folder / "global.db.damaged")
    (folder / "global.db-journal").unlink(missing_ok=True)  # it would be played into the new one
    store, kept = get_cache(folder), 0
    for file in folder.glob("executed/*/base.ipynb"):
        try:
            notebook = checked(store, file.read_bytes(), wanted=file.parent.name)
            results = results_of(folder, file.parent.name)
            results = results.read_bytes() if results.exists() else None
            keep(store, notebook, seconds(notebook), results)
            kept += 1
        except ValueError:
            shutil.rmtree(file.parent)
    words = "%s was damaged: it is set aside as global.db.damaged, and %d executions were saved"
    logger.info(words, database, kept)
    return True


def _is_sound(folder: Path) -> bool:
    store = get_cache(folder)
    try:
        with store.db.connect() as connection:
            verdict = connection.exec_driver_sql("PRAGMA quick_check").scalar()
        return verdict == "ok" and all(record.data for record in store.list_cache_records())
    except Exception:  # of many kinds, of SQLAlchemy's and of those who read what it returns
        return False
    finally:
        store.db.dispose()
