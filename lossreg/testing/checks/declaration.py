"""What a loss's signature, documentation and names promise."""

import functools
import inspect
import re
from typing import Any

import numpy as np

from ...errors import ParameterError
from ...loss import (
    NO_WEIGHTS,
    documented_arguments,
    find_variable,
    keras_bases,
    parse_docstring,
    range_of,
    union_members,
)
from ...registry import known_packages
from .. import choices
from ..imports import find_faults
from ..results import ConformanceError, NotApplicableError, error_of
from ..subject import Params, Subject


def usable(subject: Subject) -> None:
    """The loss can be built with its parameters, and gives values for an ordinary input."""
    if subject.broken is not None:
        raise subject.broken


def no_variables(subject: Subject) -> None:
    """The loss holds no weights, which nothing would train."""
    held = find_variable(subject.entry.target)
    if held is not None:
        raise ConformanceError(f"It holds weights, in {held!r}. {NO_WEIGHTS}")


def unknown_parameter(subject: Subject) -> None:
    """A parameter that the loss doesn't have is refused."""
    known = subject.entry.signature.annotations.keys()
    for name in {"no_such_parameter", "gama", "from_logit"} - known:
        if not _refuses(subject, {name: 1.0}):
            raise ConformanceError.at(
                f"{name}=1.0",
                expected="a ParameterError",
                got="a loss",
                advice="Declare each parameter by its name.",
            )


def parameter_type(subject: Subject) -> None:
    """A value of the wrong type is refused for every parameter."""
    known = 0
    for name, annotation in subject.entry.signature.annotations.items():
        taken = choices.kinds(annotation)
        if annotation is Any and subject.entry.signature.is_function:
            raise ConformanceError.at(
                f"parameter {name!r}",
                expected="a type, such as Annotated[float, Ge(0)]",
                got="Any",
                advice="Write what the parameter takes, so that a mistake is found early.",
            )
        # A class of the author's own checks its values itself.
        if taken is None:
            continue
        known += 1
        for kind, value in choices.KINDS.items():
            if kind not in taken and not _refuses(subject, {name: value}):
                raise ConformanceError.at(
                    f"{name}={value!r}",
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
        for name, annotation in subject.entry.signature.annotations.items()
        for member in union_members(annotation)
        if choices.values_outside(member) or choices.edges(member)
    ]
    if not members:
        raise NotApplicableError("it has no parameter that is a number or a choice")
    _check_defaults(subject)
    for name, member in members:
        for value in choices.values_outside(member):
            if not _refuses(subject, {name: value}):
                raise ConformanceError.at(
                    f"{name}={value!r}",
                    expected="a ParameterError, since it is outside the range",
                    got="a loss",
                    advice=f"Give {name!r} no alternative without a range.",
                )
        _check_inside(subject, name, member)


def docstring(subject: Subject) -> None:
    """The documentation has a formula, Args, Returns and Source, and begins with the summary."""
    if not subject.entry.signature.is_function:
        raise NotApplicableError("it was written for Keras and keeps its documentation")
    doc, spec = parse_docstring(subject.entry.doc), subject.spec
    faults = []
    if doc.summary != spec.summary:
        begins = f"begins with {doc.summary!r}" if doc.summary else "is empty"
        faults.append(
            f"Its docstring {begins}, and the summary in its spec is {spec.summary!r}. Write one "
            "sentence in both."
        )
    description = f"{doc.text} {doc.sections.get('Formula', '')}"
    # `code` with an operator or a call in it, over one line or several.
    missing = [] if re.search(r"`[^`]*[-+*/()][^`]*`", description) else ["a formula in `code`"]
    missing += [
        f"a section '{section}:'"
        for section in ("Args", "Returns", "Source")
        if section not in doc.sections
    ]
    arguments = documented_arguments(subject.entry.doc)
    parameters = [parameter.name for parameter in subject.entry.signature.parameters]
    missing += [
        f"{name!r} in Args" for name in ("y_true", "y_pred", *parameters) if name not in arguments
    ]
    if missing:
        them = "them" if len(missing) > 1 else "it"
        faults.append(f"Its docstring lacks {', '.join(missing)}. Write {them} there.")
    if faults:
        raise ConformanceError("\n".join(faults))


