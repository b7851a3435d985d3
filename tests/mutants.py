"""Small faults, put into the library one at a time: do its tests notice? `make mutants`.

Each fault is a mistake that a person could make and that leaves the code running. A copy of the
library and of its tests gets one fault, then runs the tests that should notice it, and if these
do not, all others. Arguments are options of pytest for that. Fails if more than one fault goes
unnoticed. Written by hand rather than by a tool: a few faults of the kinds that
change what a model learns tell more than hundreds of changed operators, and take minutes.
"""

import os
import queue
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
PARTS = ("code", "tests", "book", "pyproject.toml", "_config.yml")  # what the library's tests read
AT_ONCE = 2
LIMIT = 900  # seconds; a fault may keep the tests from ending


class Fault(NamedTuple):
    """A piece of a module of rnnbook that stands there once, what to put there, who should see."""

    name: str
    module: str
    old: str
    new: str
    tests: str  # the names of test files, separated by spaces


FAULTS = [
    # The loop
    Fault(
        "no model.train() after an evaluation",
        "training/loop",
        "                model.train()\n                tqdm.write",
        "                tqdm.write",
        "training",
    ),
    Fault(
        "no model.eval() in accuracy",
        "training/measures",
        "    model.eval()\n    device, right",
        "    device, right",
        "training",
    ),
    Fault(
        "a gradient that is not finite is let through",
        "training/loop",
        "not (loss.isfinite() and norm.isfinite()):",
        "not loss.isfinite():",
        "training",
    ),
    Fault(
        "the state is not detached",
        "training/loop",
        "norm, detach(state)",
        "norm, state",
        "training",
    ),
    Fault(
        "the state is not carried",
        "training/loop",
        "state = state if batch.continues else None",
        "state = None",
        "training",
    ),
    Fault(
        "the state is carried when the streams begin anew",
        "training/batches",
        "continues=i > 0)",
        "continues=step > 0)",
        "training",
    ),
    Fault(
        "the learning rate is half a step late",
        "training/loop",
        "schedule((step + 0.5) / total)",
        "schedule(step / total)",
        "training",
    ),
    Fault(
        "the cosine does not reach zero",
        "training/schedules",
        "(progress - 0.1) / 0.9))",
        "(progress - 0.1)))",
        "training",
    ),
    Fault(
        "clipping after the step",
        "training/loop",
        """
    norm = nn.utils.clip_grad_norm_(model.parameters(), clip)
""",
        """
    norm = nn.utils.get_total_norm([p.grad for p in model.parameters()])
    optimizer.register_step_post_hook(
        lambda *_: nn.utils.clip_grad_norm_(model.parameters(), clip)
    )
""",
        "training",
    ),
    Fault(
        "Adam's betas are ignored",
        "training/loop",
        "settings.lr, settings.betas)",
        "settings.lr)",
        "training",
    ),
    Fault(
        "every epoch in the same order",
        "training/batches",
        "manual_seed(self.seed * 1_000_003 + epoch)",
        "manual_seed(self.seed * 1_000_003)",
        "training",
    ),
    # Checkpoints and files
    Fault(
        "a resumed run has other random numbers",
        "training/checkpoints",
        'torch.set_rng_state(states["cpu"])',
        'states["cpu"]',
        "training",
    ),
    Fault(
        "a resumed run forgets the optimizer",
        "training/checkpoints",
        "optimizer.load_state_dict(",
        "dict(",
        "training",
    ),
    Fault(
        "a checkpoint may run code",
        "training/checkpoints",
        "weights_only=True",
        "weights_only=False",
        "training",
    ),
    Fault(
        "a file is written in place",
        "files",
        "os.replace(part, path)",
        "path.write_bytes(part.read_bytes()), part.unlink()",
        "training command_line data",
    ),
    Fault(
        "what was written is not flushed to the disk",
        "files",
        "            os.fsync(file.fileno())",
        "            file.fileno()",
        "training command_line data",
    ),
    # Measures
    Fault(
        "the loss of a text forgets the state between windows",
        "training/measures",
        "logits, state = model(x[None], state)",
        "logits, _ = model(x[None], state)",
        "training",
    ),
    Fault(
        "a window too few is measured",
        "training/measures",
        "num_windows = ids.to(device_of(model)), (len(ids) - 1) // window",
        "num_windows = ids.to(device_of(model)), (len(ids) - 2) // window",
        "training",
    ),
    Fault(
        "overlapping windows count the wrong part of the first",
        "training/measures",
        "losses[0, :-new]",
        "losses[0, :new]",
        "models",
    ),
    # Cells and layers
    Fault(
        "initial weights bounded by the input's size",
        "layers/initialisation",
        "bound = hidden_size**-0.5",
        "bound = input_size**-0.5",
        "recurrent",
    ),
    Fault(
        "two gates swapped in the copy of an nn.LSTM",
        "layers/recurrent",
        '"ifgo",  # the order',
        '"ifog",  # the order',
        "recurrent",
    ),
    Fault(
        "the update gate of the GRU the other way round",
        "layers/recurrent",
        "return z * h + (1 - z) * n",
        "return (1 - z) * h + z * n",
        "recurrent",
    ),
    Fault(
        "the recipe for digits without its forget bias",
        "training/recipes",
        "set_forget_bias(nn.LSTM(28, 128, batch_first=True), 1.0)",
        "nn.LSTM(28, 128, batch_first=True)",
        "recurrent command_line",
    ),
    Fault(
        "the gradients of a stack clipped together",
        "training/stacks",
        "p.grad.square().sum(dim=(1, 2))",
        "p.grad.square().sum().expand(len(p))",
        "stacks",
    ),
    Fault(
        "coupled gates that write what they keep",
        "layers/ablations",
        "return 1 - f, f, g, o",
        "return f, f, g, o",
        "ablations",
    ),
    Fault(
        "the chrono start with its gates swapped",
        "layers/initialisation",
        "torch.cat([-spans, spans])",
        "torch.cat([spans, -spans])",
        "initialisation",
    ),
    Fault(
        "weights dropped outside training, too",
        "layers/weight_drop",
        "self.weight_dropout, self.training)",
        "self.weight_dropout, True)",
        "weight_drop",
    ),
    Fault(
        "attention that sees one step ahead", "layers/attention", ".tril()", ".tril(1)", "models"
    ),
    Fault(
        "a matrix state that is asked before it keeps",
        "layers/keeping",
        ".tril() @ v",
        ".tril(-1) @ v",
        "recall",
    ),
    Fault(
        "the mean of logarithms instead of probabilities",
        "models/ensemble",
        "logs.logsumexp(dim=0) - math.log(len(logs))",
        "logs.mean(dim=0)",
        "ensemble",
    ),
    # Linear recurrences and gradients by hand
    Fault(
        "a pass of the scan too few at 3, 5, 9, … steps",
        "layers/linear_recurrence",
        "while reach < u.shape[1]:",
        "while reach < max(2, u.shape[1] - 1):",
        "linear_recurrence",
    ),
    Fault(
        "a scan that leaves out the way down",
        "layers/gated_recurrence",
        "return up + down[::-1]",
        "return up",
        "gated_recurrence",
    ),
    Fault(
        "the rounds of the gradient in the order of the scan",
        "layers/gated_recurrence",
        "in reversed(rounds(decay)):",
        "in rounds(decay):",
        "gated_recurrence",
    ),
    Fault(
        "no complex conjugate in the gradient of the decay",
        "layers/linear_recurrence",
        "h[:, :-1].conj()).sum",
        "h[:, :-1]).sum",
        "linear_recurrence",
    ),
    Fault(
        "a matrix not transposed on the way back",
        "layers/scratch",
        'd["h"] = d_a @ W_hh.T',
        'd["h"] = d_a @ W_hh',
        "scratch",
    ),
    Fault(
        "gradients of the mean instead of each sequence's loss",
        "probes",
        'reduction="sum"',
        'reduction="mean"',
        "probes",
    ),
    # Text
    Fault(
        "the vocabulary is not sorted",
        "data/vocabulary",
        "sorted(set(characters))",
        "list(dict.fromkeys(characters))",
        "sampling",
    ),
    Fault(
        "multiplied by the temperature",
        "decoding/sampling",
        "(logits / temperature)",
        "(logits * temperature)",
        "sampling",
    ),
    Fault(
        "one of the likeliest characters too many",
        "decoding/sampling",
        "min(top_k, logits.shape[-1])",
        "min(top_k + 1, logits.shape[-1])",
        "sampling",
    ),
    Fault(
        "the orders below count how often, and not after how many characters",
        "models/ngrams",
        "longer = np.unique(as_numbers(train, n + 1, V))",
        "longer = as_numbers(train, n + 1, V)",
        "ngrams",
    ),
    # Names and dates
    Fault(
        "a test name is held out, too",
        "data/pairs",
        "self._part(range(3, 6))",
        "self._part(range(2, 6))",
        "names",
    ),
    Fault(
        "the marks of kana are taken for accents",
        "data/pairs",
        "[\\u0300-\\u036f]",
        "[\\u0300-\\u309a]",
        "names",
    ),
    Fault(
        "abbreviations are names",
        "data/names",
        " and word != word.upper()",
        "",
        "names",
    ),
    Fault(
        "the password of an index is sent to others",
        "data/fetching/registries",
        "if urlsplit(address).hostname == urlsplit(index).hostname:",
        "if True:",
        "index",
    ),
    Fault(
        "the book's own mirror is asked last",
        "data/fetching/cache",
        "[*own_mirror(name), *sources]",
        "[*sources, *own_mirror(name)]",
        "homes",
    ),
    Fault(
        "letters are those of the training alone",
        "data/pairs",
        "name.spelling for name in self.names",
        "name.spelling for name in self.train",
        "names",
    ),
    Fault(
        "a photograph is read as it lies in its file",
        "data/picture_file",
        "ImageOps.exif_transpose(image)",
        "image.copy()",
        "pictures",
    ),
    Fault(
        "what was unpacked stays",
        "data/fetching/disk",
        "path.unlink(missing_ok=True)",
        "pass",
        "index",
    ),
    Fault(
        "the true alignment begins a character late",
        "data/dates",
        "= len(source), len(source) + len(text)",
        "= len(source) + 1, len(source) + len(text)",
        "dates",
    ),
    # Tasks and pictures
    Fault(
        "both marks in the first half",
        "data/tasks",
        "torch.randint(T // 2, T, (num_sequences, 1)",
        "torch.randint(T // 2, (num_sequences, 1)",
        "tasks",
    ),
    Fault(
        "the floor of copying over too few steps",
        "data/tasks",
        "/ (T + 2 * NUM_COPIED)",
        "/ (T + NUM_COPIED)",
        "tasks",
    ),
    Fault(
        "letters that are asked for in the order in which they were read",
        "data/tasks",
        "order = shuffled(pairs)",
        "order = torch.arange(pairs).expand(num_sequences, -1)",
        "recall",
    ),
    Fault(
        "sizes in MNIST's header in the wrong byte order",
        "data/mnist",
        'np.array(array.shape, ">i4")',
        'np.array(array.shape, "<i4")',
        "data",
    ),
    Fault(
        "the centre of a digit a pixel too far up",
        "data/digit_image",
        "round(SIDE / 2 - middle)",
        "round(SIDE / 2 - 1 - middle)",
        "command_line",
    ),
    # From sequence to sequence
    Fault(
        "padding is looked at",
        "layers/attention",
        "scores.masked_fill(~mask, -math.inf).softmax(dim=-1)",
        "scores.softmax(dim=-1)",
        "encoder_decoder",
    ),
    Fault(
        "padding is read",
        "models/encoder_decoder",
        "if (lengths == x.shape[1]).all():",
        "if True:",
        "encoder_decoder",
    ),
    Fault(
        "the decoder begins without the encoder's state",
        "models/encoder_decoder",
        "        return memory.last\n",
        "        return tuple(torch.zeros_like(part) for part in memory.last)\n",
        "encoder_decoder",
    ),
    Fault(
        "the end of an answer is not learned",
        "data/words",
        "torch.arange(y.shape[1]) > lengths[:, None]",
        "torch.arange(y.shape[1]) >= lengths[:, None]",
        "encoder_decoder",
    ),
    Fault(
        "a mean over the steps of a share",
        "training/objectives",
        "losses / len(batch.y)",
        "losses / (batch.y != IGNORED).sum()",
        "encoder_decoder distributed",
    ),
    Fault(
        "pairs are not sorted by their length",
        "training/batches",
        "rows[self.lengths[rows].argsort(stable=True)]",
        "rows[self.lengths[rows].argsort(stable=True).sort().values]",
        "encoder_decoder",
    ),
    Fault(
        "short pairs come first",
        "training/batches",
        "batches[torch.randperm(len(self), generator=generator)]",
        "batches",
        "encoder_decoder",
    ),
    Fault(
        "a hypothesis goes on from the state of another",
        "decoding/search",
        "tuple(part[parent] for part in state)",
        "state",
        "search",
    ),
    Fault(
        "an answer that has ended goes on",
        "decoding/search",
        "torch.where(ended[:, None], only_end, logits.log_softmax(dim=1))",
        "logits.log_softmax(dim=1)",
        "search",
    ),
    Fault(
        "the length does not count in the search",
        "decoding/search",
        "total / count[:, None] ** power",
        "total",
        "search",
    ),
    Fault(
        "the beam begins with the same answer many times",
        "decoding/search",
        "[:, 1:] = -torch.inf",
        "[:, 1:] = 0.0",
        "search",
    ),
    Fault(
        "the first reference counts, not the best",
        "training/error_rates",
        "for one in right)",
        "for one in right[:1])",
        "error_rates",
    ),
    Fault(
        "words change places",
        "decoding/transliteration",
        "[found[word] for word in words]",
        "list(found.values())",
        "transliteration",
    ),
    # Speech
    Fault(
        "the second direction begins in the padding",
        "layers/two_way",
        "torch.where(t <= last, last - t, t)",
        "(x.shape[1] - 1 - t).expand(len(x), -1)",
        "ctc",
    ),
    Fault(
        "a sign that comes twice needs no blank between",
        "training/ctc",
        "not in (BLANK, signs[s - 2])",
        "!= BLANK",
        "ctc",
    ),
    Fault(
        "a text must end with a blank",
        "training/ctc",
        "a[-2:].logsumexp(dim=0)",
        "a[-1]",
        "ctc",
    ),
    Fault(
        "the last sign comes again without a blank",
        "decoding/ctc",
        "blank if k == last else both",
        "both",
        "ctc",
    ),
    Fault(
        "noise outside the training",
        "models/frame_reader",
        "        if self.training:\n            x",
        "        if True:\n            x",
        "ctc",
    ),
    Fault(
        "the loss of speech is a mean over digits",
        "training/objectives",
        "return losses.mean(), None",
        "return (losses / counts).mean(), None",
        "ctc",
    ),
    Fault(
        "time warping does not wait",
        "models/warping",
        "torch.minimum(least[:, 1:], least[:, :-1])",
        "least[:, :-1]",
        "ctc",
    ),
    Fault(
        "recordings of the test are trained on",
        "data/speech",
        "self._scaled(self._part(range(30, 100)))",
        "self._scaled(self._part(range(100)))",
        "speech",
    ),
    # Pictures
    Fault(
        "the tones that cannot be seen are said",
        "data/pictures",
        "if len(tones(both[0])) == fewest]",
        "if len(tones(both[0])) >= fewest]",
        "pictures",
    ),
    Fault(
        "combinations are kept apart in some of their tones",
        "data/gallery",
        '_side(one.name, OF_NAMES), "things"',
        '_side(one.code, OF_NAMES), "things"',
        "pictures",
    ),
    Fault(
        "what is found and what was said meet in a tanh",
        "models/describer",
        "        if self.whole:\n            votes",
        "        if True:\n            votes",
        "describing",
    ),
    Fault(
        "a picture is moved to one side alone",
        "training/describing",
        "torch.randint(2 * most + 1,",
        "torch.randint(most + 1,",
        "describing",
    ),
    Fault(
        "words and characters meet in a batch",
        "training/describing",
        "SimilarLengths(data.languages, batch_size, seed)",
        "SimilarLengths(data.rows, batch_size, seed)",
        "describing",
    ),
    Fault(
        "what is covered lies beside its place",
        "models/describer",
        "pad(hidden, (0, 2, 0, 2))[2:, 2:]",
        "hidden",
        "describing",
    ),
    Fault(
        "the live figure forgets the mean of its batches",
        "demos/pictures",
        "norm.bias.sub_(norm.running_mean * factor)",
        "norm.bias.sub_(norm.running_mean)",
        "demo_pictures",
    ),
    Fault(
        "only the first right caption counts",
        "training/captions",
        "max(f1(caption, one, split) for one in right)",
        "f1(caption, right[0], split)",
        "describing",
    ),
    # The pen
    Fault(
        "the correlation is left out of the density",
        "layers/mixture",
        " - 2 * mixture.correlation * z.prod(dim=-1)",
        "",
        "pen",
    ),
    Fault(
        "the temperature multiplies the spread",
        "layers/mixture",
        "mean + temperature**0.5 * log_spread.exp()",
        "mean + temperature * log_spread.exp()",
        "pen",
    ),
    Fault(
        "right and down are drawn without their correlation",
        "layers/mixture",
        "down = slant * right + (1 - slant**2).sqrt() * down",
        "down = down * 1.0",
        "pen",
    ),
    Fault(
        "the end costs the density of a place, too",
        "training/drawing",
        "(kind != END) & (kind != IGNORED)",
        "kind != IGNORED",
        "pen",
    ),
    Fault(
        "after a slip the pen is to slip as far again",
        "training/drawing",
        "goals = ways - pad(slips[:, :-1], (0, 0, 1, 0))",
        "goals = ways",
        "pen",
    ),
    Fault(
        "a stroke begins where it ends",
        "data/pen",
        "begun = torch.where(kind == LIFT, steps, 0)",
        "begun = torch.where(kind == DRAW, steps, 0)",
        "kanji",
    ),
    Fault(
        "what is known before a movement holds the movement",
        "data/pen",
        "expand(B, 1, 3), movements], dim=1)",
        "expand(B, 1, 3), movements.roll(-1, 1)], dim=1)",
        "kanji",
    ),
    Fault(
        "the pen forgets its state",
        "decoding/drawing",
        "mixture, logits, state = model(x.to(device), state)",
        "mixture, logits, _ = model(x, state)",
        "pen",
    ),
    Fault(
        "only the farthest point of a curve is kept",
        "data/pen",
        "return thinned(points[: k + 1], tolerance)[:-1] + thinned(points[k:], tolerance)",
        "return [points[0], points[k], points[-1]]",
        "kanji",
    ),
    Fault(
        "strokes are compared in whatever direction",
        "models/strokes",
        "    along = np.cumsum(",
        "    points = points[points[:, 0].argsort()]\n    along = np.cumsum(",
        "kanji",
    ),
    # Records
    Fault(
        "an import within a function is not followed",
        "records/definitions",
        "symbol.is_global() or symbol.is_imported()",
        "symbol.is_global()",
        "definitions",
    ),
    Fault(
        "a run that is added later does not say where",
        "records/record",
        'added = {"machine": machine} if machine != self.machine else {}',
        "added = {}",
        "studies",
    ),
    Fault(
        "a record of other code is taken for one of today's",
        "records/conduct",
        "if not record.is_current():",
        "if False:",
        "studies",
    ),
]


