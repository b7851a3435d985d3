"""The command line, `python -m rnnbook`: a module for each kind of command."""