def light_import(subject: Subject) -> None:
    """Listing the plugin, and showing the loss, imports no Keras."""
    found = subject.suite.remember(find_faults)
    plugin = [module for module in subject.suite.modules if module in found]
    target, module = subject.entry.target, subject.spec.target.partition(":")[0]
    # A subclass of Keras' Loss can't be written without Keras.
    light = not (inspect.isclass(target) and "Loss" in keras_bases(target))
    for name in [*plugin, *([module] if module in found and light else [])]:
        raise ConformanceError.at(
            f"'import {name}' in a fresh process",
            expected="no import of a framework",
            got=found[name],
            advice="In a plugin module import lossreg only. In a loss module write "
            "'from lossreg.lazy import keras, ops'.",
        )


def names(subject: Subject) -> None:
    """Every name of the loss is legal, and means this loss and no other."""
    spec, own = subject.spec, subject.entry.provider.distribution
    if subject.entry.provider.is_builtin:
        # Whatever other packages offer, its names mean it.
        return
    for name in spec.names:
        for other in subject.suite.registry.explain(name).offers:
            if other.provider.distribution != own:
                raise ConformanceError(
                    f"Its name {name!r} is taken: {other.provider} offers "
                    f"{other.qualified_name!r}. Choose another; {subject.entry.qualified_name!r} "
                    "alone would mean this loss."
                )
        known = known_packages(name)
        if known and own not in known:
            raise ConformanceError(
                f"Its name {name!r} is known as a loss of {known[0]!r}. Choose another."
            )


def _refuses(subject: Subject, params: Params) -> bool:
    required = {p.name for p in subject.entry.signature.parameters if p.required}
    base = {name: subject.defaults[name] for name in required}
    try:
        subject.bind({**base, **params})
    except ParameterError:
        return True
    return False


def _check_defaults(subject: Subject) -> None:
    given = {p.name: p.default for p in subject.entry.signature.parameters if not p.required}
    try:
        subject.bind({**subject.defaults, **given})
    except ParameterError as error:
        raise ConformanceError(
            f"A default is outside its own range, so that a saved loss can't be loaded: {error}"
        ) from error


def _check_inside(subject: Subject, name: str, member: Any) -> None:
    for value in choices.edges(member):
        error = _fault_of(subject, {name: value})
        if error is None or _lacks(subject, name, member, value):
            continue
        raise ConformanceError.at(
            f"ordinary predictions and {name}={value!r}, which its range allows",
            expected="finite values",
            got=f"{type(error).__name__}: {error}",
            advice=f"Give {name!r} the range in which the formula has a value.",
        )


def _lacks(subject: Subject, name: str, member: Any, value: Any) -> bool:
    """Return whether the input, and not the formula, has no use for a legal integer.

    An axis may not exist. A number of classes may be too small for the input, and is so at its
    neighbour too.
    """
    if type(value) is not int:
        return False
    further = value + (1 if value == choices.whole_ends(range_of(member))[0] else -1)
    return name == subject.spec.axis or _fault_of(subject, {name: further}) is not None


def _fault_of(subject: Subject, params: Params) -> Exception | None:
    """Return why the loss has no finite values with legal parameters, or None."""
    try:
        params = subject.bind({**subject.defaults, **params}).params
    except ParameterError:
        return None
    error = error_of(functools.partial(_check_finite, subject, params))
    # Where no input can be drawn, there are no values.
    return None if isinstance(error, NotApplicableError) else error


def _check_finite(subject: Subject, params: Params) -> None:
    values = subject.values(subject.case(params))
    wrong = values[~np.isfinite(values)]
    if wrong.size:
        raise FloatingPointError(f"{wrong[0]}")
