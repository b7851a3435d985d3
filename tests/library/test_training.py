"""The training loop: what it trains on, how it stops and goes on, and what it measures."""

import math
import os
import pickle
import re
import struct
import subprocess
import sys
import textwrap
import zipfile
from dataclasses import fields

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from rnnbook.layers.recurrent import LSTM, RNN
from rnnbook.metrics.evaluation import accuracy, carried_loss, windowed_loss
from rnnbook.models.recurrent import CharacterModel, SequenceClassifier
from rnnbook.training import loop
from rnnbook.training.batches import FreshBatches, MiniBatches, Streams
from rnnbook.training.checkpoints import CheckpointError, load_checkpoint, save_checkpoint
from rnnbook.training.loop import detach
from rnnbook.training.objectives import (
    classification,
    has_bfloat16,
    mean_cross_entropy,
    mean_squared_error,
    regression,
)
from rnnbook.training.schedules import constant, warmup_cosine
from rnnbook.training.settings import Diverged, History, Settings
from waiting import wait_until


def character_model(seed=0, dropout=0.0):
    torch.manual_seed(seed)
    return CharacterModel(nn.LSTM(4, 8, batch_first=True), 5, dropout)


def train(model, batches, **options):
    """`loop.train`, with the settings among its options."""
    of_settings = {field.name for field in fields(Settings)} & set(options)
    settings = Settings(**{name: options.pop(name) for name in of_settings})
    return loop.train(model, batches, settings, **options)


def some_ids(length=400):
    return torch.randint(0, 5, (length,), generator=torch.Generator().manual_seed(3))


# ------------------------------------------------------------------ batches


def test_an_epoch_of_mini_batches_holds_every_example_once():
    x = torch.arange(12.0)
    batches = MiniBatches(x, x.long() * 10, batch_size=3, seed=5)
    epochs = [torch.cat([batches.batch(i).x for i in range(e * 4, e * 4 + 4)]) for e in range(2)]
    assert sorted(epochs[0].tolist()) == sorted(epochs[1].tolist()) == x.tolist()
    assert epochs[0].tolist() != epochs[1].tolist()
    assert all(
        (batch.y == batch.x * 10).all() and not batch.continues
        for batch in (batches.batch(i) for i in range(4))
    )


def test_a_batch_depends_on_its_step_alone():
    x = torch.arange(12.0)
    forward = [MiniBatches(x, x, 3, seed=5).batch(i).x.tolist() for i in range(8)]
    batches = MiniBatches(x, x, 3, seed=5)
    assert [batches.batch(i).x.tolist() for i in reversed(range(8))] == forward[::-1]
    assert MiniBatches(x, x, 3, seed=6).batch(0).x.tolist() != forward[0]


def test_fresh_batches_are_new_at_every_step_and_depend_on_it_alone():
    def make(num_sequences, generator):
        x = torch.rand(num_sequences, 4, generator=generator)
        return x, x.sum(dim=1)

    batches = FreshBatches(make, 3, seed=5)
    first, second = batches.batch(0), batches.batch(1)
    assert first.x.shape == (3, 4) and not first.continues
    torch.testing.assert_close(first.y, first.x.sum(dim=1))
    assert not torch.equal(first.x, second.x)
    assert torch.equal(FreshBatches(make, 3, seed=5).batch(1).x, second.x)
    assert not torch.equal(FreshBatches(make, 3, seed=6).batch(1).x, second.x)


def test_streams_go_on_where_they_ended():
    ids = torch.arange(31)
    streams = Streams(ids, batch_size=2, window=5)
    first, second = streams.batch(0), streams.batch(1)
    assert first.x.tolist() == [[0, 1, 2, 3, 4], [15, 16, 17, 18, 19]]
    assert (first.y == first.x + 1).all() and (second.y == second.x + 1).all()
    assert (second.x[:, 0] == first.x[:, -1] + 1).all()
    assert [streams.batch(i).continues for i in range(4)] == [False, True, True, False]
    assert (streams.batch(3).x == first.x).all()  # the streams begin anew


