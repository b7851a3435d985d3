"""Metrics: how good a trained model is, or what it has written."""
