"""The data sets of the book, fetched and verified."""
