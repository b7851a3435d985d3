"""Schedules: the course of the learning rate, from progress 0 to 1 to a factor."""

import math


def constant(progress: float) -> float:
    """The same learning rate all the time."""
    return 1.0


def warmup_cosine(progress: float) -> float:
    """A linear rise over the first tenth, then half a cosine down to zero.

    `progress` runs from 0 to 1; the result multiplies the learning rate. The cosine is that of
    Loshchilov and Hutter (2017), without their restarts.
    """
    if progress < 0.1:
        return progress / 0.1
    return 0.5 * (1 + math.cos(math.pi * (progress - 0.1) / 0.9))