def test_too_little_data_is_refused():
    with pytest.raises(ValueError, match="3 examples do not fill a batch of 4"):
        MiniBatches(torch.arange(3), torch.arange(3), 4)
    with pytest.raises(ValueError, match="streams of 5 characters do not fill a window of 6"):
        Streams(torch.arange(11), batch_size=2, window=6)


# ------------------------------------------------------------------ the loop


def test_training_learns():
    """A sequence that repeats can be predicted without error."""
    ids = torch.tensor([0, 1, 2, 3, 4] * 100)
    model = character_model()
    before = carried_loss(model, ids)
    history = train(model, Streams(ids, 4, 10), steps=300, lr=2e-2)
    assert carried_loss(model, ids) < 0.1 < 1 < before
    assert len(history.losses) == len(history.gradient_norms) == 300


def test_the_losses_by_hand():
    logits = torch.tensor([[[0.0, 0.0], [1.0, 0.0]], [[0.0, 2.0], [3.0, 0.0]]])
    y = torch.tensor([[0, 0], [1, 1]])
    by_hand = [math.log(2), math.log(1 + math.exp(-1)), math.log(1 + math.exp(-2))]
    by_hand.append(3 + math.log(1 + math.exp(-3)))
    assert mean_cross_entropy(logits, y).item() == pytest.approx(sum(by_hand) / 4)
    assert mean_cross_entropy(logits[:, 0], y[:, 0]).item() == pytest.approx(
        (by_hand[0] + by_hand[2]) / 2
    )
    outputs, numbers = torch.tensor([[1.0], [4.0]]), torch.tensor([2.0, 2.0])
    assert mean_squared_error(outputs, numbers).item() == (1 + 4) / 2


def test_another_loss_can_be_trained_on():
    def make(num_sequences, generator):
        x = torch.rand(num_sequences, 3, 1, generator=generator)
        return x, x.sum(dim=(1, 2))

    torch.manual_seed(0)
    model = SequenceClassifier(nn.RNN(1, 8, batch_first=True), 1)
    losses = train(model, FreshBatches(make, 20), steps=300, lr=1e-2, objective=regression).losses
    assert sum(losses[-20:]) / 20 < 0.02 < losses[0]


def test_a_run_can_be_stopped_before_its_end_without_changing_its_beginning():
    runs = [
        train(character_model(), Streams(some_ids(), 4, 10), steps=20, lr=0.1, stop=stop)
        for stop in (None, 5, 0)
    ]
    assert len(runs[0].losses) == 20
    assert runs[1].losses == runs[0].losses[:5]
    assert runs[2].losses == []


def test_a_model_may_keep_no_state():
    assert detach(None) is None


def test_the_state_is_carried_and_cut_off_as_the_batches_say():
    states = []

    class Spy(CharacterModel):
        def forward(self, ids, state=None):
            states.append(state)
            return super().forward(ids, state)

    model = Spy(nn.LSTM(4, 8, batch_first=True), 5)
    streams = Streams(some_ids(61), batch_size=2, window=10)  # three windows a stream
    train(model, streams, steps=6, lr=1e-3)
    assert [state is not None for state in states] == [False, True, True] * 2
    assert not any(s.requires_grad for state in states if state for s in state)


def test_the_gradient_is_clipped_and_the_schedule_followed(monkeypatch):
    seen = []
    step = torch.optim.Adam.step

    def spy(self, *args):
        norm = torch.cat([p.grad.flatten() for p in self.param_groups[0]["params"]]).norm()
        seen.append((self.param_groups[0]["lr"], norm.item()))
        return step(self, *args)

    monkeypatch.setattr(torch.optim.Adam, "step", spy)
    history = train(character_model(), Streams(some_ids(), 4, 10), steps=10, lr=0.5, clip=1e-3)
    assert [lr for lr, _ in seen] == [0.5 * warmup_cosine((i + 0.5) / 10) for i in range(10)]
    assert all(norm == pytest.approx(1e-3, rel=1e-3) for _, norm in seen)
    assert min(history.gradient_norms) > 1e-3


