"""Two processes train as one does, over the loopback interface alone."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta
from functools import partial
from multiprocessing import get_context

import pytest
import torch
import torch.distributed as dist
from torch import nn

from rnnbook.data.words import IGNORED, encode_pairs
from rnnbook.layers.attention import AdditiveAttention
from rnnbook.layers.min_gru import ConvolvedMinGRU
from rnnbook.models.encoder_decoder import EncoderDecoder
from rnnbook.models.recurrent import CharacterModel
from rnnbook.training import distributed
from rnnbook.training.batches import PairBatches, Streams
from rnnbook.training.checkpoints import load_checkpoint
from rnnbook.training.loop import train
from rnnbook.training.objectives import answering
from rnnbook.training.settings import Settings

IDS = torch.randint(0, 5, (244,), generator=torch.Generator().manual_seed(3))
PLAN = Settings(steps=20, lr=1e-2)
TEXT = "First Citizen:\nBefore we proceed any further, hear me speak.\n\nAll:\nSpeak.\n" * 40
LAYERS = {"LSTM": lambda: nn.LSTM(4, 8, batch_first=True), "minGRU": lambda: MinGRU(4)}


class MinGRU(ConvolvedMinGRU):
    input_size = hidden_size = 4


def model(layer="LSTM"):
    torch.manual_seed(0)
    return CharacterModel(LAYERS[layer](), 5)


def batches(batch_size=4):
    return Streams(IDS, batch_size, 10)  # which begin anew after six steps


@pytest.fixture(scope="module")
def other():
    """A second process."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as executor:
        yield executor


@pytest.fixture
def two(other, one_thread, tmp_path, monkeypatch):
    """Calls a function in this process and the other, which work together; what each returns."""
    monkeypatch.setenv("GLOO_SOCKET_IFNAME", "lo")

    def call(function, *arguments):
        meeting = str(tmp_path / f"meeting-{time.monotonic_ns()}")
        second = other.submit(joined, meeting, function, arguments, 1)
        return [joined(meeting, function, arguments, 0), second.result()]

    return call


def joined(meeting, function, arguments, rank):
    torch.set_num_threads(1)
    meet = {"init_method": f"file://{meeting}", "timeout": timedelta(minutes=2)}
    dist.init_process_group("gloo", rank=rank, world_size=2, **meet)
    dist.barrier()  # or one could be gone before the other has come
    try:
        return function(*arguments)
    finally:
        dist.destroy_process_group()


def run(layer="LSTM", checkpoint=None, stop=None):
    trained = model(layer)
    history = train(trained, batches(), PLAN, checkpoint=checkpoint, checkpoint_every=4, stop=stop)
    return history, [p.detach().numpy() for p in trained.parameters()]


def gradients():
    """Of the first step, as it leaves them; without clipping."""
    one = model()
    train(one, batches(), Settings(steps=1, lr=1e-2, clip=1e9))
    return [p.grad.numpy() for p in one.parameters()]


def assert_alike(ours, theirs, tolerance=1e-6):
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(torch.tensor(a), torch.tensor(b), rtol=0, atol=tolerance)


def test_two_processes_have_the_gradients_of_one(two):
    one = gradients()
    for other in two(gradients):
        assert_alike(other, one)


@pytest.mark.parametrize("layer", LAYERS)
def test_two_processes_have_the_losses_of_one_step_by_step(two, layer):
    """With a state that is carried along, and with the same gradient norms."""
    history, weights = run(layer)
    for other, theirs in two(run, layer):
        assert_alike(other.losses, history.losses)
        assert_alike(other.gradient_norms, history.gradient_norms)
        assert_alike(theirs, weights, 1e-5)


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("first", ["one", "two"])
def test_a_run_goes_on_in_another_number_of_processes(two, tmp_path, layer, first):
    """Saved in the middle of the streams; the state belongs to the whole batch."""
    path = tmp_path / "run.pt"
    history, weights = run(layer)
    if first == "two":
        two(run, layer, path, 8)
        resumed, ended = run(layer, path)
    else:
        run(layer, path, 8)
        resumed, ended = two(run, layer, path)[0]
    assert len(resumed.losses) == PLAN.steps
    assert_alike(resumed.losses, history.losses)
    assert_alike(ended, weights, 1e-5)


WORDS = ["a", "bca", "abcab", "cb", "b", "cabba", "ccc", "ba"]
READINGS = ["イウエア", "ア", "エイ", "イ", "イウ", "アアアアアウ", "ウ", "エエ"]


def pair_batches():
    pairs = [(word, [reading]) for word, reading in zip(WORDS, READINGS, strict=True)]
    return PairBatches(*encode_pairs(pairs, "abc", "アイウエ"), batch_size=8)


def name_gradients():
    """Of the first step of a model of names: lengths differ, and so do those of the shares."""
    torch.manual_seed(0)
    one = EncoderDecoder(4, 5, 4, 8, AdditiveAttention)
    objective = partial(answering, label_smoothing=0.1)
    settings = Settings(steps=1, lr=1e-2, clip=1e9, objective=objective)
    history = train(one, pair_batches(), settings)
    return history.losses, [p.grad.numpy() for p in one.parameters()]


def shares_of_steps():
    return (distributed.shard(pair_batches().batch(0)).y != IGNORED).sum().item()


