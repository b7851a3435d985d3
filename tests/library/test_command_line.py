"""`python -m rnnbook`: what it does, and one line for everything that it cannot do."""

import errno
import gzip
import io
import math
import multiprocessing
import os
import pickle
import re
import shlex
import signal
import struct
import subprocess
import sys
import zlib
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from pkgutil import resolve_name

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from torch.nn.functional import cross_entropy

from rnnbook.cli import commands, data, options, output, train, use
from rnnbook.cli import main as command_line
from rnnbook.cli.errors import UsageError
from rnnbook.data import digit_image, kanji, mnist, packing, shakespeare, speech
from rnnbook.data.fetching.errors import DataError
from rnnbook.data.pairs import group_readings
from rnnbook.data.picture_gallery import Gallery
from rnnbook.data.vocabulary import Vocabulary
from rnnbook.decoding.sampling import sample
from rnnbook.errors import BookError
from rnnbook.models import ensemble
from rnnbook.models.recurrent import CharacterModel
from rnnbook.records import conduct
from rnnbook.training import checkpoints, distributed, loop, model_files
from rnnbook.training.objectives import has_bfloat16
from rnnbook.training.recipes import all_recipes as recipes
from rnnbook.training.recipes.recipe import Recipe
from rnnbook.training.settings import Diverged
from waiting import PATIENCE, wait_until

