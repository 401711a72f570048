"""Keras' options, which every loss takes in addition to its own parameters.

Keras isn't imported here.
"""

import re
from collections.abc import Mapping
from typing import Any

from ..errors import ParameterError
from .names import did_you_mean, shown

OPTIONS = ("name", "reduction", "dtype")
"""The names of the options. No parameter of a loss may have one of them."""

NAME = r"[A-Za-z0-9.][A-Za-z0-9_.>-]*"
"""What the name of a loss may be: Keras allows no slash, and TensorFlow 2.21 fails on the rest."""

REDUCTIONS = ("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none")
"""The reductions of Keras 3.15.1; None means "none"."""

DTYPES = ("float32", "float64", "float16", "bfloat16", "mixed_float16", "mixed_bfloat16")
"""The dtypes of a loss. Keras takes integers too, and then turns 0.9 into 0."""


def option_faults(options: Mapping[str, Any]) -> dict[str, str]:
    """Return a message for each wrong option, as far as that is known without Keras.

    >>> option_faults({"reduction": "sun"})["reduction"].partition(",")[0]
    "'reduction' must be 'sum_over_batch_size'"
    """
    found = {}
    for option, value in options.items():
        if option not in OPTIONS:
            near = did_you_mean(option, OPTIONS)
            found[option] = f"There is no option {option!r}; Keras has {', '.join(OPTIONS)}.{near}"
        elif value is None:
            continue
        elif option == "name":
            if not isinstance(value, str) or not re.fullmatch(NAME, value):
                found[option] = (
                    "'name' must be None or a string of letters, digits and the signs . _ - > in "
                    "ASCII, which begins with a letter, a digit or a dot, as in 'my_loss', got "
                    f"{shown(value)}. Other names fail in a graph of TensorFlow."
                )
        # Any other value of dtype is a policy, or a dtype of some library, which Keras reads.
        elif option == "reduction" or isinstance(value, str | int | float | Mapping | list | tuple):
            choices = REDUCTIONS if option == "reduction" else DTYPES
            if not isinstance(value, str) or value not in choices:
                near = did_you_mean(value, choices) if isinstance(value, str) else ""
                allowed = ", ".join(map(repr, choices))
                found[option] = f"{option!r} must be {allowed} or None, got {shown(value)}.{near}"
    return found


def check_options(loss: str, options: Mapping[str, Any]) -> None:
    """Raise for options that Keras would refuse at the first use, or never.

    Raises:
        ParameterError: An option is wrong; the message names every fault.
    """
    found = option_faults(options)
    if found:
        raise ParameterError.of(f"Loss {loss!r}: {' '.join(found.values())}", found)
