"""The promises, by family; the first line of each docstring is the promise."""
