"""Training: batches, objectives, the loop, measures, recipes, and files of trained models."""