def test_training_is_the_loop_that_anyone_would_write():
    """With Adam, its two betas, the rate of the step and the clipped gradient; bit for bit."""
    betas, lr, streams = (0.7, 0.8), 0.05, Streams(some_ids(61), 2, 10)
    ours, model = character_model(), character_model()
    history = train(ours, streams, steps=7, lr=lr, clip=0.1, betas=betas)
    optimizer, state, losses = torch.optim.Adam(model.parameters(), betas=betas), None, []
    for step in range(7):
        x, y, continues = streams.batch(step)
        logits, state = model(x, tuple(s.detach() for s in state) if continues else None)
        loss = cross_entropy(logits.flatten(0, 1), y.flatten())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 0.1)
        optimizer.param_groups[0]["lr"] = lr * warmup_cosine((step + 0.5) / 7)
        optimizer.step()
        losses.append(loss.item())
    assert history.losses == losses and same_weights(ours, model)


@pytest.mark.parametrize("measure", ["carried_loss", "windowed_loss"])
def test_a_measure_on_the_way_changes_nothing_of_the_training(measure):
    """It switches dropout off, and the training has to switch it on again."""
    models = character_model(dropout=0.5), character_model(dropout=0.5)
    watch = {"carried_loss": carried_loss, "windowed_loss": lambda m, ids: windowed_loss(m, ids, 5)}
    evaluate = [None, lambda model: watch[measure](model, some_ids(50))]
    for model, how in zip(models, evaluate, strict=True):
        streams = Streams(some_ids(), 4, 10)
        train(model, streams, steps=6, lr=1e-2, evaluate=how, evaluate_every=2)
    assert same_weights(*models)


def test_schedules():
    assert [warmup_cosine(p) for p in (0.05, 0.1, 0.55)] == pytest.approx([0.5, 1.0, 0.5])
    assert warmup_cosine(1.0) == pytest.approx(0.0)
    assert constant(0.3) == 1.0


def test_a_loss_that_explodes_stops_the_run():
    model = character_model()
    with torch.no_grad():
        model.head.weight.fill_(math.inf)
    before = model.embedding.weight.clone()
    with pytest.raises(Diverged, match="lower learning rate"):
        train(model, Streams(some_ids(), 4, 10), steps=10, lr=1e-3)
    assert torch.equal(model.embedding.weight, before)


def test_a_run_that_explodes_tells_what_happened_before():
    def explode(model, batch, state):
        loss, state = classification(model, batch, state)
        return (loss * math.inf if batch.x[0, 0] == streams.batch(3).x[0, 0] else loss), state

    ids = torch.arange(400) // 10 % 5
    streams = Streams(ids, 4, 10)
    with pytest.raises(Diverged) as caught:
        train(character_model(), streams, steps=10, lr=1e-3, objective=explode)
    whole = train(character_model(), streams, steps=10, lr=1e-3)
    assert caught.value.history.losses == whole.losses[:3]
    elsewhere = pickle.loads(pickle.dumps(caught.value))  # as from another process
    assert str(elsewhere) == str(caught.value) and elsewhere.history.losses == whole.losses[:3]


def test_a_gradient_that_is_not_finite_stops_the_run_even_if_the_loss_is():
    def root(model, batch, state):  # of zero: its slope is infinite
        logits, state = model(batch.x, state)
        return (logits - logits.detach()).square().sum().sqrt(), state

    model, streams = character_model(), Streams(some_ids(), 4, 10)
    with pytest.raises(Diverged, match="the loss is 0 and the norm of its gradient nan"):
        train(model, streams, steps=10, lr=1e-3, objective=root)
    assert same_weights(model, character_model())


