"""What the book says, checked where it says it."""

from rnnbook.page.glue import glue


def claim(
    name: str, value: float, *, at_least: float | None = None, at_most: float | None = None
) -> None:
    """Check that a measured `value` keeps its bounds, and let the prose of the chapter quote it.

    The prose quotes it with the role `glue:text`, and the page "Claims of this book" shows that
    sentence with the value and its bounds. Bounds leave room for other processors and releases.
    Raises `ValueError` without a bound and `AssertionError` when the claim is false.
    """
    if at_least is None and at_most is None:
        raise ValueError(f"the claim {name!r} has no bound: give at_least, at_most or both")
    low = at_least is None or value >= at_least
    high = at_most is None or value <= at_most
    if not (low and high):  # also when the value is not a number
        bounds = " and ".join(
            f"{word} {bound}"
            for word, bound in (("at least", at_least), ("at most", at_most))
            if bound is not None
        )
        raise AssertionError(f"claim {name!r}: expected {bounds}, measured {value}")
    bounds = {"value": float(value), "at_least": at_least, "at_most": at_most}
    glue(name, float(value), shown=False, claim=bounds)
