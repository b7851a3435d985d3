"""Decoding: from what a trained model says to what is written."""
