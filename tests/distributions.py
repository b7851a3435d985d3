"""What the installed distributions require, and what pyproject.toml and pip's files name."""

import tomllib
from importlib import metadata

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from built import ROOT


def project(folder: str = ".") -> dict:
    """What the pyproject.toml in a folder says of its distribution."""
    return tomllib.loads((ROOT / folder / "pyproject.toml").read_text("utf-8"))["project"]


def listed(name: str) -> list[Requirement]:
    """The requirements in a file of pip's. Options, and what is in our folders, are left out."""
    lines = [line.split("#")[0].strip() for line in (ROOT / name).read_text("utf-8").splitlines()]
    return [Requirement(line) for line in lines if line and not line.startswith("-")]


def requirements(name: str, extra: str = "", **machine: str) -> list[Requirement]:
    """The requirements of an installed distribution, or of an extra, that hold on this machine."""
    found = map(Requirement, metadata.requires(name) or [])
    return [r for r in found if r.marker is None or r.marker.evaluate({"extra": extra, **machine})]


def closure(*roots: str) -> set[str]:
    """Distributions, such as "rnnbook[all]", and all that they bring, by their normal names.

    What those bring that are not installed here is not known.
    """
    seen, left = set(), list(map(Requirement, roots))
    while left:
        one = left.pop()
        for extra in ("", *one.extras):
            if (key := (canonicalize_name(one.name), extra)) not in seen:
                seen.add(key)
                left += requirements(*key) if is_installed(one.name) else []
    return {name for name, _ in seen}


def is_installed(name: str) -> bool:
    try:
        return bool(metadata.version(name))
    except metadata.PackageNotFoundError:
        return False
