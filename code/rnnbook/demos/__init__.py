"""Live figures: the demos of the pages, and the programs that draw them."""
