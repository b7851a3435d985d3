"""The encoder, the decoder and the beam search of the live figure on names, without a browser."""

import json
from functools import partial

import pytest
import torch
from py_mini_racer import MiniRacer
from torch import nn

from rnnbook.data.vocabulary import Vocabulary
from rnnbook.data.words import SIGNS, encode_words, teacher_forced
from rnnbook.decoding import search
from rnnbook.demos import names
from rnnbook.demos.kinds import JS
from rnnbook.demos.weights import quantised
from rnnbook.layers.attention import AdditiveAttention, DotProductAttention
from rnnbook.models.encoder_decoder import EncoderDecoder
from rnnbook.models.transformer_pair import TransformerPair
from rnnbook.training.batches import Batch, PairBatches
from rnnbook.training.loop import train
from rnnbook.training.objectives import answering
from rnnbook.training.settings import Settings

pytestmark = pytest.mark.usefixtures("one_thread")

HEADS = 2
KINDS = {
    "none": EncoderDecoder,
    "dot": partial(EncoderDecoder, attention=DotProductAttention),
    "additive": partial(EncoderDecoder, attention=AdditiveAttention),
    "transformer": partial(TransformerPair, layers=2, heads=HEADS),
}
LETTERS, KANA = Vocabulary("abcdeghi", SIGNS), Vocabulary("アイウエオカキクケコ", SIGNS)
LONGEST = 12


