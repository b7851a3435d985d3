"""From a picture of a digit to the 28 × 28 pixels that MNIST would have made of it.

MNIST's digits were scaled to fit a square of 20 × 20 pixels, their aspect kept, and moved so
that their centre of mass lies in the centre of 28 × 28 pixels (LeCun et al., 1998, and the page
of the data set). Left out: several digits in one picture, strong shadows, slant.

Arrays are (height, width), float; ink runs from 0 (paper) to 1 (the strongest ink).
"""

import warnings
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
from PIL import Image, ImageOps

from rnnbook.errors import BookError

SIDE, BOX = 28, 20  # of an image of MNIST, and of the square that its digit fits into
MOST_PIXELS = 1_000_000
LEAST_CONTRAST = 0.15  # between paper and the strongest ink; black on white is 1
INK = 0.25  # a pixel with more than this belongs to the digit
# Shares of the square around the digit. In the 70,000 digits of MNIST at most 24 % of it is
# grey, neither clearly ink nor clearly paper, and 6 to 85 % is ink; thin pens give less.
MOST_GREY = 0.25
LEAST_INK, MOST_INK = 0.01, 0.9


class ImageError(BookError):
    """A picture cannot be read. The message says why and what to do."""


def read_digit(path: Path) -> torch.Tensor:
    """The digit in an image file, prepared as MNIST is: float32, (28, 28), 0 paper, 1 ink.

    Takes every format that Pillow reads, and light ink on dark paper as well as dark on light.
    Raises `ImageError` when the file is no image, is too large, is blank or shows no digit, and
    `OSError` when it cannot be opened.
    """
    try:
        with open(path, "rb") as file:
            return prepared(brightness(decode(file)))
    except ImageError as error:
        raise ImageError(f"{path} {error}") from error


def digit_in(grey: np.ndarray) -> torch.Tensor:
    """The same of an array (height, width), in which any number may be white and any black."""
    if grey.ndim != 2 or not grey.size:
        raise ImageError(
            f"the array has the shape {grey.shape}; give rows of grey numbers, (height, width)"
        )
    try:
        check_size(grey.shape[1], grey.shape[0])
        return prepared(stretch(grey.astype(float)))
    except ImageError as error:
        raise ImageError(f"the array {error}") from error


def prepared(grey: np.ndarray) -> torch.Tensor:
    """The digit in a picture, from 0, black, to 1, white, as MNIST would have it: (28, 28)."""
    digit = crop(find_ink(grey))
    check_is_digit(digit)
    return torch.from_numpy(centre(scale(digit))).float()


def decode(file: BinaryIO) -> Image.Image:
    """The image in a file, upright; one of more than a million pixels is not decoded.

    Raises `ImageError` for that one, and for what is damaged or no image.
    """
    try:
        with warnings.catch_warnings(action="ignore"):
            image = Image.open(file)  # reads no more than the size
            check_size(image.width, image.height)
            return ImageOps.exif_transpose(image)
    except ImageError:
        raise
    except Image.DecompressionBombError as error:
        raise ImageError(f"is refused, it would fill the memory ({error})") from error
    except Exception as error:  # Pillow raises many kinds for a damaged file
        raise ImageError("is damaged or no image; give a PNG or JPEG of one digit") from error


def check_size(width: int, height: int) -> None:
    """Raise `ImageError` for a picture of more than MOST_PIXELS."""
    if width * height > MOST_PIXELS:
        raise ImageError(
            f"has {width:,} × {height:,} pixels, more than {MOST_PIXELS:,}, as a photograph has; "
            "crop it to one digit, or scale it down"
        )


def brightness(image: Image.Image) -> np.ndarray:
    """From 0, black, to 1, white. What is transparent becomes paper."""
    if image.mode in ("I", "F"):  # 32 bits, of which no file says what is black and what white
        return stretch(np.asarray(image, float))
    if image.mode.startswith("I"):  # 16 bits, which Pillow would cut off instead of scale
        return np.asarray(image, float) / 65535
    if image.mode == "LAB":
        image = image.getchannel("L")
    if not image.has_transparency_data:
        return np.asarray(image.convert("L"), float) / 255
    image = image.convert("RGBA")
    grey = np.asarray(image.convert("L"), float) / 255
    opacity = np.asarray(image.getchannel("A"), float) / 255
    paper = float((opacity * grey).sum() < opacity.sum() / 2)  # white, if what is seen is dark
    return opacity * grey + (1 - opacity) * paper


def stretch(values: np.ndarray) -> np.ndarray:
    """From 0, the least of the values, to 1, the greatest; all 0 where they are equal."""
    values = np.nan_to_num(values, posinf=0, neginf=0)
    return (values - values.min()) / max(np.ptp(values), 1e-9)


def find_ink(grey: np.ndarray) -> np.ndarray:
    """The ink, from 0 to 1: what differs from the paper, which is as bright as the border.

    Raises `ImageError` when nothing does.
    """
    border = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    paper, dark, light = np.median(border), grey.min(), grey.max()
    if light - dark < LEAST_CONTRAST:
        raise ImageError("is blank: no ink can be told from paper; draw one digit, black on white")
    ink = paper - grey if paper > (dark + light) / 2 else grey - paper
    return ink.clip(0) / ink.max()


def crop(ink: np.ndarray) -> np.ndarray:
    """The smallest rectangle that holds all the ink."""
    rows, columns = (np.flatnonzero((ink > INK).any(axis)) for axis in (1, 0))
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def check_is_digit(ink: np.ndarray) -> None:
    """Raise `ImageError` where there are no strokes.

    A photograph has shades, a spot is full, dust is empty.
    """
    square = max(ink.shape) ** 2
    grey_share = ((ink > 0.25) & (ink < 0.75)).sum() / square
    ink_share = (ink > INK).sum() / square
    if grey_share > MOST_GREY or not LEAST_INK <= ink_share <= MOST_INK:
        raise ImageError(
            f"shows no single digit: {ink_share:.1%} of it is ink and {grey_share:.1%} neither ink "
            f"nor paper, expected are {LEAST_INK:.0%} to {MOST_INK:.0%} and at most "
            f"{MOST_GREY:.0%}; draw one digit with a broad pen, black on white"
        )


def scale(ink: np.ndarray) -> np.ndarray:
    """The digit with its longer side at 20 pixels; the edges of its strokes become grey."""
    height, width = (max(1, round(BOX * n / max(ink.shape))) for n in ink.shape)
    image = Image.fromarray(ink.astype(np.float32)).resize((width, height), Image.Resampling.BOX)
    return np.asarray(image) / np.asarray(image).max()


def centre(ink: np.ndarray) -> np.ndarray:
    """28 × 28 pixels with the centre of mass at (14, 14), where MNIST has it, within half a pixel.

    Pixels count from 0. A digit that would hang over the border is moved less.
    """
    window = []
    for mass in (ink.sum(1), ink.sum(0)):  # of each row, of each column
        middle = mass @ np.arange(len(mass)) / mass.sum()
        start = min(max(round(SIDE / 2 - middle), 0), SIDE - len(mass))
        window.append(slice(start, start + len(mass)))
    canvas = np.zeros((SIDE, SIDE))
    canvas[tuple(window)] = ink
    return canvas