def test_shares_with_different_numbers_of_steps_have_the_gradients_of_the_whole_batch(two):
    losses, gradients = name_gradients()
    first, second = two(shares_of_steps)
    assert first != second and first + second == sum(map(len, READINGS)) + len(READINGS)
    for other_losses, other in two(name_gradients):
        assert_alike(other_losses, losses, 1e-5)
        assert_alike(other, gradients)


def dropped(batch_size):
    """What is left out in the first step."""
    masks = []
    one = CharacterModel(LAYERS["LSTM"](), 5, dropout=0.5)
    one.dropout.register_forward_hook(lambda layer, x, kept: masks.append((kept == 0).tolist()))
    train(one, batches(batch_size), Settings(steps=1, lr=1e-2))
    return masks[0]


def test_each_process_draws_its_own_dropout(two):
    first, second = two(dropped, 4)
    assert first != second
    assert first == dropped(2)  # that of a single process, with as many rows


def uneven():
    with pytest.raises(distributed.ProcessError, match="a batch of 3 cannot be shared out evenly"):
        train(model(), batches(3), PLAN)
    return True


def test_a_batch_that_cannot_be_shared_out_is_refused(two):
    assert two(uneven) == [True, True]


def fails_in_the_first():
    try:
        distributed.from_first(lambda: [][1])
    except BaseException as error:
        return type(error).__name__


def both_processes():
    return distributed.from_first(os.getpid), os.getpid()


def test_what_fails_in_the_first_process_ends_all(two):
    assert two(fails_in_the_first) == ["IndexError", "SystemExit"]
    (of_first, first), (also_of_first, _) = two(both_processes)
    assert of_first == also_of_first == first


# ------------------------------------------------------------------ torchrun


@pytest.fixture
def joined_alone(monkeypatch):
    """As if `torchrun` had started this process with others."""
    monkeypatch.setenv("LOCAL_RANK", "0")
    monkeypatch.setattr(dist, "init_process_group", lambda *_, **options: None)
    monkeypatch.setattr(dist, "destroy_process_group", lambda: None)
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def test_an_error_of_this_process_is_not_taken_for_the_end_of_another(joined_alone, monkeypatch):
    """Whatever words it has."""
    monkeypatch.setattr(distributed, "PATIENCE", 0)
    with pytest.raises(RuntimeError, match="gloo"), distributed.join("cpu"):
        raise RuntimeError("gloo knows no such operation on this device")


def test_that_another_process_has_ended_is_said_by_torchrun(joined_alone, monkeypatch):
    """Within the time that it needs to notice."""
    monkeypatch.setattr(time, "sleep", lambda _: os.kill(os.getpid(), signal.SIGTERM))
    with pytest.raises(distributed.ProcessEnded, match="another process"), distributed.join("cpu"):
        raise RuntimeError("the connection is closed")


def test_several_processes_do_not_compute_on_mps(joined_alone):
    with (
        pytest.raises(distributed.ProcessError, match=r"cpu or on cuda, not on mps; give another"),
        distributed.join("mps"),
    ):
        pytest.fail("it was begun")


# What each Python reads as it starts: the model has few units and is saved often, and in a run
# that does not resume, one of the two processes is killed.
SMALL = """
import itertools, os, signal, sys
from functools import partial
from torch.optim.optimizer import register_optimizer_step_pre_hook
from rnnbook.cli import train
from rnnbook.training.recipes import shakespeare as recipes

train.CHECKPOINT_EVERY = 10
recipes.character_reader = partial(recipes.character_reader, units=16)
step = itertools.count(1)
if os.environ.get("RANK") == "1" and "--resume" not in sys.orig_argv:
    @register_optimizer_step_pre_hook
    def last(*_):
        if next(step) == 11:
            os.kill(os.getpid(), signal.SIGKILL)
"""


def torchrun(folder, *arguments):
    program = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    path = os.pathsep.join([str(folder), *sys.path])  # the very modules that are tested here
    settings = {"GLOO_SOCKET_IFNAME": "lo", "OMP_NUM_THREADS": "1", "PYTHONPATH": path}
    return subprocess.run(
        [*program, "--nproc-per-node", "2", "-m", "rnnbook", "train", *arguments],
        cwd=folder,
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_a_killed_process_ends_the_run_in_one_line_and_it_goes_on(tmp_path):
    (tmp_path / "plays.txt").write_text(TEXT)
    (tmp_path / "sitecustomize.py").write_text(SMALL)
    run = ["shakespeare", "--text", "plays.txt", "--output", "run.pt", "--steps", "12"]
    killed = torchrun(tmp_path, *run)
    (ours,) = [line for line in killed.stderr.splitlines() if line.startswith("rnnbook: ")]
    assert killed.returncode != 0
    assert "another process of this run has ended; go on with: torchrun --nproc-per-node 2" in ours
    checkpoint = tmp_path / "run.pt.checkpoint"
    assert len(load_checkpoint(checkpoint, {"history"})["history"]["losses"]) == 10

    resumed = torchrun(tmp_path, *run, "--resume")
    assert resumed.returncode == 0, resumed.stderr
    assert resumed.stdout.count("saved run.pt") == 1
    assert resumed.stdout.count("validation characters: ") == 1
    assert not checkpoint.exists()
