"""What Keras takes for every loss, beside the loss's own parameters."""

from collections.abc import Mapping
from typing import Any

from .errors import ParameterError
from .names import did_you_mean, shown

OPTIONS = ("name", "reduction", "dtype")
"""So no loss may declare a parameter of one of these names."""

REDUCTIONS = ("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none")
"""What Keras 3.15.1 does with the values, after weights and masks; None is "none"."""

DTYPES = ("float32", "float64", "float16", "bfloat16", "mixed_float16", "mixed_bfloat16")
"""What a loss can be computed in. Keras takes integers too, and cuts 0.9 down to 0."""


def faults(options: Mapping[str, Any]) -> dict[str, str]:
    """Return what is wrong with each option, as far as that is known without Keras.

    >>> faults({"reduction": "sun"})["reduction"].partition(",")[0]
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
            if not isinstance(value, str):
                found[option] = f"'name' must be a text or None, got {shown(value)}."
        elif option == "reduction":
            found |= _choice(option, value, REDUCTIONS)
        elif isinstance(value, str | int | float | Mapping | list | tuple):
            # Else it is a policy or a dtype of some library, which Keras reads.
            found |= _choice(option, value, DTYPES)
    return found


def _choice(option: str, value: Any, choices: tuple[str, ...]) -> dict[str, str]:
    if isinstance(value, str) and value in choices:
        return {}
    near = did_you_mean(value, choices) if isinstance(value, str) else ""
    listed = ", ".join(map(repr, choices))
    return {option: f"{option!r} must be {listed} or None, got {shown(value)}.{near}"}


def check(loss: str, options: Mapping[str, Any]) -> None:
    """Raise for options that Keras would refuse late, or never.

    Raises:
        ParameterError: Names every fault.
    """
    found = faults(options)
    if found:
        raise ParameterError(f"Loss {loss!r}: {' '.join(found.values())}", found)
