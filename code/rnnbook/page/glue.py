"""Values and figures that the prose of a chapter shows by name, in the form that MyST-NB reads."""

from typing import Any

from IPython.core.formatters import format_display_data
from IPython.display import display

UNSEEN = "application/papermill.record/"  # before a type: kept, and not shown below the cell


def glue(name: str, value: Any, *, shown: bool = True, **about: Any) -> None:
    """Keep `value` under a name, for the prose to show it with `{glue:text}` or `{glue:figure}`.

    Unless `shown` is False, a notebook shows it below the cell, too. `about` is kept beside it.
    """
    forms, metadata = format_display_data(value)
    prefix = "" if shown else UNSEEN
    kept = {**metadata, **about, "scrapbook": {"name": name, "mime_prefix": prefix}}
    display({prefix + form: data for form, data in forms.items()}, raw=True, metadata=kept)