def test_losses_that_are_fetched_seldom_are_the_same(monkeypatch):
    """As from a GPU, whose numbers one does not wait for in every step."""
    plan = {"steps": 33, "lr": 1e-2, "evaluate": lambda model: 0.0, "evaluate_every": 20}
    whole = train(character_model(), Streams(some_ids(), 4, 10), **plan)
    monkeypatch.setitem(loop.FETCH_EVERY, "cpu", 8)
    fetched = []
    fetch = History.fetch

    def spy(history, waiting):
        fetched.append(len(waiting))
        fetch(history, waiting)

    monkeypatch.setattr(History, "fetch", spy)
    seldom = train(character_model(), Streams(some_ids(), 4, 10), **plan)
    assert fetched == [8, 8, 4, 8, 5]
    assert seldom.losses == whole.losses and seldom.gradient_norms == whole.gradient_norms


def test_a_loss_that_is_not_finite_is_noticed_when_it_is_fetched():
    history = History()
    with pytest.raises(Diverged, match="the loss is nan"):
        history.fetch([torch.tensor([1.0, 2.0]), torch.tensor([math.nan, 2.0])])
    assert history.losses == [1.0]


@pytest.mark.skipif(not has_bfloat16(), reason="this processor has no bfloat16")
def test_bfloat16_trains_nearly_as_float32_does():
    losses = {
        precision: train(
            character_model(), Streams(some_ids(), 4, 10), steps=60, lr=1e-2, precision=precision
        ).losses
        for precision in ("float32", "bfloat16")
    }
    assert losses["float32"] != losses["bfloat16"]
    for exact, rounded in zip(*losses.values(), strict=True):
        assert rounded == pytest.approx(exact, rel=0.03)


def test_the_steps_of_a_training_are_given_in_one_way():
    batches = MiniBatches(torch.zeros(12, 1, 1), torch.zeros(12).long(), 3)
    assert Settings(lr=1, epochs=3).total_steps(batches) == 12
    assert Settings(lr=1, steps=5).total_steps(batches) == 5
    for wrong in ({}, {"steps": 5, "epochs": 3}):
        with pytest.raises(ValueError, match="steps or that of epochs"):
            Settings(lr=1, **wrong).total_steps(batches)


def test_held_out_measures_are_recorded_and_printed(capsys):
    history = train(
        character_model(),
        Streams(some_ids(), 4, 10),
        steps=25,
        lr=3e-2,
        evaluate=lambda model: 0.25,
        evaluate_every=10,
    )
    assert history.held_out == [(10, 0.25), (20, 0.25), (25, 0.25)]
    lines = capsys.readouterr().out.splitlines()
    said = [float(re.search(r"training loss (\S+)", line)[1]) for line in lines]
    means = [sum(history.losses[done - 10 : done]) / 10 for done in (10, 20, 25)]
    assert said == pytest.approx(means, abs=0.00051)
    assert abs(means[0] - means[1]) > 0.002 < abs(means[0] - means[2])  # they can be told apart


# ------------------------------------------------------------------ checkpoints

RUN = """
    import sys, time
    from pathlib import Path
    import torch
    from test_training import character_model, some_ids, train
    from rnnbook.training import loop
    from rnnbook.training.batches import Streams

    print(loop.__file__, flush=True)
    model = character_model(dropout=0.5)
    train(model, Streams(some_ids(), 4, 10), steps=60, lr=1e-2, checkpoint=Path(sys.argv[1]),
          checkpoint_every=7, evaluate=lambda model: time.sleep(600) or 0.0, evaluate_every=16)
"""


def same_weights(a, b):
    return all(torch.equal(p, q) for p, q in zip(a.parameters(), b.parameters(), strict=True))


