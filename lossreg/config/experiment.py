"""A whole config: read, checked, its faults in plain words, and its JSON Schema.

This module imports pydantic.
"""

import functools
import operator
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import ValidationError

from ..errors import Fault
from ..errors import Path as KeyPath
from ..loss import did_you_mean, meant, shown, type_words
from ..registry import installed
from .binding import plain_data
from .document import Document, load_document
from .schema import definitions
from .sections import SECTIONS, Experiment, Parts, located


def read_experiment(config: "str | os.PathLike[str] | Mapping[str, Any]") -> Experiment:
    """Return the checked config of a file or a mapping.

    >>> read_experiment({"model": ["Dense(1)"], "compile": {"loss": "huber(2)"}}).compile.loss
    LossConfig({'name': 'keras/huber', 'params': {'delta': 2.0}})

    Raises:
        ConfigError: Names everything that can be found without Keras, with its place.
    """
    data, document = load_config(config)
    experiment, _, faults = examine_experiment(data, document)
    if experiment is None:
        raise located(faults, document)
    return experiment


def load_config(
    config: "str | os.PathLike[str] | Mapping[str, Any]",
) -> tuple[Any, Document | None]:
    """Return the unchecked data of a file or a mapping, and the file.

    Raises:
        ConfigError: The file can't be read.
    """
    if isinstance(config, str | os.PathLike):
        found = load_document(config)
        return found.data, found
    return plain_data(config), None


def examine_experiment(
    data: Any, document: Document | None, root: "str | os.PathLike[str] | None" = None
) -> tuple[Experiment | None, Parts, list[Fault]]:
    """Return the config that data hold, or None; its readable parts; and what is wrong.

    Args:
        data: The data of the config.
        document: The file that they were read from, if any.
        root: The folder that every file in the config must be in; by default any will do.
    """
    parts = Parts(folder=Path(document.source).parent if document else Path())
    if not isinstance(data, dict):
        keys = ", ".join(Experiment.model_fields)
        message = f"A config is a mapping with the keys {keys}, got {shown(data)}."
        return None, parts, [Fault(message=message)]
    if root is not None and (outside := [*_outside(data, parts.folder, Path(root))]):
        # Nothing of it is read.
        return None, parts, outside
    try:
        experiment = Experiment.model_validate(data, context=parts)
    except ValidationError as error:
        return None, parts, _faults(error, data)
    experiment._document, experiment._parts = document, parts
    return experiment, parts, []


def _outside(data: dict[str, Any], folder: Path, root: Path) -> Iterator[Fault]:
    """Yield a fault for each file of a config that isn't in a folder, links followed."""
    section = data.get("data")
    file = section.get("file") if isinstance(section, dict) else None
    compiled = data.get("compile")
    teacher = compiled.get("teacher") if isinstance(compiled, dict) else None
    for path, value in (
        (("model",), data.get("model")),
        (("data", "file"), file),
        (("compile", "teacher"), teacher),
    ):
        if not isinstance(value, str):
            continue
        try:
            is_inside = (folder / value).resolve().is_relative_to(root.resolve())
        except (OSError, RuntimeError, ValueError):
            # A circle of links, or a name that no file can have.
            is_inside = False
        if not is_inside:
            message = f"{shown(value)} isn't in the folder that files must be in. Name one there."
            yield Fault(path=path, message=message)


def _faults(error: ValidationError, data: Any) -> list[Fault]:
    """Return what pydantic found, in our words."""
    found: list[tuple[KeyPath, Fault]] = []
    for detail in error.errors(include_url=False):
        loc, context = tuple(detail["loc"]), detail.get("ctx", {})
        if detail["type"] == "lossreg":
            fault = Fault(path=loc, message=context["message"], at_key=context["at_key"])
            found.append((loc, fault))
        else:
            at = loc[: 1 + (loc[0] in SECTIONS and len(loc) > 1)]
            found.append((at, _fault(at, loc[len(at) :], detail["type"], detail["input"], data)))
    # Each type of a union reports a fault: the right one of an entry, the others of the whole.
    entries = {at for at, fault in found if len(fault.path) > len(at)}
    kept = [fault for at, fault in found if at not in entries or len(fault.path) > len(at)]
    return [*dict.fromkeys(kept)]


def _fault(at: KeyPath, within: KeyPath, kind: str, given: Any, data: Any) -> Fault:
    """Return one thing that pydantic found.

    Args:
        at: Where the key stands.
        within: What pydantic adds: the types of a union, and keys and indexes in the value.
        kind: What is wrong.
        given: What is there instead.
        data: The whole config.
    """
    section = SECTIONS[str(at[0])] if len(at) > 1 else Experiment
    name = str(at[-1])
    if kind == "invalid_key":
        return Fault(path=at, message=f"A key must be a string, got {shown(at[-1])}.", at_key=True)
    if kind == "extra_forbidden":
        known = section.model_fields
        near = did_you_mean(name, known) or _elsewhere(name)
        message = f"The key {shown(name)} isn't one of {', '.join(known)}.{near}"
        return Fault(path=at, message=message, at_key=True)
    field = section.model_fields[name]
    if kind == "missing":
        return Fault(path=at, message=f"{name!r} is missing: {field.description}.")
    if name in SECTIONS:
        kinds = f"a mapping with the keys {', '.join(SECTIONS[name].model_fields)}"
    else:
        ranged = type_words(Annotated[(field.annotation, *(field.metadata or [None]))])
        kinds = _ALLOWED.get(name, ranged)
    value: Any = functools.reduce(operator.getitem, at, data)
    path, got = at, f", got {shown(given)}."
    for part in within:
        keys = range(len(value)) if isinstance(value, list) else value
        if part in (keys if isinstance(value, dict | list) else ()):
            value, path = value[part], (*path, part)
            entry = part + 1 if isinstance(part, int) else repr(part)
            got = f"; its entry {entry} is {shown(given)}."
    advice = meant(given, kinds.replace("null", "None"))
    return Fault(path=path, message=f"{name!r} must be {kinds}{got}{advice}")


_ALLOWED = {
    "loss_weights": "null, a list of numbers, or a mapping from output names to numbers",
    "target": "a name, a list of names, or a mapping from output names to these",
    "features": "null, a name, a list of names, or a mapping from input names to these",
    "truth": "null, a name, a list of names, or a mapping from output names to these",
    "classes": "null, or a list of at least two strings or integers",
    "class_weight": "null, or a mapping from classes to numbers >= 0",
    "versions": "a mapping from names to strings",
}
"""What the values of several types may be, in words."""


def _elsewhere(name: str) -> str:
    """Return the section that a misplaced key belongs to."""
    found = [where for where, section in SECTIONS.items() if name in section.model_fields]
    return f" It belongs under {found[0]!r}." if found else ""


def experiment_schema() -> dict[str, Any]:
    """Return the JSON Schema of a config: of a model, or of another program with a loss."""
    whole = Experiment.model_json_schema()
    described = whole.pop("$defs")
    loss = {"$ref": "#/$defs/Loss"}
    described["Compile"]["properties"]["loss"] = loss
    described["Compare"]["properties"]["losses"]["anyOf"][1]["items"] = loss
    trainer = {
        "type": "object",
        "description": "The config of another program, whose `loss` is a loss.",
        "required": ["loss"],
        "properties": {"loss": loss, "model": False},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A config of lossreg",
        "anyOf": [{"$ref": "#/$defs/Experiment"}, trainer],
        "$defs": {**described, **definitions(installed()), "Experiment": whole},
    }
