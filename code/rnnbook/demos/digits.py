"""Test digits as strangers might draw them, to see whether a demo reads those, too."""

import math

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample, max_pool2d

from rnnbook.data.digit_image import centre, crop, scale

SIDE = 112  # pixels of the sheet on which a digit is drawn: four for each of MNIST's


def drawn_by_strangers(images: Tensor, seed: int = 0) -> Tensor:
    """Images (N, 28, 28) turned, moved, scaled, thickened or thinned, then prepared: (N, 28, 28).

    Turned by up to 15°, moved by up to 3 pixels in both directions, drawn at 60 to 100 % of the
    size, with strokes thinner by a quarter of a pixel on each side, or thicker by up to a half;
    then cropped, scaled and centred as MNIST's digits were.
    """
    generator, prepared = torch.Generator().manual_seed(seed), []
    for part in images.split(500):  # sheets are large
        thickness = torch.randint(-1, 3, (len(part),), generator=generator)
        for sheet, grow in zip(rotated(part, generator), thickness.tolist(), strict=True):
            ink = thickened(sheet, grow).numpy()
            prepared.append(torch.from_numpy(centre(scale(crop(ink)))))
    return torch.stack(prepared).float()


def rotated(images: Tensor, generator: torch.Generator) -> Tensor:
    """Images (N, 28, 28) on sheets (N, SIDE, SIDE), turned, moved and scaled at random."""
    angle, right, down, size = torch.rand(4, len(images), generator=generator)
    angle = math.radians(15) * (2 * angle - 1)
    size = 0.6 + 0.4 * size
    right, down = (3 / 14 * (2 * shift - 1) for shift in (right, down))  # the sheet is -1 to 1
    cos, sin = angle.cos() / size, angle.sin() / size
    rows = [torch.stack([cos, -sin, right], 1), torch.stack([sin, cos, down], 1)]
    grid = affine_grid(torch.stack(rows, 1), [len(images), 1, SIDE, SIDE], align_corners=False)
    return grid_sample(images[:, None], grid, align_corners=False)[:, 0]


def thickened(sheet: Tensor, pixels: int) -> Tensor:
    """A sheet whose strokes grow on each side by so many of its pixels, or shrink if negative."""
    if pixels == 0:
        return sheet
    sign = 1 if pixels > 0 else -1  # to shrink strokes is to let the paper grow
    width = 2 * abs(pixels) + 1
    return sign * max_pool2d(sign * sheet[None], width, stride=1, padding=abs(pixels))[0]
