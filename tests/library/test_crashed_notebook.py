"""The script in plain PyTorch that the chapter on the crashed notebook gives to paste and run."""

import gzip
import io
import re

import jupytext
import pytest
import torch

from built import ROOT
from rnnbook.data.mnist import load_mnist, write_idx

CHAPTER = ROOT / "book" / "crashed_notebook.md"


@pytest.fixture(scope="module")
def script():
    """The code of the fold."""
    fold = re.search(r"^````\{admonition\}.+?^````$", CHAPTER.read_text("utf-8"), re.M | re.S)
    return re.search(r"^```python\n(.+?)^```$", fold.group(), re.M | re.S).group(1)


def lines(code):
    return [line for line in code.splitlines() if line]


def test_each_line_of_the_script_stands_in_the_cells_of_the_chapter(script):
    """In the same order, but for the lines that get the data, and the imports before them."""
    cells = [cell for cell in jupytext.read(CHAPTER).cells if cell.cell_type == "code"]
    shown = [cell.source for cell in cells if not cell.metadata.get("tags")]
    found = iter(lines("\n".join(shown)))
    rest = script[script.index("images, labels =") :]
    assert [line for line in lines(rest) if line not in found] == []
    assert "rnnbook" not in script


@pytest.mark.usefixtures("one_thread")
def test_the_script_runs_and_reads_what_the_book_reads(script, monkeypatch, capsys):
    digits = load_mnist()
    arrays = {
        "train-images-idx3-ubyte": (digits.train_images * 255).round(),
        "train-labels-idx1-ubyte": digits.train_labels,
        "t10k-images-idx3-ubyte": (digits.test_images * 255).round(),
        "t10k-labels-idx1-ubyte": digits.test_labels,
    }

    def urlopen(address):
        name = re.fullmatch(r"https://\S+/mnist/(\S+)\.gz", address).group(1)
        return io.BytesIO(gzip.compress(write_idx(arrays[name].byte().numpy()), 0))

    monkeypatch.setattr("urllib.request.urlopen", urlopen)
    brief = script.replace("num_steps=781", "num_steps=30").replace("step % 200", "step % 10")
    assert brief.count("30") == 1 == brief.count("step % 10 == 0:\n            print")
    run = {}
    exec(compile(brief, str(CHAPTER), "exec"), run)
    for ours, its in zip(
        digits, ("all_images", "all_labels", "test_images", "test_labels"), strict=True
    ):
        torch.testing.assert_close(run[its], ours, rtol=0, atol=0)
    *steps, first, every = capsys.readouterr().out.splitlines()
    assert [line.split(" / ")[0] for line in steps] == ["step: 10", "step: 20", "step: 30"]
    assert first.startswith("the first 128: 0.") and float(every.split(": ")[1]) > 0.3