def test_a_killed_run_goes_on_and_ends_with_the_same_weights(tmp_path):
    """Killed for real, with dropout and a carried state, and resumed in another process."""
    arguments = dict(steps=60, lr=1e-2)
    whole = character_model(dropout=0.5)
    train(whole, Streams(some_ids(), 4, 10), **arguments)

    path = tmp_path / "run.pt"
    path_of_this_process = os.pathsep.join(sys.path)  # the very modules that are tested here
    environment = {**os.environ, "PYTHONPATH": path_of_this_process}
    program = [sys.executable, "-c", textwrap.dedent(RUN), str(path)]
    process = subprocess.Popen(program, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline() == f"{loop.__file__}\n"
        wait_until(path.exists)
    finally:
        process.kill()
        process.communicate()
    done = len(load_checkpoint(path, {"history"})["history"]["losses"])
    assert 0 < done < 60 and done % 7 == 0

    resumed = character_model(seed=99, dropout=0.5)  # its own weights do not matter
    torch.rand(13)  # nor does the state of the generator
    history = train(resumed, Streams(some_ids(), 4, 10), checkpoint=path, **arguments)
    assert same_weights(resumed, whole)
    assert len(history.losses) == 60
    left = {p.name for p in tmp_path.iterdir() if p.suffix != ".part"}  # of a killed writer
    assert left == {"run.pt"}


def test_the_seconds_before_an_interruption_count(tmp_path):
    path, arguments = tmp_path / "run.pt", dict(steps=20, lr=1e-2, checkpoint_every=5)
    batches = Streams(some_ids(), 4, 10)
    train(character_model(), batches, checkpoint=path, stop=10, **arguments)
    content = load_checkpoint(path, {"history"})
    content["history"]["seconds"] = 1e6
    save_checkpoint(path, content)
    history = train(character_model(), batches, checkpoint=path, **arguments)
    assert len(history.losses) == 20 and 1e6 < history.seconds < 2e6


def test_a_finished_run_is_not_trained_further(tmp_path):
    path = tmp_path / "run.pt"
    arguments = dict(steps=10, lr=1e-2, checkpoint=path)
    first, second = character_model(), character_model(seed=1)
    losses = train(first, Streams(some_ids(), 4, 10), **arguments).losses
    assert train(second, Streams(some_ids(), 4, 10), **arguments).losses == losses
    assert same_weights(first, second)


class Malicious:
    def __reduce__(self):
        return os.mkdir, ("executed",)


def damaged(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


def test_a_checkpoint_with_one_bit_flipped_is_refused(tmp_path):
    """In any of its tensors; torch itself would load other numbers without a word."""
    path = tmp_path / "run.pt"
    train(character_model(), Streams(some_ids(), 4, 10), steps=5, lr=1e-2, checkpoint=path)
    good = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        members = [member for member in archive.infolist() if "/data/" in member.filename]
    assert len(members) > 20
    for member in members:
        head = good[member.header_offset + 26 : member.header_offset + 30]
        place = member.header_offset + 30 + sum(struct.unpack("<HH", head))
        path.write_bytes(damaged(good, place + member.file_size // 2))
        with pytest.raises(CheckpointError, match="is damaged"):
            load_checkpoint(path, {"model"})


def lie(content, path: str, value):
    """The content of a checkpoint with one entry, such as "history/losses", replaced."""
    *folders, name = path.split("/")
    for folder in folders:
        content = content[folder]
    content[name] = value


@pytest.mark.parametrize(
    ("entry", "value"),
    [
        ("model", 5),
        ("model", {1: torch.zeros(3)}),
        ("optimizer", None),
        ("optimizer", {"param_groups": []}),
        ("optimizer/state", {}),
        ("optimizer/state", {99: {"step": torch.tensor(5.0)}}),
        ("history", {}),
        ("history", {"losses": [1.0] * 4, "gradient_norms": [1.0] * 4}),
        ("history", {"what": 1}),
        ("history/losses", [1.0] * 4),
        ("history/losses", "abcde"),
        ("history/gradient_norms", [1.0]),
        ("history/held_out", None),
        ("history/seconds", "long"),
        ("state", "rested"),
        ("state", [1, 2]),
        ("random", torch.zeros(3)),
        ("random", "chance"),
    ],
)
def test_a_sound_archive_of_other_things_is_refused(entry, value, tmp_path):
    path = tmp_path / "run.pt"
    train(character_model(), Streams(some_ids(), 4, 10), steps=5, lr=1e-2, checkpoint=path)
    content = torch.load(path, weights_only=True)
    lie(content, entry, value)
    torch.save(content, path)
    with pytest.raises(CheckpointError, match="delete it to start anew"):
        train(character_model(), Streams(some_ids(), 4, 10), steps=9, lr=1e-2, checkpoint=path)


@pytest.mark.parametrize("damage", ["truncated", "not a checkpoint", "malicious", "empty", "other"])
def test_a_bad_checkpoint_is_refused(damage, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "run.pt"
    train(character_model(), Streams(some_ids(), 4, 10), steps=5, lr=1e-2, checkpoint=path)
    good = path.read_bytes()
    if damage == "malicious":
        torch.save({"model": Malicious()}, path)
    elif damage == "other":
        torch.save({"model": {}}, path)
    else:
        path.write_bytes(
            {
                "truncated": good[: len(good) // 2],
                "empty": b"",
                "not a checkpoint": pickle.dumps([1, 2], protocol=2),
            }[damage]
        )
    with pytest.raises(CheckpointError, match="delete it to start anew"):
        train(character_model(), Streams(some_ids(), 4, 10), steps=9, lr=1e-2, checkpoint=path)
    assert not (tmp_path / "executed").exists()


def test_a_checkpoint_of_another_model_is_refused(tmp_path):
    path = tmp_path / "run.pt"
    train(character_model(), Streams(some_ids(), 4, 10), steps=5, lr=1e-2, checkpoint=path)
    other = CharacterModel(LSTM(4, 9), 5)
    with pytest.raises(CheckpointError, match="another model"):
        train(other, Streams(some_ids(), 4, 10), steps=9, lr=1e-2, checkpoint=path)


# ------------------------------------------------------------------ measures


def test_carried_loss_is_that_of_one_pass_over_the_text():
    model, ids = character_model().eval(), some_ids(100)
    logits, _ = model(ids[None, :-1])
    assert carried_loss(model, ids, window=7) == pytest.approx(
        cross_entropy(logits[0], ids[1:]).item(), rel=1e-5
    )


def test_carried_loss_of_a_uniform_model():
    model = character_model()
    with torch.no_grad():
        model.head.weight.zero_(), model.head.bias.zero_()
    assert carried_loss(model, some_ids()) == pytest.approx(math.log(5), rel=1e-5)


def test_accuracy_counts_every_example():
    torch.manual_seed(0)
    model = SequenceClassifier(RNN(2, 3), num_classes=4)
    x = torch.randn(25, 6, 2)
    answers = model(x)[0].argmax(dim=1)
    y = answers.clone()
    y[:5] = (y[:5] + 1) % 4
    assert accuracy(model, x, y, batch_size=10) == pytest.approx(0.8)


def test_what_is_measured_is_the_model_without_dropout():
    class Forgetful(SequenceClassifier):
        def forward(self, x, state=None):
            return super().forward(nn.functional.dropout(x, 0.9, self.training), state)

    torch.manual_seed(0)
    model, x = Forgetful(RNN(8, 9), num_classes=4), torch.randn(200, 6, 8)
    y = model.eval()(x)[0].argmax(dim=1)
    assert accuracy(model.train(), x, y) == 1 and not model.training
    writer, ids = character_model(dropout=0.9), some_ids(100)
    losses = [carried_loss(writer.train(), ids) for _ in range(2)]
    assert losses[0] == losses[1] and not writer.training
    losses = [windowed_loss(writer.train(), ids, 9) for _ in range(2)]
    assert losses[0] == losses[1] and not writer.training


@pytest.mark.parametrize("length", [201, 203, 210])  # from windows that are just full
def test_windowed_loss_begins_every_window_without_a_state(length):
    model, ids = character_model(), some_ids(length)
    parts = [carried_loss(model, ids[i : i + 11]) for i in range(0, 200, 10)]
    expected = sum(parts) / len(parts)  # what does not fill a window is left out
    assert windowed_loss(model, ids, window=10) == pytest.approx(expected, rel=1e-5)
    assert carried_loss(model, ids[:201]) != pytest.approx(expected, rel=1e-4)
