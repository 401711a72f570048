"""All checks of all losses of a distribution, for pytest and for the command line."""

import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ..errors import ParameterError
from ..lazy import keras
from ..loss import LossSpec, did_you_mean
from ..registry import Registry, installed
from .checks import declaration, gradients, memory, saving, values
from .results import ConformanceError, NotApplicableError, Result, error_of
from .subject import Subject, Suite

Check = Callable[[Subject], None]

CHECKS: Mapping[str, Check] = {
    check.__name__: check
    for check in (
        declaration.usable,
        values.finite_values,
        gradients.finite_gradients,
        gradients.saturated_model_learns,
        gradients.numerical_gradient,
        gradients.custom_gradient,
        gradients.compiled,
        gradients.unknown_classes,
        values.permuted_batch,
        values.repeated,
        values.zero_weight,
        values.ignored_class,
        values.padding,
        values.axis,
        values.reductions,
        values.label_dtypes,
        values.integer_labels,
        values.float16,
        values.shape_mismatch,
        saving.config,
        saving.pickling,
        saving.fresh_process,
        memory.memory,
        declaration.no_variables,
        declaration.unknown_parameter,
        declaration.parameter_type,
        declaration.parameter_range,
        declaration.docstring,
        declaration.light_import,
        declaration.names,
    )
}
"""Every check by its name; the first line of its docstring is the promise."""

BACKENDS = ("tensorflow", "jax", "torch")
"""The backends on which losses are checked."""

# They say what a loss is, and need no value of it.
_WITHOUT_VALUES = {
    "no_variables",
    "unknown_parameter",
    "parameter_type",
    "docstring",
    "light_import",
    "names",
}


def promise(check: str) -> str:
    """Return what a check promises to users, in one sentence."""
    return (CHECKS[check].__doc__ or "").partition("\n")[0]


def run_checks(
    distribution: str,
    *,
    loss: str | None = None,
    check: str | None = None,
    registry: Registry | None = None,
) -> Iterator[Result]:
    """Yield the result of each check of each loss of a distribution, as it is found.

    >>> [result.state for result in run_checks("keras", loss="huber", check="names")]
    ['passed']

    The checks that a loss can't pass are named in its spec, with the reasons, as `exceptions`.
    One that passes all the same is a failure: the exception is out of date.

    Args:
        distribution: The distribution that offers the losses.
        loss: The only loss to check.
        check: The only check to run.
        registry: Where the losses are; by default all that is installed.

    Raises:
        ParameterError: There is no such distribution, loss or check.
        BrokenPluginError: The distribution is installed and broken.
    """
    suite = Suite(registry or installed(), distribution)
    _check_exceptions(suite)
    for what, name, known in (("loss", loss, suite.subjects), ("check", check, CHECKS)):
        if name is not None and name not in known:
            raise ParameterError(
                f"There is no {what} {name!r}.{did_you_mean(name, [*known])} "
                f"Choose from {', '.join(known)}."
            )
    for each in suite.subjects if loss is None else [loss]:
        for name in CHECKS if check is None else [check]:
            yield _result(suite, each, name)


def loss_checks(distribution: str) -> Callable[[Any], Any]:
    """Parametrize a test with every check of every loss of a distribution.

    The test takes `check` and `spec`, and calls `check(spec)`. Collecting the tests imports no
    Keras; running the first one does. The checks that a loss can't pass are named in its spec, as
    `exceptions`, and are expected failures.

    >>> @loss_checks("keras")
    ... def test_conformance(check, spec):
    ...     check(spec)

    Args:
        distribution: The distribution that offers the losses.

    Raises:
        ParameterError: There is no such distribution.
        BrokenPluginError: The distribution is installed and broken.
    """
    # Only those who test with it need pytest.
    import pytest

    suite = Suite(installed(), distribution)
    _check_exceptions(suite)

    def run(spec: LossSpec, *, check: str) -> None:
        result = _result(suite, spec.name, check)
        match result.state:
            case "failed":
                raise ConformanceError(result.message)
            case "expected failure":
                pytest.xfail(result.message)
            case "not applicable" | "not run":
                # pytest lists the reasons of skipped tests.
                pytest.skip(result.message)

    cases = [
        pytest.param(functools.partial(run, check=check), subject.spec, id=f"{loss}-{check}")
        for loss, subject in suite.subjects.items()
        for check in CHECKS
    ]
    return pytest.mark.parametrize(("check", "spec"), cases)


