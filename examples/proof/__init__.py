"""Tables of papers, measured again with `lossreg compare`: `python -m examples.proof`."""
