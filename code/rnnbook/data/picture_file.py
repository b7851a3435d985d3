"""From any picture to the 40 × 40 pixels that a captioner looks at."""

import warnings
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from rnnbook.data.digit_image import ImageError, brightness

SIDE = 40  # pixels
MOST_PIXELS = 20_000_000  # of a picture in a file
LONGEST_SIDE = 10_000  # of it: the square that it is put into then takes 400 MB
LIGHT = 250  # of 255: what is lighter counts as white, as in a JPEG


def read_picture(path: Path) -> Tensor:
    """The picture in a file of any format that Pillow reads: uint8, (3, 40, 40).

    A twelfth of each side is cut off where it is empty, as in the pictures that are trained on.
    Raises `ImageError` when the file is no image or too large, and `OSError` when it cannot be
    opened, and `MemoryError` when there is no room for it.
    """
    with open(path, "rb") as file, warnings.catch_warnings(action="ignore"):
        try:
            image = Image.open(file)  # reads no more than the size
            if image.width * image.height > MOST_PIXELS or max(image.size) > LONGEST_SIDE:
                raise ImageError(
                    f"{path} has {image.width:,} × {image.height:,} pixels, more than "
                    f"{MOST_PIXELS:,} or than {LONGEST_SIDE:,} on a side; scale it down"
                )
            image = ImageOps.exif_transpose(image)
            if image.mode[0] in "IF":  # of 16 or 32 bits, which Pillow would cut off
                image = Image.fromarray((255 * brightness(image)).round().astype(np.uint8))
            return on_white(without_margin(image))
        except (ImageError, MemoryError):
            raise
        except Image.DecompressionBombError as error:
            raise ImageError(f"{path} is refused, it would fill the memory ({error})") from error
        except Exception as error:  # Pillow raises many kinds for a damaged file
            raise ImageError(f"{path} is damaged or no image; give a PNG or JPEG") from error


def without_margin(image: Image.Image) -> Image.Image:
    """An image without a twelfth of each side, if that is white or transparent all around."""
    image = image.convert("RGBA")
    paper = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("L")
    x, y = (size // 12 for size in image.size)
    inside = x, y, image.width - x, image.height - y
    paper.paste(255, inside)
    darkest, _ = paper.getextrema()  # of the one channel
    # pyrefly: ignore[unsupported-operation]
    return image.crop(inside) if darkest > LIGHT else image


def on_white(image: Image.Image) -> Tensor:
    """An image of any size as 40 × 40 pixels, what is transparent white: uint8, (3, 40, 40).

    One that is not square is put into the middle of a white square.
    """
    image = image.convert("RGBA")
    paper = Image.new("RGBA", (max(image.size),) * 2, "white")
    left, top = ((long - short) // 2 for long, short in zip(paper.size, image.size, strict=True))
    paper.alpha_composite(image, (left, top))
    if paper.width != SIDE:
        paper = paper.resize((SIDE, SIDE), Image.Resampling.BOX)
    return torch.from_numpy(np.array(paper.convert("RGB"))).permute(2, 0, 1)
