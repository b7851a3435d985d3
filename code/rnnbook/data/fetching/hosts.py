"""The registries of packages, by the names that messages give them."""

PYPI, NPM = "the package index", "npm's registry"
