"""What cells of a chapter use to put something on its page."""
