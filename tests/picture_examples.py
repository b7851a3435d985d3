"""A small network that says what it sees, its pictures, and what tests find on its page."""

from functools import cache

import torch
from torch.nn.functional import cross_entropy

from rnnbook.data.picture_gallery import Picture
from rnnbook.data.vocabulary import Vocabulary
from rnnbook.data.words import SIGNS, teacher_forced
from rnnbook.demos import pictures
from rnnbook.demos.weights import quantise, quantised
from rnnbook.models.pictures import Captioner
from rnnbook.training.recipes.pictures import encode_captions

WORDS = Vocabulary([*"男女農家料理赤", "man", "woman", "farmer", "cook", "red", "sees"], SIGNS)
FIRST = ["man", "farmer", "sees", "red"]  # what it says of the first picture
CAPTIONS = {" ".join(FIRST): "男農家赤", "woman cook": "女料理", "woman farmer": "女農家"}


def some_pictures() -> list[Picture]:
    """Three pictures of 64 colours, and a white one, which is red."""
    generator = torch.Generator().manual_seed(0)
    found = [Picture("0", torch.full((3, 40, 40), 255, dtype=torch.uint8), ("red",), ("赤",))]
    for english, japanese in CAPTIONS.items():
        colours = torch.randint(256, (3, 8, 8), generator=generator, dtype=torch.uint8)
        pixels = colours.repeat_interleave(5, 1).repeat_interleave(5, 2)
        found.append(Picture(str(len(found)), pixels, (english,), (japanese,)))
    return found[1:] + found[:1]


@cache
@torch.enable_grad()
def small_describer() -> Captioner:
    """It has learned the captions of these pictures by heart."""
    torch.manual_seed(0)
    model = Captioner(len(WORDS), 2, (4, 6, 8), 6, 12)
    data = encode_captions(some_pictures(), WORDS)
    previous, y = teacher_forced(data.ids, data.lengths)
    optimizer = torch.optim.Adam(model.parameters(), 0.02)
    for _ in range(150):
        logits = model(data.pixels[data.rows], data.languages, previous)
        optimizer.zero_grad()
        cross_entropy(logits.transpose(1, 2), y).backward()
        optimizer.step()
    return as_on_a_page(model.eval())


def as_on_a_page(model):
    """The model with the weights that a page gets, those of its convolutions included."""
    model = quantised(pictures.folded(model))
    with torch.no_grad():
        for convolution in model.encoder[::3]:
            whole, scales = quantise(convolution.weight.flatten(1))
            rounded = (whole * scales[:, None]).view_as(convolution.weight)
            convolution.weight.copy_(rounded)
    return model


# ------------------------------------------------------------------ on the page


def said(page) -> list[str]:
    return page.locator(".caption button").all_inner_texts()


def press(page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def choose(page, k: int) -> None:
    page.locator(".gallery button").nth(k).click()


PIXELS = """node => {
  const copy = new OffscreenCanvas(node.width, node.height);
  const context = copy.getContext("2d", { willReadFrequently: true });
  context.drawImage(node, 0, 0);
  return [...context.getImageData(0, 0, node.width, node.height).data];
}"""


def seen(page) -> torch.Tensor:
    """The large picture: (3, 40, 40)."""
    pixels = torch.tensor(page.locator(".sheet canvas").first.evaluate(PIXELS), dtype=torch.uint8)
    return pixels.view(40, 40, 4)[:, :, :3].permute(2, 0, 1)


def shades(page) -> torch.Tensor:
    """How dark each place is: (100,)."""
    return torch.tensor(page.locator(".look").evaluate(PIXELS)).view(100, 4)[:, 3] / 255


@torch.no_grad()
def by_torch(pixels, languages):
    """What the model says of pixels (3, 40, 40), a step in each language; the last one goes on.

    Returns the words, their probabilities, where each head looked, (heads, 100), and the
    probability of the whole caption with its end.
    """
    model, previous = small_describer(), torch.tensor([[0]])
    encoded = model.encode(pixels[None], torch.tensor([0]))
    state, found, whole = model.start(encoded), [], 1.0
    for t in range(60):
        k = languages[min(t, len(languages) - 1)]
        encoded = encoded._replace(language=model.language(torch.tensor([k])))
        logits, state, looks = model.decode(previous, state, encoded)
        p, previous = logits[:, 0].softmax(dim=1).max(dim=1, keepdim=True)
        whole *= p.item()
        if previous.item() == 0:
            break
        found.append((WORDS.characters[previous.item() - 1], p.item(), looks[0, :, 0]))
    return *zip(*found, strict=True), whole


def status(word: str, p: float) -> str:
    return f"{word}: probability {percent(p)}"


def percent(p: float) -> str:
    """A probability as a live figure shows it: only 0 and 1 are 0 % and 100 %."""
    nobreak = "\N{NO-BREAK SPACE}"
    if 0 < p < 0.001:
        return f"<{nobreak}0.1{nobreak}%"
    if 0.995 <= p < 1:
        return f">{nobreak}99{nobreak}%"
    return f"{100 * p:.{1 if 0 < p < 0.0995 else 0}f}{nobreak}%"


def compare(dark: torch.Tensor, look: torch.Tensor) -> None:
    """The place that is looked at most is clear, the others are the darker the less."""
    torch.testing.assert_close(dark, 0.65 * (1 - look / look.max()), atol=0.004, rtol=0)
    assert dark.max() > 0.1
