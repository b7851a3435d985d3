"""`python -m rnnbook`: fetch the data, train the models of the book, and use them."""

import sys

from rnnbook.cli.main import program

if __name__ == "__main__":
    sys.exit(program())
