"""How fast does training run, measured against what the processor can do?

The yardstick is a large matrix product, timed in turn with each model, so that the drifting speed
of a machine does not matter. A training step of a recurrent model is counted as three times the
matrix products of its forward pass (one forward, two backward; one where the input is an image,
which needs no gradient); everything else that it does counts as nothing but time. A fraction near
1 says that the time goes into matrix products which run as fast as a large one; above 1, that they
run faster than PyTorch's own product does here.

The minGRU's states are timed as well, with a loop and with a scan (chapter "Read a digit pixel by
pixel"). Figures are medians, those two minima. On a machine that does other things at the same
time, they mean little.
"""

import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import partial
from multiprocessing import get_context
from statistics import median
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from rnnbook import machine
from rnnbook.data.vocabulary import Vocabulary
from rnnbook.decoding.sampling import sample
from rnnbook.layers.min_gru import by_scan, by_steps
from rnnbook.models.recurrent import CharacterModel, SequenceClassifier
from rnnbook.training.batches import Batch
from rnnbook.training.loop import train_step
from rnnbook.training.recipes.digits import digits
from rnnbook.training.recipes.shakespeare import STREAMS, WINDOW, character_reader, shakespeare

V = 65  # characters, as in the reference text
N = 2048  # rows and columns of the matrices in the product
BATCHES, SIZES = (4, 16, 64), (128, 256, 512)  # of the map
SEQUENCES, LENGTHS = (1, 16), (64, 784, 8192)  # of the two ways to compute a minGRU


def bench(repeats: int = 9) -> dict[str, Any]:
    """Measure everything, in a minute or two. `repeats` pairs of timings go into each median."""
    where = machine.describe()
    del where["megabytes"]
    forms = ["float32", "bfloat16"] if has_bfloat16() else ["float32"]
    return {
        "machine": {**where, "threads": torch.get_num_threads()},
        "training": {
            form: {
                "shakespeare": compare(*shakespeare_step(STREAMS, 384), form, repeats),
                "digits": compare(*digits_step(), form, repeats),
            }
            for form in forms
        },
        "map of float32, batch size x units": {
            f"{B} x {H}": compare(*shakespeare_step(B, H), "float32", repeats)["fraction"]
            for B in BATCHES
            for H in SIZES
        },
        "characters written per second": round(writing_speed()),
        "minGRU, time of a loop / time of a scan, sequences x steps": {
            f"{B} x {T}": round(loop_over_scan(B, T, repeats), 2)
            for B in SEQUENCES
            for T in LENGTHS
        },
        "characters trained on per second, by processes of one thread": {
            form: {str(n): speed_of_processes(n, form) for n in (1, 2)} for form in forms
        },
    }


def compare(
    step: Callable[[], float], flop: float, samples: int, form: str, repeats: int
) -> dict[str, float]:
    """A training step beside the product of two (N, N) matrices, in a number format.

    Returns the GFLOP/s of both, the fraction that the first is of the second, and the samples
    (characters or digits) that are trained on per second. `flop` and `samples` are those of one
    step; bfloat16 is used where autocast uses it.
    """
    a, b = torch.randn(2, N, N).to(getattr(torch, form))
    with _format(form):
        pairs = [(seconds(lambda: a @ b), seconds(step)) for _ in range(repeats)]
    products, steps = zip(*pairs, strict=True)
    fractions = [(flop / s) / (2 * N**3 / p) for p, s in pairs]
    return {
        "product, GFLOP/s": round(2 * N**3 / median(products) / 1e9, 1),
        "step, GFLOP/s": round(flop / median(steps) / 1e9, 1),
        "fraction": round(median(fractions), 3),
        "lowest fraction": round(min(fractions), 3),
        "highest fraction": round(max(fractions), 3),
        "samples per second": round(samples / median(steps)),
    }


def _format(form: str) -> AbstractContextManager:
    return torch.autocast("cpu", torch.bfloat16) if form == "bfloat16" else nullcontext()


