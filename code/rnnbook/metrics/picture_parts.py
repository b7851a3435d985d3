"""Which part of an English caption is right: who it is, what else there is, or the tones."""

from collections.abc import Callable, Collection, Sequence
from typing import Any

from rnnbook.data.picture_captions import PERSONS_AND_HOURS, rest, tones, without_tones
from rnnbook.metrics.error_rates import References

SAME = {"man": "", "person": "", "men": "people"}  # which of them is meant may be a custom


def who(caption: str) -> list[str]:
    """The words for persons and hours in a caption: ["woman"]."""
    return [word for word in without_tones(caption).split() if word in PERSONS_AND_HOURS]


def what_else(caption: str) -> str:
    """The work, the hair, the sport: what a caption says besides persons, hours and tones."""
    return rest(without_tones(caption))


def folded(caption: str) -> list[str]:
    """The words of a caption without tones, those that are the `SAME` taken for the same."""
    return [word for word in (SAME.get(w, w) for w in without_tones(caption).split()) if word]


PARTS: dict[str, Callable[[str], Any]] = {"who": who, "what": what_else, "tone": tones}


def share_right(
    part: Callable[[str], Any], captions: Sequence[str], references: References
) -> float:
    """The share of captions whose part is that of one of their references."""
    pairs = zip(captions, references, strict=True)
    return sum(part(one) in map(part, right) for one, right in pairs) / len(captions)


def wrong_known(captions: Sequence[str], references: References, names: Collection[str]) -> float:
    """Of captions whose name, without tones, is wrong, the share that is one of some names."""
    pairs = zip(map(without_tones, captions), references, strict=True)
    wrong = [one for one, right in pairs if one not in map(without_tones, right)]
    return sum(one in names for one in wrong) / max(1, len(wrong))
