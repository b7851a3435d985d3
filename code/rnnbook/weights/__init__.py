"""The published models, a file for each, and what is known about them, `record.json`."""
