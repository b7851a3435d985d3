"""Recipes: a model, and how the book trains it; a module for each subject."""