def run_check(suite: Suite, loss: str, check: str) -> None:
    """Run one check of one loss.

    Raises:
        ConformanceError: The promise is broken; the message says which one, for which input,
            and what to do.
        NotApplicableError: The check has no meaning for this loss.
    """
    subject = suite.subjects[loss]
    error = error_of(functools.partial(CHECKS[check], subject))
    if error is None:
        return
    if isinstance(error, NotApplicableError):
        raise error
    message, cause = str(error), error.__cause__
    if not isinstance(error, ConformanceError):
        # What a framework adds, `lossreg check --verbose` shows.
        lines = message.strip().splitlines() or [""]
        # Of an error in a graph TensorFlow writes the place first.
        told = lines[-1] if lines[0].startswith("in user code") else lines[0]
        kind = f"{type(error).__name__}: "
        message, cause = f"It raised {kind}{told.strip().removeprefix(kind)[:300]}", error
    raise ConformanceError(
        f"{subject.entry.qualified_name} breaks a promise, {check}: {promise(check)}\n{message}"
    ) from cause


def _result(suite: Suite, loss: str, check: str) -> Result:
    subject = suite.subjects[loss]
    reason, whole = _exception(subject.spec, check)
    skipped = "" if check in _WITHOUT_VALUES or check == "usable" else _why_unusable(subject, whole)
    if skipped:
        return Result(loss=loss, check=check, state="not run", message=skipped)
    error = error_of(lambda: run_check(suite, loss, check))
    if isinstance(error, NotApplicableError):
        return Result(loss=loss, check=check, state="not applicable", message=str(error))
    if error is None and reason is not None:
        message = (
            f"It passes, and the spec of the loss says that it can't: {reason} Take the exception "
            "out of the spec."
        )
        return Result(loss=loss, check=check, state="failed", message=message)
    if error is None:
        return Result(loss=loss, check=check, state="passed")
    if reason is not None:
        return Result(loss=loss, check=check, state="expected failure", message=reason)
    details = "" if error.__cause__ is None else str(error.__cause__)
    return Result(loss=loss, check=check, state="failed", message=str(error), details=details)


def _why_unusable(subject: Subject, whole: str | None) -> str:
    """Return why checks of a loss's values make no sense, or an empty string."""
    if whole is not None:
        return f"the loss doesn't run on this backend: {whole}"
    return "the loss can't be used; see the check 'usable'" if subject.broken else ""


def _exception(spec: LossSpec, check: str) -> tuple[str | None, str | None]:
    """Return the reason why a check may fail here, and why the whole loss can't run here."""
    if not spec.exceptions:
        return None, None
    backend = keras.backend.backend()
    whole = spec.exceptions.get(backend)
    found = spec.exceptions.get(f"{backend}/{check}", spec.exceptions.get(check))
    return (whole if check == "usable" and whole else found), whole


def _check_exceptions(suite: Suite) -> None:
    """Raise for an exception in a spec that names no check and no backend."""
    for loss, subject in suite.subjects.items():
        for key in subject.spec.exceptions:
            backend, slash, check = key.rpartition("/")
            known = key in BACKENDS or (check in CHECKS and (not slash or backend in BACKENDS))
            if not known:
                raise ParameterError(
                    f"Loss {loss!r}: {key!r} in the exceptions of its spec is neither a check nor "
                    "a backend, nor both as in 'torch/float16'."
                    f"{did_you_mean(key, [*CHECKS, *BACKENDS])}"
                )
