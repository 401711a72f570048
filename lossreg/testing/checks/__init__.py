"""The checks, by family; the first line of a check's docstring is the promise that it checks."""
