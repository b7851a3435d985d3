"""`python -m rnnbook.data` fetches the data sets, so that what comes after needs no network."""

import sys

from rnnbook.data.fetch import DataError
from rnnbook.data.mnist import load_mnist
from rnnbook.data.shakespeare import load_shakespeare

try:
    mnist = load_mnist()
    print(f"MNIST: {len(mnist.train_images):,} + {len(mnist.test_images):,} digits")
    text = load_shakespeare()
    print(f"Shakespeare: {len(text.text):,} characters, {text.source}")
except DataError as error:
    sys.exit(f"{error}")
