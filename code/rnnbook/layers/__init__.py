"""Layers: what maps a sequence to a sequence of states, and how its weights start."""
