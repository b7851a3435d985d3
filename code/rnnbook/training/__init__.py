"""Training: batches, objectives, the loop, recipes, and files of trained models."""
