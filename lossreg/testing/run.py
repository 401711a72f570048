"""All checks of all losses of a distribution, for pytest and for the command line."""

import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ..errors import ParameterError
from ..loss import LossSpec, did_you_mean
from ..registry import Registry, installed
from .checks import declaration, gradients, saving, values
from .results import ConformanceError, NotApplicableError, Result, error_of
from .subject import Subject, Suite

Check = Callable[[Subject], None]

CHECKS: Mapping[str, Check] = {
    check.__name__: check
    for check in (
        values.finite_values,
        gradients.finite_gradients,
        gradients.saturated_model_learns,
        gradients.numerical_gradient,
        gradients.compiled,
        values.permuted_batch,
        values.zero_weight,
        values.reductions,
        values.integer_labels,
        values.float16,
        saving.config,
        saving.pickling,
        saving.fresh_process,
        declaration.unknown_parameter,
        declaration.parameter_type,
        declaration.parameter_range,
        values.shape_mismatch,
        declaration.docstring,
        declaration.light_import,
        declaration.names,
    )
}
"""Every check by its name; the first line of its docstring is the promise."""


def promise(check: str) -> str:
    """Return what a check promises to users, in one sentence."""
    return (CHECKS[check].__doc__ or "").partition("\n")[0]


def run_checks(
    distribution: str,
    *,
    expected_failures: Mapping[str, str] | None = None,
    registry: Registry | None = None,
) -> Iterator[Result]:
    """Yield the result of each check of each loss of a distribution, as it is found.

        failed = [r for r in run_checks("acme-losses") if r.state == "failed"]

    An expected failure that passes is a failure: the expectation is out of date.

    Args:
        distribution: The distribution that offers the losses.
        expected_failures: The reason for each: by check, for all losses, or by
            loss and check, such as `"focal-float16"`.
        registry: Where the losses are; by default all that is installed.

    Raises:
        ParameterError: There is no such distribution, loss or check.
        BrokenPluginError: The distribution is installed and broken.
    """
    suite = Suite(registry or installed(), distribution)
    reasons = _reasons(suite, expected_failures or {})
    for loss in suite.subjects:
        for check in CHECKS:
            yield _result(suite, loss, check, reasons.get(f"{loss}-{check}"))


def loss_checks(
    distribution: str, *, expected_failures: Mapping[str, str] | None = None
) -> Callable[[Any], Any]:
    """Parametrize a test with every check of every loss of a distribution.

    The test takes `check` and `spec`, and calls `check(spec)`. Collecting the tests imports no
    Keras; running the first one does.

    >>> @loss_checks("keras", expected_failures={"huber-float16": "A reason."})
    ... def test_conformance(check, spec):
    ...     check(spec)

    Args:
        distribution: The distribution that offers the losses.
        expected_failures: The reason for each: by check, for all losses, or by loss and
            check as in the test's id, such as `"focal-float16"`. An expected failure that
            passes fails the test.

    Raises:
        ParameterError: There is no such distribution, loss or check.
        BrokenPluginError: The distribution is installed and broken.
    """
    # Only those who test with it need pytest.
    import pytest

    suite = Suite(installed(), distribution)
    reasons = _reasons(suite, expected_failures or {})

    def run(spec: LossSpec, *, check: str) -> None:
        try:
            run_check(suite, spec.name, check)
        except NotApplicableError as error:
            # pytest lists the reasons of skipped tests.
            pytest.skip(str(error))

    cases = []
    for loss, subject in suite.subjects.items():
        for check in CHECKS:
            reason = reasons.get(f"{loss}-{check}")
            marks = []
            if reason is not None:
                # Strict, so that a failure that is mended comes off the list.
                marks = [pytest.mark.xfail(strict=True, raises=ConformanceError, reason=reason)]
            bound = functools.partial(run, check=check)
            cases.append(pytest.param(bound, subject.spec, id=f"{loss}-{check}", marks=marks))
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
        message, cause = f"It raised {type(error).__name__}: {message.strip()[:1000]}", error
    raise ConformanceError(
        f"{subject.entry.qualified_name} breaks a promise, {check}: {promise(check)}\n{message}"
    ) from cause


def _result(suite: Suite, loss: str, check: str, reason: str | None) -> Result:
    error = error_of(lambda: run_check(suite, loss, check))
    if isinstance(error, NotApplicableError):
        return Result(loss=loss, check=check, state="not applicable", message=str(error))
    if error is None and reason is not None:
        message = f"It passes, and was expected to fail: {reason} Take it off the list."
        return Result(loss=loss, check=check, state="failed", message=message)
    if error is None:
        return Result(loss=loss, check=check, state="passed")
    if reason is not None:
        return Result(loss=loss, check=check, state="expected failure", message=reason)
    return Result(loss=loss, check=check, state="failed", message=str(error))


def _reasons(suite: Suite, expected_failures: Mapping[str, str]) -> dict[str, str]:
    """Return the reason for each loss and check that is expected to fail."""
    each = {f"{loss}-{check}" for loss in suite.subjects for check in CHECKS}
    reasons = {}
    for name, reason in expected_failures.items():
        if name in CHECKS:
            reasons.update({f"{loss}-{name}": reason for loss in suite.subjects})
        elif name in each:
            reasons[name] = reason
        else:
            raise ParameterError(
                f"{name!r} in expected_failures is neither a check nor a loss and a check, such as "
                f"'{next(iter(suite.subjects))}-float16'.{did_you_mean(name, [*CHECKS, *each])}"
            )
    return reasons