def seconds(function: Callable[[], Any], at_least: float = 0.05) -> float:
    """The mean time of a call, over so many calls that they take about `at_least` seconds."""
    function()
    begin = time.perf_counter()
    function()
    calls = max(1, round(at_least / max(time.perf_counter() - begin, 1e-6)))
    begin = time.perf_counter()
    for _ in range(calls):
        function()
    return (time.perf_counter() - begin) / calls


def shakespeare_step(batch_size: int, units: int) -> tuple[Callable[[], float], float, int]:
    """A training step of a character model, its FLOP, and the characters that it reads."""
    model = character_reader(V, units)
    ids = torch.randint(V, (2, batch_size, WINDOW))
    samples = batch_size * WINDOW
    flop = 3 * 2 * samples * (4 * units * (128 + units) + units * V)
    return _step(model, ids[0], ids[1]), flop, samples


def digits_step() -> tuple[Callable[[], float], float, int]:
    """A training step of the classifier of digits, its FLOP, and the digits that it reads."""
    x, y = torch.rand(128, 28, 28), torch.randint(10, (128,))
    # twice for the product with the rows of an image, which need no gradient; else three times
    flop = 2 * 128 * (28 * 4 * 128 * (2 * 28 + 3 * 128) + 3 * 128 * 10)
    return _step(digits().model(10), x, y), flop, 128


def _step(model: CharacterModel | SequenceClassifier, x: Tensor, y: Tensor) -> Callable[[], float]:
    optimizer, batch = torch.optim.Adam(model.parameters()), Batch(x, y, continues=False)

    def step() -> float:
        loss, _, _ = train_step(model, optimizer, batch, state=None, clip=1.0)
        return loss.item()

    return step


def writing_speed(characters: int = 300) -> float:
    """Characters per second that the model of Shakespeare writes, one after the other."""
    vocabulary = Vocabulary("".join(chr(48 + k) for k in range(V)))
    model = shakespeare().model(V)
    sample(model, vocabulary, "0", 20)
    begin = time.perf_counter()
    sample(model, vocabulary, "0", characters)
    return characters / (time.perf_counter() - begin)


def loop_over_scan(sequences: int, steps: int, repeats: int, units: int = 64) -> float:
    """How many times as long the states of a minGRU take with a loop, forwards and backwards.

    The gates and the candidates are given: the matrix products that make them are left out.
    """
    z, n = torch.rand(2, sequences, steps, units).requires_grad_()
    h = torch.zeros(sequences, units)

    def both_ways(states: Callable[..., Tensor]) -> None:
        torch.autograd.grad(states(z, n, h).sum(), (z, n))

    pairs = [
        [seconds(lambda way=way: both_ways(way)) for way in (by_steps, by_scan)]
        for _ in range(min(repeats, 3))
    ]
    loops, scans = zip(*pairs, strict=True)
    return min(loops) / min(scans)


def speed_of_processes(processes: int, precision: str = "float32", steps: int = 30) -> int:
    """Characters per second that train Shakespeare's recipe in processes of one thread each."""
    with (
        tempfile.TemporaryDirectory() as folder,
        ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool,
    ):
        meeting = partial(_train_together, processes, f"{folder}/meeting", precision, steps)
        seconds = list(pool.map(meeting, range(processes)))
    return round(steps * STREAMS * WINDOW / max(seconds))


def _train_together(processes: int, meeting: str, precision: str, steps: int, rank: int) -> float:
    torch.set_num_threads(1)
    place = f"file://{meeting}"
    dist.init_process_group("gloo", init_method=place, rank=rank, world_size=processes)
    recipe = replace(shakespeare(), steps=steps, precision=precision)
    history = recipe.train(recipe.model(V), torch.arange(100_000) % V)
    dist.destroy_process_group()
    return history.seconds


def has_bfloat16() -> bool:
    """Whether the processor is known to multiply bfloat16 itself."""
    known = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    return bool(known and known())
