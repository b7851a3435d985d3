"""The one kind of error whose message is written for the user."""


class BookError(Exception):
    """What was asked for is not possible.

    The message says, in one line, what was given, what was expected and what to do. Each part of
    the library derives its own error from this one; any other is a mistake of ours.
    """
