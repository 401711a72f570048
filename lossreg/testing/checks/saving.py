"""What a loss promises when it is saved, copied or sent to another process."""

import json
import pickle
from typing import Any

import numpy as np

from .. import limits
from ..reload import OPTIONS, reload
from ..results import ConformanceError, NotApplicableError, error_of
from ..subject import Params, Subject, values_of

_PLAIN_DATA = "Let parameters be numbers, strings, True, False, None, and lists of these"


def config(subject: Subject) -> None:
    """Every parameter survives `get_config`, as JSON, at other values than its default."""
    loss = subject.loss(subject.changed, **OPTIONS)
    try:
        saved = json.loads(json.dumps(loss.get_config(), allow_nan=False))
    except (TypeError, ValueError) as error:
        raise ConformanceError(
            f"The config of {subject.entry.call(subject.changed)} isn't JSON: {error}. "
            f"{_PLAIN_DATA}."
        ) from error
    _same_parameters(subject, saved["params"], "a config")
    if saved["loss"] != subject.entry.qualified_name:
        raise ConformanceError.at(
            "get_config",
            expected=f"the name {subject.entry.qualified_name!r}",
            got=repr(saved["loss"]),
            advice="Offer the loss under its own distribution.",
        )


def pickling(subject: Subject) -> None:
    """A pickled loss comes back with every parameter, and with its values."""
    if subject.remembers:
        raise NotApplicableError("it has memory, and is part of a model; see the check 'memory'")
    loss = subject.loss(subject.changed, **OPTIONS)
    copies: list[Any] = []
    error = error_of(lambda: copies.append(pickle.loads(pickle.dumps(loss))))  # noqa: S301 - ours
    if error is not None:
        raise ConformanceError(
            f"{subject.entry.call(subject.changed)} can't be pickled: {error}. "
            "Let parameters be plain data, and the loss an attribute of a module."
        ) from error
    (copied,) = copies
    _same_parameters(subject, copied.params, "a pickle")
    case = subject.case(subject.changed)
    if not np.allclose(
        values_of(copied, case), subject.values(case), rtol=limits.SAME, equal_nan=True
    ):
        raise ConformanceError.at(
            f"{case}, after a pickle",
            expected="the values that it had",
            got="others",
            advice="Let a value depend on labels, predictions and parameters only.",
        )


def fresh_process(subject: Subject) -> None:
    """Every parameter survives a `.keras` file that a fresh process loads, and so do the values."""
    found = subject.suite.remember(reload).get(subject.spec.name)
    if found is None:
        raise NotApplicableError("no input can be drawn for it")
    if found.error:
        raise ConformanceError(
            f"A model compiled with {subject.entry.call(subject.changed)} "
            f"{found.error.rstrip('.')}. A fresh process must find the loss by its name wherever "
            "its package is installed."
        )
    _same_parameters(subject, found.config["params"], "a .keras file")
    for option, value in OPTIONS.items():
        if found.config[option] != value:
            raise ConformanceError.at(
                f"{option}={value!r}",
                expected="the same after loading",
                got=repr(found.config[option]),
                advice="Leave the options of Keras to Keras.",
            )
    case = subject.case(subject.changed)
    values = subject.values(case)
    if not np.allclose(
        found.values, values, rtol=limits.SAME, atol=limits.NEAR_ZERO, equal_nan=True
    ):
        raise ConformanceError.at(
            f"{case}, loaded in a fresh process",
            expected=f"the values that it had, such as {values.reshape(-1)[0]:.6g}",
            got=f"{np.reshape(found.values, -1)[0]:.6g}",
            advice="Let a value depend on labels, predictions and parameters only; "
            "Python's hash of a string differs from process to process.",
        )


def _same_parameters(subject: Subject, saved: Params, where: str) -> None:
    """Raise if the loss, given its saved parameters, has others than before."""
    loaded: list[Params] = []
    error = error_of(lambda: loaded.append(subject.bind(saved).params))
    expected = subject.bind(subject.changed).params
    if error is not None or loaded != [expected]:
        raise ConformanceError.at(
            f"{subject.entry.call(subject.changed)} in {where}",
            expected="the same parameters after loading",
            got=str(error or loaded[0]),
            advice=f"{_PLAIN_DATA}; the keys of a mapping are strings.",
        )
