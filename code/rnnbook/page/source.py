"""Showing the book's own code where the text speaks of it, so that it is defined only once."""

import inspect
from textwrap import dedent

from IPython.display import Markdown, display


def show_source(*objects) -> None:
    """Show the source of functions, methods or classes, as Python, below the cell."""
    parts = [dedent(inspect.getsource(thing)).strip() for thing in objects]
    display(Markdown("```python\n" + "\n\n\n".join(parts) + "\n```"))