def new_model(kind: str, width: int) -> nn.Module:
    sizes = [width] if kind == "transformer" else [width // 2, width]
    return KINDS[kind](len(LETTERS), len(KANA), *sizes)


def make_model(kind: str, gain: float = 3.0) -> nn.Module:
    """A model that is surer of itself than an untrained one: its weights are larger."""
    torch.manual_seed(1)
    model = new_model(kind, 8).double().eval()
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(gain)
    return model


def some_words(number: int, alphabet: str, seed: int = 0) -> list[str]:
    generator = torch.Generator().manual_seed(seed)
    lengths = torch.randint(1, 8, (number,), generator=generator).tolist()
    draw = partial(torch.randint, len(alphabet), generator=generator)
    return ["".join(alphabet[i] for i in draw((length,)).tolist()) for length in lengths]


@pytest.fixture(scope="module")
def javascript():
    context = MiniRacer()
    for file in ("recurrence.js", "encoder_decoder.js", "transformer_pair.js"):
        context.eval((JS / file).read_text("utf-8"))
    return context


@pytest.fixture
def run(javascript):
    """Evaluate an expression in which `model` is a model, and others are as given."""

    def evaluate(model: nn.Module, expression: str, **values):
        made = "TransformerPair" if isinstance(model, TransformerPair) else "EncoderDecoder"
        weights = {name: weight.tolist() for name, weight in names.weights_of(model).items()}
        program = f"""JSON.stringify((({{weights, {", ".join(values)}}}) => {{
          const packed = Object.entries(weights).map(([name, values]) => [name,
            Array.isArray(values[0]) ? rowsOf(Float64Array.from(values.flat()), values[0].length)
              : Float64Array.from(values)]);
          const model = new {made}(Object.fromEntries(packed), {HEADS});
          return {expression};
        }})({json.dumps({"weights": weights, **values})}))"""
        return json.loads(javascript.eval(program))

    return evaluate


STEPS = """words.map((ids, n) => {
  const memory = model.encode(ids);
  let state = model.start(memory);
  return answers[n].map((previous) => {
    const step = model.step(previous, state, memory);
    state = step.state;
    return { logits: [...step.logits], weights: step.weights && [...step.weights] };
  });
})"""


@pytest.mark.parametrize("kind", KINDS)
def test_every_step_is_that_of_the_library(kind, run):
    model = make_model(kind)
    source, lengths = encode_words(some_words(6, "abcdeghi"), LETTERS)
    previous, _ = teacher_forced(*encode_words(some_words(6, "アイウエオカ", 1), KANA))
    with torch.no_grad():
        logits = model(source, lengths, previous)
        weights = None if kind == "none" else model.alignment(source, lengths, previous)
    words = [row[:length] for row, length in zip(source.tolist(), lengths.tolist(), strict=True)]
    found = run(model, STEPS, words=words, answers=previous.tolist())
    steps = torch.tensor([[step["logits"] for step in word] for word in found])
    torch.testing.assert_close(steps.double(), logits, rtol=0, atol=1e-4)
    for n, length in enumerate(lengths.tolist() if weights is not None else []):
        looked = torch.tensor([step["weights"] for step in found[n]], dtype=torch.float64)
        expected = weights[n, ..., :length].movedim(-2, 0)  # the steps first
        torch.testing.assert_close(looked, expected, rtol=0, atol=1e-6)


BEAM = """words.map((ids) => [...beam(model, model.encode(ids), width, longest)].at(-1)
  .map(({ ids, score, ended }) => [ids, score, ended]))"""


@pytest.mark.parametrize("width", [1, 4, 30])
@pytest.mark.parametrize("kind", KINDS)
def test_beam_search_finds_the_answers_of_the_library(kind, width, run):
    model, words = make_model(kind), some_words(50 if width < 30 else 8, "abcdeghi")
    ids = [LETTERS.encode(word) for word in words]
    found = run(model, BEAM, words=[one.tolist() for one in ids], width=width, longest=LONGEST)
    for one, answers in zip(ids, found, strict=True):
        length = torch.tensor([len(one)])
        (expected,) = search.beam(model, one[None], length, LONGEST, width=width)
        assert [(ids, ended) for ids, _, ended in answers] == [(a.ids, a.ended) for a in expected]
        scores = [score for _, score, _ in answers]
        assert scores == pytest.approx([a.log_probability for a in expected], abs=1e-6)


WRITTEN = """words.map((ids) => {
  const memory = model.encode(ids), path = [];
  while (path.length < longest && path.at(-1)?.id !== END) path.push(written(model, memory, path));
  return path.map(({ id, p }) => [id, p[id]]);
})"""


@pytest.mark.parametrize("kind", KINDS)
def test_kana_by_kana_it_writes_what_the_library_writes(kind, run):
    model = make_model(kind)
    source, lengths = encode_words(some_words(50, "abcdeghi"), LETTERS)
    words = [row[:length] for row, length in zip(source.tolist(), lengths.tolist(), strict=True)]
    found = run(model, WRITTEN, words=words, longest=LONGEST)
    for path, answer in zip(found, search.greedy(model, source, lengths, LONGEST), strict=True):
        assert [id for id, _ in path if id] == answer.ids
        total = torch.tensor([p for _, p in path], dtype=torch.float64).log().sum().item()
        assert total == pytest.approx(answer.log_probability, abs=1e-5)


CHOSEN = """(() => {
  const memory = model.encode(word), path = [];
  for (const id of answer) path.push(written(model, memory, path, id));
  return path.reduce((sum, { id, p }) => sum + Math.log(p[id]), 0);
})()"""


def test_a_kana_that_the_reader_chooses_is_what_the_next_step_goes_on_from(run):
    """The probability of an answer is the one of teacher forcing."""
    model, word, answer = make_model("none"), LETTERS.encode("badge")[None], [4, 9, 2, 2, 0]
    with torch.no_grad():
        logits = model(word, torch.tensor([5]), torch.tensor([[0, *answer[:-1]]]))
    expected = logits.log_softmax(dim=2)[0, range(5), answer].sum().item()
    found = run(model, CHOSEN, word=word[0].tolist(), answer=answer)
    assert found == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_rounding_to_8_bits_changes_the_loss_by_less_than_half_a_percent(kind):
    """Of a model that has learned: to write a kana for each letter, in the other order."""
    torch.manual_seed(0)
    words = some_words(600, "abcdeghi")
    answers = [
        "".join("アイウエオカキク"["abcdeghi".index(c)] for c in word[::-1]) for word in words
    ]
    data = *encode_words(words, LETTERS), *encode_words(answers, KANA)
    model = new_model(kind, 48)
    batches = PairBatches(*data, 50)
    train(model, batches, Settings(epochs=12, lr=0.01, clip=5.0, objective=answering))

    def loss(model) -> float:
        with torch.no_grad():
            return answering(model.eval(), batch)[0].item()

    batch: Batch = PairBatches(*data, len(words)).batch(0)
    assert loss(model) < 6  # of about 11 nats
    assert loss(quantised(model)) == pytest.approx(loss(model), rel=0.005)


def test_a_model_that_reads_letters_with_their_neighbours_is_not_shown():
    model = EncoderDecoder(len(LETTERS), len(KANA), 4, 8, neighbours=True)
    with pytest.raises(ValueError, match="without `neighbours`"):
        names.weights_of(model)


def test_what_the_figure_gets(monkeypatch):
    given = {}
    monkeypatch.setattr(names.page, "show", lambda *args, **settings: given.update(settings))
    show = partial(
        names.show, "demo-names", None, make_model("dot"), "hgabcdei", "コアイウエオカキクケ"
    )
    show(["badge", "a"])
    assert given["letters"] == "abcdeghi" and given["kana"] == "アイウエオカキクケコ"
    assert given["sounds"] == ["a", "i", "u", "e", "o", "ka", "ki", "ku", "ke", "ko"]
    assert given["examples"] == ["badge", "a"] and given["weights"]["head"].shape == (11, 8)
    with pytest.raises(ValueError, match="does not know 'z'"):
        show(["badge", "zig"])


def test_the_sounds_of_kana_are_in_the_usual_spelling():
    sounds = ["shi", "chi", "tsu", "fu", "ji", "ji", "zu", "ga", "pa", "n", "a", "ya", "vu"]
    assert [names.sound(kana) for kana in "シチツフジヂヅガパンァャヴ"] == sounds
    assert [names.sound(kana) for kana in "ッー・字"] == [""] * 4
