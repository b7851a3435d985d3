"""Models: layers with an answer, and models that only count."""
