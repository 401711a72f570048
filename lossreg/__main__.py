"""`python -m lossreg`: the same as the command `lossreg`."""

from .cli import main

if __name__ == "__main__":
    main()
