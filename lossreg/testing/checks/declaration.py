"""What a loss's signature, documentation and names promise."""

import functools
import inspect
import re
from typing import Any

import numpy as np

from lossreg.errors import ParameterError
from lossreg.known import PACKAGES
from lossreg.lazy import keras
from lossreg.params import documented_arguments

from .. import choices
from ..imports import faults
from ..results import ConformanceError, NotApplicableError, broken, raised
from ..subject import Params, Subject


def unknown_parameter(subject: Subject) -> None:
    """A parameter that the loss hasn't is refused."""
    for name in {"no_such_parameter", "gama", "from_logit"} - _annotations(subject).keys():
        if not _refused(subject, {name: 1.0}):
            raise broken(
                at=f"{name}=1.0",
                expected="a ParameterError",
                got="a loss",
                advice="Declare each parameter by its name.",
            )


def parameter_type(subject: Subject) -> None:
    """A value of the wrong type is refused for every parameter."""
    known = 0
    for name, annotation in _annotations(subject).items():
        taken = choices.kinds(annotation)
        if annotation is Any and subject.entry.signature.is_function:
            raise broken(
                at=f"parameter {name!r}",
                expected="a type, such as Annotated[float, Ge(0)]",
                got="Any",
                advice="Write what the parameter takes, so that a mistake is found early.",
            )
        # A type of the author's own checks itself.
        if taken is None:
            continue
        known += 1
        for kind, value in choices.KINDS.items():
            if kind not in taken and not _refused(subject, {name: value}):
                raise broken(
                    at=f"{name}={value!r}",
                    expected=f"a ParameterError, since {name!r} is {annotation}",
                    got="a loss",
                    advice="Let no validator turn one type into another.",
                )
    if not known:
        raise NotApplicableError("it has no parameter with a type")


def parameter_range(subject: Subject) -> None:
    """A value outside its range is refused, and every one inside gives finite values."""
    members = [
        (name, member)
        for name, annotation in _annotations(subject).items()
        for member in choices.members(annotation)
        if choices.outside(member) or choices.edges(member)
    ]
    if not members:
        raise NotApplicableError("it has no parameter that is a number or a choice")
    _defaults_in_range(subject)
    for name, member in members:
        for value in choices.outside(member):
            if not _refused(subject, {name: value}):
                raise broken(
                    at=f"{name}={value!r}",
                    expected="a ParameterError, since it is outside the range",
                    got="a loss",
                    advice=f"Give {name!r} no alternative without a range.",
                )
        _finite_inside(subject, name, choices.edges(member))


def docstring(subject: Subject) -> None:
    """The documentation has a formula, Args, Returns and Source, and begins with the summary."""
    if not subject.entry.signature.is_function:
        raise NotApplicableError("it was written for Keras and keeps the documentation it has")
    doc = subject.entry.doc
    first = doc.partition("\n")[0]
    if first != subject.spec.summary:
        raise ConformanceError(
            f"Its docstring begins with {first!r}, and its spec says {subject.spec.summary!r}. "
            "Write one sentence in both."
        )
    description = re.split(r"^(?:Args|Returns|Source|Raises):$", doc, flags=re.MULTILINE)[0]
    # `code` with an operator or a call in it, over one line or several.
    missing = [] if re.search(r"`[^`]*[-+*/()][^`]*`", description) else ["a formula in `code`"]
    missing += [
        f"a section {section!r}"
        for section in ("Args:", "Returns:", "Source:")
        if not re.search(rf"^{section}\n +\S", doc, re.MULTILINE)
    ]
    arguments = documented_arguments(doc)
    parameters = [parameter.name for parameter in subject.entry.signature.parameters]
    missing += [
        f"{name!r} in Args" for name in ("y_true", "y_pred", *parameters) if name not in arguments
    ]
    if missing:
        raise ConformanceError(f"Its docstring lacks {', '.join(missing)}. Write it there.")


def light_import(subject: Subject) -> None:
    """Listing the plugin, and showing the loss, imports no Keras."""
    found = subject.suite.cached(faults)
    plugin = [module for module in subject.suite.modules if module in found]
    module = subject.spec.target.partition(":")[0]
    # A subclass of Keras' Loss can't be written without Keras.
    of_keras = inspect.isclass(subject.entry.target) and issubclass(
        subject.entry.target, keras.losses.Loss
    )
    for name in [*plugin, *([module] if module in found and not of_keras else [])]:
        raise broken(
            at=f"'import {name}' in a fresh process",
            expected="no import of a framework",
            got=found[name],
            advice="In a plugin module import lossreg only; in a loss module write "
            "'from lossreg.lazy import keras, ops'.",
        )


def names(subject: Subject) -> None:
    """Every name of the loss is legal, and means this loss and no other."""
    spec, own = subject.spec, subject.entry.provider.distribution
    for name in spec.names:
        for other in subject.suite.registry.explain(name).offers:
            if other.provider.distribution != own:
                raise ConformanceError(
                    f"Its name {name!r} is taken: {other.provider} offers "
                    f"{other.qualified_name!r}. Choose another; {subject.entry.qualified_name!r} "
                    "alone would mean this loss."
                )
        if PACKAGES.get(name, own) != own:
            raise ConformanceError(
                f"Its name {name!r} is known as a loss of {PACKAGES[name]!r}. Choose another."
            )


def _annotations(subject: Subject) -> dict[str, object]:
    return dict(subject.entry.signature.annotations)


def _refused(subject: Subject, params: Params) -> bool:
    required = {p.name for p in subject.entry.signature.parameters if p.required}
    base = {name: subject.defaults[name] for name in required}
    try:
        subject.entry.bind({**base, **params})
    except ParameterError:
        return True
    return False


def _defaults_in_range(subject: Subject) -> None:
    given = {p.name: p.default for p in subject.entry.signature.parameters if not p.required}
    try:
        subject.entry.bind({**subject.defaults, **given})
    except ParameterError as error:
        raise ConformanceError(
            f"A default is outside its own range, so that a saved loss can't be loaded: {error}"
        ) from error


def _finite_inside(subject: Subject, name: str, values: list[Any]) -> None:
    for value in values:
        try:
            params = subject.entry.bind({**subject.defaults, name: value}).params
        except ParameterError:
            continue
        error = raised(functools.partial(_finite, subject, params))
        # Where no input can be drawn, there are no values.
        if error is not None and not isinstance(error, NotApplicableError):
            raise broken(
                at=f"ordinary predictions and {name}={value!r}, which its range allows",
                expected="finite values",
                got=f"{type(error).__name__}: {error}",
                advice=f"Give {name!r} the range in which the formula has a value.",
            )


def _finite(subject: Subject, params: Params) -> None:
    values = subject.values(subject.case(params))
    wrong = values[~np.isfinite(values)]
    if wrong.size:
        raise FloatingPointError(f"{wrong[0]}")
