"""The network of the live figure that says what it sees, without a browser."""

import json

import pytest
import torch
from py_mini_racer import MiniRacer
from torch import nn

from picture_examples import WORDS, as_on_a_page, small_describer, some_pictures
from rnnbook.data.vocabulary import Vocabulary
from rnnbook.data.words import SIGNS
from rnnbook.decoding.search import greedy
from rnnbook.demos import pictures
from rnnbook.demos.kinds import JS
from rnnbook.models.pictures import Captioner

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def javascript():
    context = MiniRacer()
    for name in ("recurrence.js", "captioner.js"):
        context.eval((JS / name).read_text("utf-8"))
    return context


def run(javascript, model, pixels, expression: str):
    """What an expression is about the `model` that looks at `pixels` (3, 40, 40)."""
    weights = {name: weight.tolist() for name, weight in pictures.weights_of(model).items()}
    rows = pixels.permute(1, 2, 0).flatten().tolist()
    program = f"""JSON.stringify((() => {{
      const numbers = (list) => list[0].length
        ? rowsOf(Float64Array.from(list.flat()), list[0].length) : Float64Array.from(list);
      const weights = Object.fromEntries(
        Object.entries({json.dumps(weights)}).map(([name, list]) => [name, numbers(list)]));
      const model = new Captioner(weights, {model.heads});
      const places = model.see(Uint8Array.from({rows}));
      return {expression};
    }})())"""
    return json.loads(javascript.eval(program))


def random_describer() -> Captioner:
    """A model in which no weight is 0 or 1, those of the batch normalisation included."""
    torch.manual_seed(0)
    model = Captioner(len(WORDS), 2, (4, 6, 8), 6, 12).eval()
    for numbers in (*model.parameters(), *model.buffers()):
        if numbers.is_floating_point():
            nn.init.uniform_(numbers, -1, 1)
    for norm in model.encoder[1::3]:
        nn.init.uniform_(norm.running_var, 0.5, 2)
    return as_on_a_page(model)


MODELS = {"random": random_describer, "trained": small_describer}
SAID = [4, 2, 8, 11, 1]


@torch.no_grad()
@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("languages", ["00000", "11111", "00111"])
def test_it_says_and_sees_what_torch_does(kind, languages, javascript):
    """Logits, and where each head looks, also where the language changes in the middle."""
    model, languages = MODELS[kind](), [*map(int, languages)]
    previous = [0, *SAID[:-1]]
    for picture in some_pictures():
        seen = model.encode(picture.pixels[None], torch.tensor([0]))
        state, expected = model.start(seen), []
        for word, k in zip(previous, languages, strict=True):
            seen = seen._replace(language=model.language(torch.tensor([k])))
            logits, state, looks = model.decode(torch.tensor([[word]]), state, seen)
            expected.append((logits[0, 0], looks[0, :, 0]))
        found = run(
            javascript,
            model,
            picture.pixels,
            f"""((state) => {previous}.map((word, t) => {{
              const step = model.step(word, {languages}[t], state, places);
              state = step.state;
              return [[...step.logits], step.looks.map((look) => [...look])];
            }}))(model.start())""",
        )
        for here, there in zip(found, expected, strict=True):
            for ours, theirs in zip(here, there, strict=True):
                torch.testing.assert_close(torch.tensor(ours), theirs, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("k", [0, 1])
def test_it_writes_the_captions_that_torch_writes(k, javascript):
    model = small_describer()
    for picture in some_pictures():
        (answer,) = greedy(model, picture.pixels[None], torch.tensor([k]))
        loop = f"""(() => {{
          const path = [];
          do path.push(spoken(model, places, path, {k}));
          while (path.at(-1).id !== END && path.length < 20);
          return [path.map(({{ id }}) => id), path.map(({{ p }}) => p)];
        }})()"""
        ids, shares = run(javascript, model, picture.pixels, loop)
        assert answer.ended and ids == [*answer.ids, 0]
        log_probability = torch.tensor(shares).log().sum().item()
        assert log_probability == pytest.approx(answer.log_probability, abs=1e-4)


@torch.no_grad()
def test_a_model_without_batch_normalisation_says_the_same():
    model = random_describer()
    for norm in model.encoder[1::3]:
        nn.init.uniform_(norm.weight, 0.5, 2)
        nn.init.normal_(norm.running_mean)
        norm.running_var.fill_(3)
    before = [part.clone() for part in model.state_dict().values()]
    folded = pictures.folded(model)
    pixels = torch.stack([picture.pixels for picture in some_pictures()])
    torch.testing.assert_close(
        folded.encoder(pixels / 99), model.encoder(pixels / 99), atol=1e-4, rtol=1e-4
    )
    for norm in folded.encoder[1::3]:
        x = torch.randn(2, norm.num_features, 3, 3)
        torch.testing.assert_close(norm(x), x + norm.bias[:, None, None])
    assert all(map(torch.equal, before, model.state_dict().values()))


def test_only_a_model_of_both_languages_and_of_these_words_is_shown():
    shape = {"widths": (4, 6, 8), "embedding_size": 6, "hidden_size": 12}
    known = some_pictures()
    for model in (Captioner(len(WORDS), 1, **shape), Captioner(len(WORDS), 2, whole=True, **shape)):
        with pytest.raises(ValueError, match="both languages"):
            pictures.settings_of(model, WORDS, known)
    with pytest.raises(ValueError, match="14 words, the vocabulary 3"):
        pictures.settings_of(small_describer(), Vocabulary(["a", "b"], SIGNS), known)
