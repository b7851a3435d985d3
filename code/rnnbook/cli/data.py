"""The command that fetches the data."""

import argparse

from rnnbook.data.fetching.cache import cache_folder
from rnnbook.data.kanji import load_kanji
from rnnbook.data.mnist import load_mnist
from rnnbook.data.names import load_names
from rnnbook.data.packing import pack
from rnnbook.data.pictures import load_pictures
from rnnbook.data.shakespeare import load_shakespeare
from rnnbook.data.speech import load_speech


def data(options: argparse.Namespace) -> None:
    """Fetch the data sets, and say where they are and which text it is."""
    mnist = load_mnist()
    print(f"MNIST: {len(mnist.train_images):,} + {len(mnist.test_images):,} digits")
    text = load_shakespeare()
    print(f"Shakespeare: {len(text.text):,} characters, {text.source}")
    names = load_names()
    print(f"Names: {len(names.names):,} spellings with their readings in katakana")
    print(f"Spoken digits: {len(load_speech().recordings):,} recordings")
    print(f"Pictures: {len(load_pictures().pictures):,} with their captions in two languages")
    print(f"Kanji: {len(load_kanji().kanji):,} characters as strokes")
    print(f"All are in {cache_folder()}")
    if options.pack:
        size = sum(path.stat().st_size for path in pack(options.pack))
        print(f"Packed into {options.pack}: {size / 1e6:.0f} MB")
