"""On which code a chapter or a study depends: what its numbers are to be made again for."""
