"""The studies of the book, a module each; `rnnbook.study` says how they are made and kept."""