def path_of(fault: Fault) -> str:
    """The file that a fault is put into, seen from the root."""
    return f"code/rnnbook/{fault.module}.py"


def with_fault(fault: Fault, source: str) -> str:
    """The source of a module with the fault in it. Raises `ValueError` if it does not fit."""
    if (count := source.count(fault.old)) != 1:
        raise ValueError(f"{fault.name}: {count} times in {path_of(fault)}: {fault.old!r}")
    source = source.replace(fault.old, fault.new)
    compile(source, path_of(fault), "exec")
    return source


def copy_to(folder: Path) -> Path:
    """What the tests need, copied. Checks that they then import the copy, whatever is installed."""
    for part in PARTS:
        if (ROOT / part).is_file():
            shutil.copy(ROOT / part, folder / part)
        else:
            generated = shutil.ignore_patterns("__pycache__", "*.egg-info")
            shutil.copytree(ROOT / part, folder / part, ignore=generated)
    program = "import rnnbook, bookbuild; print(*rnnbook.__path__, *bookbuild.__path__)"
    found = python("-c", program, folder=folder).stdout.split()
    expected = [str(folder / "code" / name) for name in ("rnnbook", "bookbuild")]
    if found != expected:
        raise RuntimeError(f"the tests would import {found} instead of {expected}")
    return folder


