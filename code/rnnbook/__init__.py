"""The code of the book. Its trained models are had by `rnnbook.load`; chapters import modules."""


def load(name: str, path=None):
    """A trained model, ready to use: "names", "digits", "speech", "text" or "kanji".

    It is the published one, which comes with the package, or the one in the file `path` that
    `python -m rnnbook train` wrote. `rnnbook.published` says what each can do. Nothing is fetched.
    Raises `rnnbook.errors.BookError` when there is no such model, or its file is damaged.
    """
    from rnnbook.published import open_model  # here: PyTorch takes seconds

    return open_model(name, path)