TEXT = "First Citizen:\nBefore we proceed any further, hear me speak.\n\nAll:\nSpeak.\n" * 40
RECIPE = recipes.RECIPES["shakespeare"]
COMMANDS = ["data", "train", "classify", "sample", "transliterate", "listen", "describe", "draw"]
COMMANDS += ["study", "bench"]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty current folder with a text to train on."""
    monkeypatch.chdir(tmp_path)
    Path("plays.txt").write_text(TEXT)
    return tmp_path


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """The recipes of text with smaller networks: what a command does with them is the same."""
    for name, units in (("shakespeare", 16), ("shakespeare-long", 24)):
        small = replace(recipes.RECIPES[name](), network=partial(small_model, units))
        monkeypatch.setitem(recipes.RECIPES, name, lambda small=small: small)


def small_model(units: int, vocabulary_size: int) -> CharacterModel:
    return CharacterModel(nn.LSTM(8, units, batch_first=True), vocabulary_size, dropout=0.2)


def recipe(name: str, **changes) -> Recipe:
    return replace(recipes.RECIPES[name](), **changes)


def weights(path="runs/shakespeare.pt"):
    return torch.load(path, weights_only=True)["weights"]


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def model_file(kind: str) -> Path:
    """A model file with weights as they are before training."""
    vocabularies = [Vocabulary(TEXT)] if kind == "shakespeare" else []
    path = options.MODELS[kind]
    model = recipe(kind).model(*map(len, vocabularies))
    model_files.finish(path, {"recipe": kind}, model, vocabularies)
    return path


# ------------------------------------------------------------------ help and mistyped commands


def test_help_names_the_commands_and_does_not_wait_for_torch():
    program = (
        "import sys, rnnbook.cli.main as m\n"
        "try: m.main(['--help'])\n"
        "finally: assert not {'torch', 'numpy', 'PIL'} & set(sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert all(re.search(rf"\n    {name}\s", result.stdout) for name in COMMANDS)


@pytest.mark.parametrize(
    "command", ["data", *(f"train {model}" for model in options.MODELS), *COMMANDS[2:]]
)
def test_every_command_has_a_help(command, call):
    code, out, err = call(*command.split(), "--help")
    assert code == 0 and out.startswith(f"usage: python -m rnnbook {command}") and not err


def test_the_help_of_study_lists_the_studies(call):
    said = " ".join(call("study", "--help")[1].split())
    assert f"The studies: {', '.join(conduct.names())}." in said


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("", "required: COMMAND"),
        ("teach mnist", "'teach'"),
        ("train", "required: MODEL"),
        ("train mnits", "'mnits'"),
        ("train mnist --epochs 0", "'0' is no whole number from 1"),
        ("train mnist --steps 9", "--steps"),
        ("train shakespeare --steps many", "'many' is no whole number"),
        ("train mnist --seed -1", "'-1' is no whole number from 0"),
        (f"train mnist --seed {5000 * '9'}", f"{30 * '9'}'… is no whole number from 0"),
        (f"sample --temperature {5000 * '9'}", f"{30 * '9'}'… is no temperature"),
        ("train mnist --resume --force", "not allowed with"),
        ("classify", "required: IMAGE"),
        ("sample --temperature -1", "'-1' is no temperature"),
        ("sample --temperature nan", "'nan' is no temperature"),
        ("sample --temperature 1e-40", "'1e-40' is no temperature"),
        ("sample --temperature hot", "'hot' is no temperature"),
        ("sample --length 0", "'0' is no whole number from 1"),
        ("sample --top-k 0", "'0' is no whole number from 1"),
        ("sample --promt x", "--promt"),
        ("sample 'two\nlines'", "two lines"),
        ("train names --steps 9", "--steps"),
        ("train speech --epochs 9", "--epochs"),
        ("listen", "required: DIGITS"),
        ("listen 40x", "'40x' is no string of 1 to 20 digits"),
        ("listen ４０", "is no string of 1 to 20 digits"),
        ("train kanji --steps 9", "--steps"),
        ("draw --temperature 0", "the temperature of a pen is not 0"),
        ("draw --number 401", "'401' is no whole number from 1 to 400"),
        ("transliterate anna --beam 0", "'0' is no whole number from 1 to 100"),
        ("transliterate anna --answers many", "'many' is no whole number"),
        ("study", "give the names of studies, or --all"),
        ("study nothing", f"no study 'nothing'; there are: {', '.join(conduct.names())}"),
    ],
)
def test_nonsense_is_refused(arguments, message, refused):
    refused(message, *shlex.split(arguments))


def test_the_module_runs_and_its_exit_code_is_that_of_the_command():
    command = [sys.executable, "-m", "rnnbook", "sample", "--model", "none.pt"]
    result = subprocess.run(command, capture_output=True, text=True)
    advice = "there is no none.pt; train a model: python -m rnnbook train shakespeare"
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == f"rnnbook: {advice}\n"


# ------------------------------------------------------------------ data


def test_data_says_which_text_it_is_and_where(call, tmp_path, monkeypatch):
    monkeypatch.setenv("RNNBOOK_DATA", "here")
    (tmp_path / "play").write_text(TEXT)
    monkeypatch.setattr(packing, "_files", lambda: [tmp_path / "play"])
    monkeypatch.setattr(data, "load_mnist", few_digits)
    text = shakespeare.Text(TEXT, "a text of the tests", "0")
    monkeypatch.setattr(data, "load_shakespeare", lambda: text)
    monkeypatch.setattr(data, "load_names", lambda: group_readings([("anna", "アンナ")]))
    monkeypatch.setattr(data, "load_speech", lambda: speech.Speech(()))
    monkeypatch.setattr(data, "load_pictures", lambda: Gallery(()))
    monkeypatch.setattr(data, "load_kanji", lambda: kanji.Drawings(()))
    code, out, _ = call("data", "--pack", str(tmp_path / "pack"))
    assert code == 0 and f"Packed into {tmp_path / 'pack'}: 0 MB" in out
    assert gzip.decompress((tmp_path / "pack" / "play.gz").read_bytes()).decode() == TEXT
    assert "300 + 200 digits" in out and "a text of the tests" in out and "in here" in out
    assert "Names: 1 spellings" in out and "Spoken digits: 0 recordings" in out
    assert "Pictures: 0 with" in out and "Kanji: 0 characters" in out


def test_data_that_cannot_be_had(refused, monkeypatch):
    def fail():
        raise DataError("no\nnetwork")

    monkeypatch.setattr(data, "load_mnist", fail)
    refused("no network", "data")


def test_a_message_does_not_steer_the_terminal(refused):
    refused("there is no red [31m.pt", "sample", "--model", "red\x1b[31m.pt")


@pytest.mark.parametrize(
    "error",
    [
        UsageError,
        DataError,
        digit_image.ImageError,
        conduct.StudyError,
        model_files.RunError,
        checkpoints.CheckpointError,
        distributed.ProcessError,
        Diverged,
    ],
)
def test_what_the_user_can_mend_is_one_kind_of_error(error):
    assert issubclass(error, BookError)


def test_every_command_names_a_function():
    for command in [*commands.TRAININGS, *commands.USES]:
        assert callable(resolve_name(f"rnnbook.cli.{command.function}"))


def test_paths_and_texts_do_not_steer_the_terminal(call, monkeypatch):
    monkeypatch.setattr(use, "load_model", lambda path, *recipes: (Nearest(), ()))
    name = "red \x1b[31m\n.png"
    picture(digits()[3], size=150).save(name)
    code, out, _ = call("classify", name)
    assert code == 0 and out.startswith("red  [31m .png: 3  (") and out.count("\n") == 1
    assert output.harmless("a\x1b[31m\x9b\n\t読　む") == "a\ufffd[31m\ufffd\n\t読　む"
    monkeypatch.setattr(use, "stream", lambda *_, **options: iter("\x1b\x07a"))
    monkeypatch.setattr(use, "load_model", lambda *_: (None, (Vocabulary("a"),)))
    assert call("sample", "--length", "3")[1] == "\n\ufffd\ufffda\n"


@pytest.mark.parametrize(
    ("encoding", "said"), [("ascii", "in ascii, which lacks 5 of its characters"), ("utf-8", "")]
)
def test_what_a_console_lacks_is_not_lost_without_a_word(encoding, said):
    program = (
        "import sys\n"
        "from rnnbook.cli import main as m\n"
        "m.main = lambda: print('読む: ヨム é') or 0\n"
        "sys.exit(m.program())"
    )
    settings = {**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, env=settings)
    assert result.returncode == 0 and said in result.stderr.decode()
    assert result.stderr.count(b"\n") == (encoding == "ascii")
    assert (result.stdout == b"??: ?? ?\n") == (encoding == "ascii")


# ------------------------------------------------------------------ closed outputs


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_a_closed_output_is_one_that_nobody_reads(closed):
    for arguments, code in (("--help", 0), ("teach", 2)):
        command = f"{shlex.quote(sys.executable)} -m rnnbook {arguments} {closed}"
        result = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
        assert result.returncode == code, result.stderr
        assert bool(result.stdout) == (code == 0 and closed == "2>&-")
        assert result.stderr.count("\n") == (code == 2 and closed == ">&-")


@pytest.mark.parametrize("standard_input", ["<&-", "< names.txt"])
def test_an_input_that_is_closed_or_no_text_is_no_mistake_of_ours(standard_input):
    Path("names.txt").write_bytes(b"M\xfcller\n")
    command = (
        f"{shlex.quote(sys.executable)} -m rnnbook transliterate --model no.pt {standard_input}"
    )
    utf8 = {**os.environ, "PYTHONIOENCODING": "utf-8:strict"}
    result = subprocess.run(["bash", "-c", command], capture_output=True, text=True, env=utf8)
    assert result.returncode == 2 and "there is no no.pt" in result.stderr
    assert result.stderr.count("\n") == 1


# ------------------------------------------------------------------ train


@cache
def few_digits() -> mnist.Mnist:
    """Noise in the shape of MNIST: 275 to train on, which is two batches, 25 held out, 200 more."""
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(500, 28, 28, generator=generator)
    y = torch.randint(10, (500,), generator=generator)
    return mnist.Mnist(x[:300], y[:300], x[300:], y[300:])


TRAIN = {
    "mnist": "train mnist --epochs 3",  # of two batches
    "shakespeare": "train shakespeare --text plays.txt --steps 6",
}


@pytest.fixture
def interrupt(monkeypatch):
    """Press Ctrl-C in a step of the training to come, counted from 1. Saves every two steps."""
    step, count = loop.train_step, 0
    monkeypatch.setattr(train, "CHECKPOINT_EVERY", 2)
    monkeypatch.setattr(train, "load_mnist", few_digits)

    def set_up(at: int | None) -> None:
        nonlocal count
        count = 0

        def interrupted_step(*arguments):
            nonlocal count
            count += 1
            if count == at:
                raise KeyboardInterrupt
            return step(*arguments)

        monkeypatch.setattr(loop, "train_step", interrupted_step)

    set_up(None)
    set_up.steps_done = lambda: count
    return set_up


@pytest.mark.parametrize("kind", TRAIN)
def test_an_interrupted_run_goes_on_and_ends_with_the_same_weights(kind, call, interrupt):
    path = f"runs/{kind}.pt"
    arguments = [*TRAIN[kind].split(), "--seed", "3"]
    code, whole, _ = call(*arguments, "--output", "whole.pt")
    assert code == 0

    interrupt(at=6)
    code, _, err = call(*arguments, "--force")
    command = "python -m rnnbook " + " ".join(arguments) + " --resume"
    assert (code, err) == (130, f"rnnbook: interrupted; go on with: {command}\n")
    assert weights(path) is None

    interrupt(at=None)
    code, resumed, _ = call(*shlex.split(command)[3:])
    assert code == 0 and interrupt.steps_done() == 2  # the fifth, again, and the sixth
    assert resumed.startswith("going on after step 4 of 6\n") and "going on" not in whole
    assert same(weights(path), weights("whole.pt"))
    assert resumed.splitlines()[-1] == whole.splitlines()[-1]
    left = {file.name for file in Path().rglob("*.pt*") if file.suffix != ".lock"}
    assert left == {f"{kind}.pt", "whole.pt"}


@pytest.mark.parametrize("kind", TRAIN)
def test_a_training_says_soon_how_fast_it_is_where_there_is_no_bar(
    kind, call, interrupt, monkeypatch
):
    monkeypatch.setattr(train, "SOON", 0)
    said = re.compile(r"step +1 of 6   about [\d,]+ s to go\n")
    for watched in (False, True):
        monkeypatch.setattr(train, "is_watched", lambda watched=watched: watched)
        code, out, _ = call(*TRAIN[kind].split(), "--force")
        assert code == 0 and len(said.findall(out)) == (not watched)


def test_train_mnist_follows_the_recipe(call, interrupt):
    call(*TRAIN["mnist"].split(), "--seed", "3")
    x, y, *_ = few_digits()
    digits = recipe("mnist", epochs=3, seed=3)
    model = digits.model(10)
    digits.train(model, x[:275], y[:275])
    assert same(weights("runs/mnist.pt"), model.state_dict())


def test_train_shakespeare_follows_the_recipe(call, interrupt):
    call(*TRAIN["shakespeare"].split(), "--seed", "3")
    vocabulary = Vocabulary(TEXT)
    ids = vocabulary.encode(TEXT[: int(0.9 * len(TEXT))])
    shakespeare = recipe("shakespeare", steps=6, seed=3)
    model = shakespeare.model(len(vocabulary))
    shakespeare.train(model, ids[len(ids) // 20 :])
    assert same(weights("runs/shakespeare.pt"), model.state_dict())


def test_train_shakespeare_follows_the_long_recipe_and_its_model_writes(call, interrupt):
    call(*TRAIN["shakespeare"].split(), "--seed", "3", "--long")
    vocabulary = Vocabulary(TEXT)
    ids = vocabulary.encode(TEXT[: int(0.9 * len(TEXT))])
    long = recipe("shakespeare-long", steps=6, seed=3)
    model = long.model(len(vocabulary))
    long.train(model, ids)
    assert not Path("runs/shakespeare.pt").exists()
    assert same(weights("runs/shakespeare-long.pt"), model.state_dict())
    code, out, _ = call("sample", "--length", "20", "--model", "runs/shakespeare-long.pt")
    assert code == 0 and len(out) >= 20


def test_the_accuracy_is_that_of_the_saved_model_on_all_test_digits(call, interrupt):
    code, out, _ = call(*TRAIN["mnist"].split())
    model, vocabularies = model_files.load_model(Path("runs/mnist.pt"), "mnist")
    right = model(few_digits().test_images)[0].argmax(1) == few_digits().test_labels
    last = out.splitlines()[-1]
    assert code == 0 and vocabularies == ()
    assert last == f"accuracy on all 200 test digits: {right.float().mean().item():.2%}"


def test_the_loss_is_that_of_the_saved_model_on_the_whole_validation_text(call, interrupt):
    code, out, _ = call(*TRAIN["shakespeare"].split())
    model, (known,) = model_files.load_model(Path("runs/shakespeare.pt"), "shakespeare")
    ids = known.encode(TEXT[int(0.9 * len(TEXT)) :])
    loss = cross_entropy(model(ids[None, :-1])[0][0], ids[1:]).item()  # in one piece
    assert code == 0
    assert f"measuring the loss on {len(ids)} characters" in out  # which may take minutes
    printed = re.fullmatch(r"loss on all (\d+) validation .* (\S+) nats each", out.splitlines()[-1])
    assert int(printed[1]) == len(ids) and float(printed[2]) == pytest.approx(loss, abs=2e-4)


def test_a_run_is_not_overwritten_unless_told_to(call, refused, interrupt):
    arguments = TRAIN["shakespeare"].split()
    call(*arguments)
    first = Path("runs/shakespeare.pt").read_bytes()
    refused("--resume goes on with the same run, --force replaces it", *arguments)
    refused("another choice of steps", *arguments[:-1], "5", "--resume")
    Path("plays.txt").write_text(TEXT[::-1])
    refused("another choice of text", *arguments, "--resume")
    Path("plays.txt").write_text(TEXT)

    interrupt(at=1)  # would stop any training
    code, out, _ = call(*arguments, "--resume")
    assert code == 0 and "finished already" in out
    assert Path("runs/shakespeare.pt").read_bytes() == first


@pytest.mark.parametrize("device", ["cuda", "mps"])
def test_a_device_that_the_machine_lacks(device, refused, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    message = f"finds no device '{device}' on this machine; it finds: cpu"
    refused(message, *TRAIN["shakespeare"].split(), "--device", device)
    assert not Path("runs").exists()


@pytest.mark.skipif(not has_bfloat16(), reason="this processor has no bfloat16")
def test_the_products_of_a_run_may_be_of_bfloat16(call, refused):
    arguments = TRAIN["shakespeare"].split()
    assert call(*arguments, "--precision", "bfloat16")[0] == 0
    rounded = weights()
    refused("another choice of precision", *arguments, "--resume")
    assert call(*arguments, "--force")[0] == 0
    assert not same(rounded, weights())


def test_a_precision_that_the_processor_lacks(refused, monkeypatch):
    monkeypatch.setattr(train, "has_bfloat16", lambda: False)
    message = "PyTorch has no bfloat16 on this processor; leave out --precision"
    refused(message, *TRAIN["shakespeare"].split(), "--precision", "bfloat16")
    assert not Path("runs").exists()


def test_force_begins_anew(call, interrupt):
    arguments = TRAIN["shakespeare"].split()
    interrupt(at=4)
    call(*arguments)
    interrupt(at=None)
    call(*arguments[:-1], "3", "--force")
    assert interrupt.steps_done() == 3


def test_a_truncated_checkpoint_is_refused(call, refused, interrupt):
    interrupt(at=4)
    call(*TRAIN["shakespeare"].split())
    checkpoint = Path("runs/shakespeare.pt.checkpoint")
    checkpoint.write_bytes(checkpoint.read_bytes()[:-1000])
    refused("runs/shakespeare.pt.checkpoint is damaged", *TRAIN["shakespeare"].split(), "--resume")


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("plays.txt/model.pt", "cannot write plays.txt/model.pt"),
        ("locked/model.pt", "cannot write locked/model.pt"),
        (".", "is a folder"),
        ("pipe", "is a folder or a device"),
    ],
)
@pytest.mark.parametrize("flag", ["--force", "--resume"])
def test_an_unwritable_folder_is_noticed_before_the_training(
    output, message, flag, refused, interrupt, monkeypatch
):
    interrupt(at=1)  # the exit code of a training would be 130
    Path("locked").mkdir(mode=0o500)
    os.mkfifo("pipe")
    if os.geteuid() == 0 and "locked" in output:  # root may write everywhere
        monkeypatch.setattr(model_files, "save_checkpoint", deny)
    refused(message, *TRAIN["shakespeare"].split(), "--output", output, flag)


def deny(path, content):
    raise PermissionError(13, "Permission denied", str(path))


def test_a_run_that_goes_on_notices_an_unwritable_folder_too(call, refused, interrupt, monkeypatch):
    interrupt(at=1)
    arguments = TRAIN["shakespeare"].split()
    assert call(*arguments)[0] == 130
    monkeypatch.setattr(model_files, "save_checkpoint", deny)
    refused("cannot write runs/shakespeare.pt", *arguments, "--resume")


def hold(begun, done):
    with model_files.alone(Path("runs/shakespeare.pt")):
        begun.set()
        done.wait(60)


def test_two_trainings_of_one_model_do_not_disturb_each_other(call, refused, interrupt):
    arguments = TRAIN["shakespeare"].split()
    context = multiprocessing.get_context("fork")
    begun, done = context.Event(), context.Event()
    other = context.Process(target=hold, args=(begun, done), daemon=True)
    other.start()
    assert begun.wait(60)
    for more in ([], ["--resume"], ["--force"]):
        refused("runs/shakespeare.pt is being trained by another process", *arguments, *more)
    assert interrupt.steps_done() == 0
    done.set()
    other.join()
    assert call(*arguments)[0] == 0


def test_a_file_that_is_no_model_is_not_to_be_deleted(refused, interrupt):
    Path("one.png").write_bytes(png_header(28, 28))
    message = "one.png is damaged or no checkpoint; give another --output"
    refused(message, *TRAIN["shakespeare"].split(), "--output", "one.png", "--resume")


@pytest.mark.parametrize("output", ["/proc/x.pt", f"{230 * 'a'}.pt"])
def test_where_no_checkpoint_could_be_written_nothing_is_trained(output, refused, interrupt):
    """The name of a checkpoint is longer than that of its model."""
    message = f"cannot write {output} ("
    refused(message, *TRAIN["shakespeare"].split(), "--output", output)
    assert interrupt.steps_done() == 0


@pytest.mark.parametrize("what", ["checkpoint", "model"])
def test_a_full_disk_costs_nothing(what, call, refused, interrupt, monkeypatch):
    """It is filled by the second checkpoint, or by the model at the end."""
    arguments, written = TRAIN["shakespeare"].split(), 0
    call(*arguments, "--output", "whole.pt")
    full_at = {"checkpoint": 3, "model": 5}[what]  # the first file is the model without weights

    def sync(_):
        nonlocal written
        written += 1
        if written == full_at:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", sync)
        code, _, err = call(*arguments)
    name = "runs/shakespeare.pt" + (".checkpoint" if what == "checkpoint" else "")
    command = f"python -m rnnbook {' '.join(arguments)} --resume"
    problem = f"cannot use {name} (No space left on device); make room for it"
    assert (code, err) == (2, f"rnnbook: {problem}, then go on with: {command}\n")
    assert call(*shlex.split(command)[3:])[0] == 0
    assert same(weights(), weights("whole.pt"))


@pytest.mark.parametrize("rank", ["abc", "0"])
def test_a_rank_that_torchrun_has_not_given_is_explained(rank, refused, monkeypatch):
    monkeypatch.setenv("LOCAL_RANK", rank)
    message = "LOCAL_RANK is set, but the processes of the run do not meet"
    refused(message, *TRAIN["shakespeare"].split())
    assert not Path("runs").exists()


def test_what_a_killed_training_left_is_removed(call, interrupt):
    Path("runs").mkdir()
    Path("runs/shakespeare.pt.checkpoint.0123456789abcdef.part").touch()
    assert call(*TRAIN["shakespeare"].split())[0] == 0
    assert list(Path("runs").glob("*.part")) == []


@pytest.mark.parametrize("device", ["/dev/zero", "pipe"])
@pytest.mark.parametrize(
    "command",
    ["train shakespeare --text {}", "classify {}", "sample --model {}"],
)
def test_what_has_no_end_is_not_read(device, command, refused):
    os.mkfifo("pipe")
    refused(f"cannot use {device}: it is a device or a pipe", *command.format(device).split())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "holds 0 characters; give a text of 2,048 or more"),
        (b"x" * 2047, "holds 2,047 characters"),
        (TEXT.encode("utf-16"), "is UTF-16, not in UTF-8; save it as plain text"),
        (TEXT.encode("utf-16-le"), "holds NULs, as UTF-16 does"),
        (TEXT.encode("latin-1") + b"\xfc", "is no text in UTF-8; save it as plain text"),
        (bytes(5000), "holds NULs"),
        (TEXT.encode() + b"\x1b[31m" * 40, "holds many control characters and is no text"),
        (None, "cannot use my.txt: No such file"),
    ],
)
def test_a_text_that_cannot_be_trained_on(content, message, refused, interrupt):
    interrupt(at=1)
    if content is not None:
        Path("my.txt").write_bytes(content)
    refused(message, "train", "shakespeare", "--text", "my.txt")
    assert not Path("runs").exists()


def test_a_text_that_is_too_large_is_refused_before_it_is_read(refused, interrupt, monkeypatch):
    interrupt(at=1)
    with open("my.txt", "wb") as file:
        file.truncate(3_000_000_000)  # where nothing was written, the file takes no room
    monkeypatch.setattr(Path, "read_text", lambda *_: fail(AssertionError("read")))
    message = "my.txt has 3,000,000,000 bytes; give a text of 100,000,000 or fewer"
    refused(message, "train", "shakespeare", "--text", "my.txt")


def test_a_stray_control_character_is_no_matter(call):
    Path("my.txt").write_text("\x1a" + TEXT)
    assert call("train", "shakespeare", "--text", "my.txt", "--steps", "1")[0] == 0


def test_the_shortest_text_is_long_enough(call):
    Path("my.txt").write_text("読む" * 1024, "utf-8")
    code, out, _ = call("train", "shakespeare", "--text", "my.txt", "--steps", "1")
    assert code == 0 and "all 205 validation characters" in out


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (lambda: fail(Diverged(math.inf, 1.0)), "the loss is inf"),
        (lambda: fail(MemoryError()), "not enough memory"),
        (lambda: fail(torch.OutOfMemoryError("of a GPU")), "not enough memory"),
        (lambda: torch.empty(10**15), "not enough memory"),
    ],
    ids=["explodes", "memory", "memory of a GPU", "memory of PyTorch"],
)
def test_what_goes_wrong_in_a_step_is_explained(error, said, refused, monkeypatch):
    def step(*arguments, **options):
        error()

    monkeypatch.setattr(loop, "train_step", step)
    refused(said, *TRAIN["shakespeare"].split())


def fail(error):
    raise error


def test_a_mistake_of_ours_is_not_explained(call, monkeypatch):
    monkeypatch.setattr(loop, "train_step", lambda *_: fail(RuntimeError("shapes do not fit")))
    with pytest.raises(RuntimeError, match="shapes do not fit"):
        call(*TRAIN["shakespeare"].split())


def test_ctrl_c_for_real():
    command = ["train", "shakespeare", "--text", "plays.txt", "--steps", "1000000"]
    process = subprocess.Popen(
        [sys.executable, "-m", "rnnbook", *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    try:
        wait_until(Path("runs/shakespeare.pt").exists)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=PATIENCE / 1000)
    finally:
        process.kill()
    how = f"python -m rnnbook {' '.join(command)} --resume"
    assert err == f"rnnbook: interrupted; go on with: {how}\n"
    # Python ends by the signal itself where it came while a library was being loaded. A shell
    # says 130 of both.
    assert process.returncode in (130, -signal.SIGINT)


@pytest.mark.parametrize("kind", [signal.default_int_handler, signal.SIG_IGN])
def test_ctrl_c_while_a_command_is_loaded_ends_the_process_at_once(kind, call, monkeypatch):
    found = []

    def load(name):
        found.append(signal.getsignal(signal.SIGINT))
        return lambda options: found.append(signal.getsignal(signal.SIGINT))

    monkeypatch.setattr(command_line, "resolve_name", load)
    before = signal.signal(signal.SIGINT, kind)
    try:
        assert call("bench")[0] == 0
    finally:
        signal.signal(signal.SIGINT, before)
    ignored = kind is signal.SIG_IGN  # as in the background of a shell
    assert found == [signal.SIG_IGN if ignored else signal.SIG_DFL, kind]


# ------------------------------------------------------------------ model files


@pytest.mark.parametrize("command", ["classify digit.png", "sample"])
@pytest.mark.parametrize("damage", ["missing", "truncated", "empty", "unfinished", "kind", "size"])
def test_a_model_that_cannot_be_used(command, damage, refused):
    squares(9, 80, 90).save("digit.png")
    kind, other = ("mnist", "shakespeare")[:: 1 if "classify" in command else -1]
    path = model_file(kind)
    content = torch.load(path, weights_only=True)
    if damage == "missing":
        path.unlink()
        command += f" --model {path}"  # or the published one would answer
    elif damage in ("truncated", "empty"):
        path.write_bytes(path.read_bytes()[: 10_000 if damage == "truncated" else 0])
    elif damage == "unfinished":
        torch.save({**content, "weights": None}, path)
    elif damage == "kind":
        model_file(other).rename(path)
    else:
        torch.save({**content, "weights": {"head.bias": torch.zeros(3)}}, path)
    message = {
        "missing": "there is no runs/",
        "unfinished": ".pt is not finished: it is being trained, or was interrupted",
        "kind": f"was trained on {other}",
        "size": "was trained by another recipe",
    }.get(damage, "is damaged or no checkpoint; train a model: python -m rnnbook train")
    refused(message, *command.split())


@pytest.mark.parametrize(
    ("entry", "value"),
    [
        ("settings", 5),
        ("settings", {}),
        ("settings", {"recipe": "shakespeare", "steps": torch.zeros(2)}),
        ("weights", "heavy"),
        ("weights", {1: torch.zeros(3)}),
        ("weights", {"head.bias": 3}),
        ("weights", {"head.bias": torch.tensor([torch.nan])}),
        ("vocabularies", None),
        ("vocabularies", {}),
        ("vocabularies", {"characters": []}),
        ("vocabularies", {"characters": ["a", "a", "b"]}),
        ("vocabularies", {"characters": ["b", "a"]}),
        ("vocabularies", {"characters": ["a", 3]}),
        ("vocabularies", {"characters": "ab"}),
        ("vocabularies", {"letters": ["a", "b"]}),
        ("vocabularies", {"characters": ["a"], "kana": ["ア"]}),
    ],
)
def test_a_sound_archive_of_other_things_is_refused(entry, value, refused, interrupt):
    path = model_file("shakespeare")
    torch.save({**torch.load(path, weights_only=True), entry: value}, path)
    refused("holds no model of this book; train a model", "sample")
    refused("no model of this book; give another", *TRAIN["shakespeare"].split(), "--resume")


WEIGHTS = torch.rand(3, 4)
STRANGE = {
    "sparse": lambda: WEIGHTS.to_sparse(),
    "CSR": lambda: WEIGHTS.to_sparse_csr(),
    "nowhere": lambda: WEIGHTS.to("meta"),
    "quantised": lambda: torch.quantize_per_tensor(WEIGHTS, 0.1, 0, torch.quint8),
    "float8": lambda: WEIGHTS.to(torch.float8_e4m3fn),
    "nested": lambda: torch.nested.nested_tensor([WEIGHTS, WEIGHTS[:2]]),
    "jagged": lambda: torch.nested.nested_tensor([WEIGHTS, WEIGHTS[:2]], layout=torch.jagged),
    "one for all": lambda: torch.zeros(1).expand(10**12),
    "complex": lambda: WEIGHTS.to(torch.complex64),
    "huge": lambda: torch.full((3,), 3e38),
    "infinite": lambda: -torch.full((3,), torch.inf),
}


@pytest.mark.filterwarnings("ignore")  # PyTorch's own, of kinds of tensors that are new
@pytest.mark.parametrize("kind", STRANGE)
def test_weights_of_another_kind_are_refused_in_one_line(kind, refused, interrupt):
    path, strange = model_file("shakespeare"), {"head.bias": STRANGE[kind]()}
    torch.save({**torch.load(path, weights_only=True), "weights": strange}, path)
    refused("holds no model of this book; train a model", "sample")
    refused("no model of this book; give another", *TRAIN["shakespeare"].split(), "--resume")


def test_a_model_file_holds_the_vocabularies_that_its_recipe_declares():
    tokens = {"letters": "ab", "kana": "アイ", "characters": "xyz", "words": ["a", "cat"]}
    for kind, make in recipes.RECIPES.items():
        known = [Vocabulary(tokens[name], make().signs) for name in make().vocabularies]
        model = make().model(*map(len, known))
        model_files.finish(Path(kind), {"recipe": kind}, model, known)
        saved = torch.load(kind, weights_only=True)["vocabularies"]
        assert saved == {name: list(tokens[name]) for name in make().vocabularies}
        loaded, again = model_files.load_model(Path(kind), kind)
        assert [(one.characters, one.signs) for one in again] == [
            (one.characters, one.signs) for one in known
        ]
        assert same(loaded.state_dict(), model.state_dict())


@pytest.mark.parametrize(
    ("kind", "characters"),
    [
        ("shakespeare", "abc"),
        ("mnist", ""),
        ("names", ("ab", "アイ")),
        ("speech", ""),
        ("pictures", ["a", "cat"]),
        ("kanji", ""),
    ],
)
def test_a_model_file_of_before_december_2026_goes_on_working(kind, characters, refused):
    """It names no vocabularies, and calls the encoder of pictures its eye."""
    alphabets = characters if isinstance(characters, tuple) else (characters,)
    make = recipes.RECIPES[kind]
    model = make().model(*(make().signs + len(one) for one in alphabets if one))
    weights = model.state_dict()
    if kind == "pictures":
        weights = {name.replace("encoder.", "eye."): one for name, one in weights.items()}
    content = {"settings": {"recipe": kind}, "weights": weights}
    torch.save({**content, "characters": characters}, "old.pt")
    loaded, known = model_files.load_model(Path("old.pt"), kind)
    assert same(loaded.state_dict(), model.state_dict())
    assert [one.characters for one in known] == [list(one) for one in alphabets if one]
    for wrong in (None, 5, ("ab",) * 3, "ba", ["b", "a"]):
        torch.save({**content, "characters": wrong}, "old.pt")
        with pytest.raises(model_files.RunError, match="holds no model of this book"):
            model_files.load_model(Path("old.pt"), kind)


def test_one_flipped_bit_of_the_weights_is_noticed(refused):
    path = model_file("shakespeare")
    content = bytearray(path.read_bytes())
    content[content.index(weights(path)["head.weight"].numpy().tobytes()) + 99] ^= 1
    path.write_bytes(content)
    refused("runs/shakespeare.pt is damaged", "sample")


def test_an_old_kind_of_file_is_refused_in_one_line(refused, recwarn):
    """PyTorch has its own words for a pickle of a later protocol."""
    Path("old.pt").write_bytes(pickle.dumps({"settings": 1}, protocol=4))
    refused("old.pt is damaged or no checkpoint", "sample", "--model", "old.pt")
    assert not recwarn.list


# ------------------------------------------------------------------ classify


@cache
def digits() -> torch.Tensor:
    """Test digits of every class: (10, 28, 28)."""
    data = mnist.load_mnist()
    return torch.stack([data.test_images[data.test_labels == k][0] for k in range(10)])


class Nearest(nn.Module):
    """Finds the class of the test digit that is most like the image."""

    def forward(self, x):
        return -(x[:, None] - digits()).square().sum((2, 3)), None


DEEP = {"I": np.int32, "F": np.float32}


def picture(image, size=28, invert=False, mode="L", left=0) -> Image.Image:
    """An image (28, 28) as a picture, with more paper on the left."""
    grey = np.pad((image.numpy() * 255).round().astype(np.uint8), ((0, 0), (left, 0)))
    shape = (size * grey.shape[1] // 28, size)
    ink = Image.fromarray(grey).resize(shape, Image.Resampling.BICUBIC)
    if mode in ("I", "F"):  # 32 bits, in a range of its own
        paper = (255 - np.asarray(ink)) * {"I": 4.0, "F": 1 / 255}[mode]
        return Image.fromarray(paper.astype(DEEP[mode]))
    if mode == "LAB":
        grey = Image.eval(ink, lambda value: 255 - value)
        return Image.merge("LAB", [grey, *[Image.new("L", ink.size, 128)] * 2])
    if mode == "I;16":
        return Image.fromarray((255 - np.asarray(ink)).astype(np.uint16) * 200)
    if mode == "RGBA":  # black, or white, on nothing
        result = Image.new("RGBA", ink.size, (255, 255, 255) if invert else (0, 0, 0))
        result.putalpha(ink)
        return result
    return (ink if invert else Image.eval(ink, lambda value: 255 - value)).convert(mode)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("same.png", {}),
        ("light.png", {"invert": True}),
        ("large.png", {"size": 300}),
        ("aside.png", {"size": 112, "left": 40}),
        ("light.jpg", {"size": 200, "invert": True, "left": 13}),
        ("colour.jpg", {"size": 90, "mode": "RGB"}),
        ("clear.png", {"size": 140, "mode": "RGBA"}),
        ("clear-light.webp", {"size": 140, "mode": "RGBA", "invert": True}),
        ("deep.png", {"size": 140, "mode": "I;16"}),
        ("deeper.tif", {"size": 140, "mode": "I"}),
        ("deepest.tif", {"size": 140, "mode": "F"}),
        ("lightness.tif", {"size": 140, "mode": "LAB"}),
        ("few-colours.gif", {"size": 140, "mode": "P"}),
    ],
)
def test_a_digit_becomes_what_mnist_has(name, options):
    for image in digits():
        picture(image, **options).save(name)
        prepared = digit_image.read_digit(Path(name))
        assert prepared.shape == (28, 28) and prepared.dtype == torch.float32
        assert_alike(prepared, image)


def assert_alike(prepared, image):
    """Centred to half a pixel, and the same but for the edges of the strokes.

    Where half a pixel is rounded up in one and down in the other, they lie a pixel apart.
    """
    for axis in (0, 1):
        assert (prepared.sum(axis) @ torch.arange(28.0) / prepared.sum() - 14).abs() < 0.51
    shifts = [(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1)]
    moved = torch.stack([prepared.roll(shift, (0, 1)) for shift in shifts])
    assert (moved - image).abs().mean((1, 2)).min() < 0.06


def test_a_photograph_is_turned_upright():
    """Phones store how they were held instead of turning the picture."""
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees, clockwise
    picture(digits()[2], 280).rotate(90).save("turned.jpg", exif=exif)
    assert_alike(digit_image.read_digit(Path("turned.jpg")), digits()[2])


def test_a_lopsided_drawing_stays_inside():
    drawing = squares(60, 30)
    drawing.paste(0, (30, 30, 32, 190))  # the centre of mass is far above the middle
    drawing.save("flag.png")
    prepared = digit_image.read_digit(Path("flag.png"))
    assert (prepared > 0).any(1).sum() == digit_image.BOX


def test_classify_names_the_class_and_the_three_likeliest(call, monkeypatch):
    monkeypatch.setattr(use, "load_model", lambda path, *recipes: (Nearest(), ()))
    names = [f"{k}.png" for k in range(10)]
    for image, name in zip(digits(), names, strict=True):
        picture(image, size=150, left=9).save(name)
    code, out, _ = call("classify", *names)
    assert code == 0 and len(out.splitlines()) == 10
    for k, line in enumerate(out.splitlines()):
        found = re.fullmatch(rf"{k}.png: {k}  \({k}: (.+)%, \d: (.+)%, \d: (.+)%\)", line)
        shares = [float(share) for share in found.groups()]
        assert 100.1 > shares[0] >= shares[1] >= shares[2] >= 0


def png_header(width: int, height: int) -> bytes:
    """A PNG file that says how large its image is, and nothing more."""
    head = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = struct.pack(">I", 13) + head + struct.pack(">I", zlib.crc32(head))
    return b"\x89PNG\r\n\x1a\n" + body + b"\0\0\0\0IDAT"


def clouds() -> Image.Image:
    """Soft shades of grey in all brightnesses, as a photograph has them."""
    noise = np.random.default_rng(0).integers(0, 256, (6, 8)).astype(np.uint8)
    return Image.fromarray(noise).resize((320, 240), Image.Resampling.BICUBIC)


def squares(side: int, *places: int) -> Image.Image:
    """Black squares along the diagonal of a white sheet."""
    paper = Image.new("L", (200, 200), 255)
    for place in places:
        paper.paste(0, (place, place, place + side, place + side))
    return paper


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: None, "cannot use digit.png: No such file"),
        (lambda: Path("digit.png").mkdir(), "cannot use digit.png: Is a directory"),
        (lambda: Path("digit.png").write_text(TEXT), "digit.png is damaged or no image"),
        (lambda: Path("digit.png").write_bytes(b""), "digit.png is damaged or no image"),
        (lambda: Image.new("RGB", (2048, 1536)).save("digit.png"), "has 2,048 × 1,536 pixels"),
        (lambda: Path("digit.png").write_bytes(png_header(10_000, 10_000)), "10,000 × 10,000"),
        (lambda: Path("digit.png").write_bytes(png_header(50_000, 50_000)), "fill the memory"),
        (lambda: Path("digit.png").write_bytes(png_header(28, 28)), "is damaged"),
        (lambda: Image.new("L", (28, 28), 255).save("digit.png"), "is blank"),
        (lambda: Image.new("RGBA", (28, 28)).save("digit.png"), "is blank"),
        (lambda: Image.new("L", (1, 1)).save("digit.png"), "is blank"),
        (lambda: Image.new("F", (28, 28), 7.0).save("digit.png", "tiff"), "is blank"),
        (lambda: Image.new("F", (9, 9), np.nan).save("digit.png", "tiff"), "is blank"),
        (lambda: clouds().save("digit.png"), "shows no single digit"),
        (lambda: squares(30, 80).save("digit.png"), "shows no single digit"),
        (lambda: squares(2, 20, 180).save("digit.png"), "shows no single digit"),
    ],
)
def test_a_picture_that_shows_no_digit(make, message, refused):
    model_file("mnist")
    make()
    refused(message, "classify", "digit.png")


# ------------------------------------------------------------------ sample


def test_sample_writes_what_the_library_writes(call):
    model, (known,) = model_files.load_model(model_file("shakespeare"), "shakespeare")
    options = {"temperature": 0.7, "top_k": 5, "seed": 4}
    text = sample(model, known, "\n\nAll:", 40, **options).removeprefix("\n\n")
    arguments = "--prompt All: --length 40 --temperature 0.7 --top-k 5 --seed 4"
    code, out, _ = call("sample", *arguments.split())
    assert code == 0 and out.removesuffix("\n") == text.removesuffix("\n")
    assert out.endswith("\n")


@pytest.mark.parametrize(
    ("prompt", "characters", "read"),
    [
        ("ROMEO:", "\nEMOR:", "\n\nROMEO:"),  # a model of a text of paragraphs
        ("\nROMEO:", "\nEMOR:", "\nROMEO:"),
        ("ROMEO:", "EMOR:", "ROMEO:"),  # of a text in one line
        ("", "\nEMOR:", ""),
    ],
)
def test_a_prompt_is_read_as_the_beginning_of_a_paragraph(prompt, characters, read):
    assert use.beginning(prompt, Vocabulary(characters)) == read


def test_of_several_models_the_mean_of_their_probabilities_writes(call):
    one, other = model_file("shakespeare"), Path("runs/other.pt")
    known = Vocabulary(TEXT)
    model = recipe("shakespeare", seed=1).model(len(known))
    model_files.finish(other, {"recipe": "shakespeare"}, model, [known])
    pair = ensemble.Ensemble(
        model_files.load_model(path, "shakespeare")[0] for path in (one, other)
    )
    text = sample(pair, known, "\n\nAll:", 40, seed=0).removeprefix("\n\n")
    arguments = f"--prompt All: --length 40 --model {one} {other}"
    code, out, _ = call("sample", *arguments.split())
    assert code == 0 and out.removesuffix("\n") == text.removesuffix("\n")


def test_models_of_different_texts_cannot_be_averaged(refused):
    one, other = model_file("shakespeare"), Path("runs/other.pt")
    model = recipe("shakespeare").model(2)
    model_files.finish(other, {"recipe": "shakespeare"}, model, [Vocabulary("ab")])
    refused("the same characters", "sample", "--model", str(one), str(other))


def test_each_character_is_shown_as_soon_as_it_is_drawn(monkeypatch):
    shown = []

    class Terminal(io.StringIO):
        def flush(self):
            shown.append(self.getvalue())

    monkeypatch.setattr(sys, "stdout", Terminal())
    model_file("shakespeare")
    command_line.main(["sample", "--prompt", "All:", "--length", "20"])
    assert [len(text) for text in shown[:21]] == list(range(4, 25))


def test_sample_begins_with_a_new_line_by_default(call):
    model_file("shakespeare")
    texts = [call("sample", "--length", "9", *more)[1] for more in ((), ("--prompt", "\n"))]
    assert texts[0] == texts[1] and texts[0].startswith("\n")


@pytest.mark.parametrize(("prompt", "message"), [("", "is empty"), ("a☃\nあ", "'☃', 'あ'")])
def test_a_prompt_that_cannot_be_gone_on_from(prompt, message, refused):
    model_file("shakespeare")
    refused(message, "sample", "--prompt", prompt)


def test_a_text_ends_quietly_with_its_reader():
    """As under `| head`; the whole text would take days. With the network of the recipe."""
    known = Vocabulary(TEXT)
    model = RECIPE().model(len(known))
    model_files.finish(Path("runs/shakespeare.pt"), {"recipe": "shakespeare"}, model, [known])
    command = [sys.executable, "-m", "rnnbook", "sample", "--length", "1000000000"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert len(process.stdout.read(20)) == 20
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait(timeout=PATIENCE / 1000) == 141


def test_a_reader_that_is_gone_before_the_first_line(monkeypatch):
    model_file("mnist")
    squares(9, 80, 90).save("digit.png")
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as output:  # closing it writes what is left
        monkeypatch.setattr(sys, "stdout", output)
        assert command_line.main(["classify", "digit.png"]) == 141