def python(*arguments: str, folder: Path) -> subprocess.CompletedProcess:
    """Run Python in a copy, with the library of that copy, on one thread."""
    environment = os.environ | {
        "PYTHONPATH": str(folder / "code"),
        "PYTHONDONTWRITEBYTECODE": "1",  # or a file changed twice in a second might not be read
        "OMP_NUM_THREADS": "1",
    }
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=LIMIT,
    )


def failing_test(folder: Path, *options: str) -> str | None:
    """The first test that fails, if one does."""
    quiet = ("-q", "-x", "--tb=no", "-rfE", "--durations=0", "-p", "no:cacheprovider")
    try:
        result = python("-m", "pytest", *quiet, *options, folder=folder)
    except subprocess.TimeoutExpired:
        return f"the limit of {LIMIT} seconds"
    if result.returncode == 0:
        return None
    if found := re.search(r"^(?:FAILED|ERROR) tests/(?:test_)?(\S+)", result.stdout, re.MULTILINE):
        return found[1]
    raise RuntimeError(f"no test failed, and yet:\n{result.stdout[-2000:]}")


def who_notices(fault: Fault, copies: queue.Queue[Path], others: list[str]) -> str | None:
    """The test that notices a fault, first of those that should, then of all."""
    left_out = [option for option in others if option.startswith("--deselect")]
    folder = copies.get()
    path = folder / path_of(fault)
    right = path.read_text("utf-8")
    path.write_text(with_fault(fault, right), "utf-8")
    try:
        return failing_test(folder, *files(fault), *left_out) or failing_test(folder, *others)
    finally:
        path.write_text(right, "utf-8")
        copies.put(folder)


def files(*faults: Fault) -> list[str]:
    """The test files that should notice some faults."""
    names = {name for fault in faults for name in fault.tests.split()}
    return [f"tests/test_{name}.py" for name in sorted(names)]


def main(others: list[str]) -> int:
    for fault in FAULTS:
        with_fault(fault, (ROOT / path_of(fault)).read_text("utf-8"))
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(AT_ONCE) as pool:
        copies: queue.Queue[Path] = queue.Queue()
        for k in range(AT_ONCE):
            folder = Path(name).resolve() / str(k)
            folder.mkdir()
            copies.put(copy_to(folder))
        if test := failing_test(folder, *others):
            print(f"without any fault, a test fails: {test}")
            return 1
        unnoticed = 0
        found = pool.map(lambda fault: who_notices(fault, copies, others), FAULTS)
        for fault, test in zip(FAULTS, found, strict=True):
            unnoticed += test is None
            print(f"{fault.module:12} {fault.name:60} {test or 'NOT NOTICED'}", flush=True)
    print(f"{len(FAULTS) - unnoticed} of {len(FAULTS)} faults are noticed")
    return int(unnoticed > 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
