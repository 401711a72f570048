"""Losses as others write them: Keras' serialized form, our own saved form, Hydra's call.

Each is data: the module or target in it is compared, and never imported.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..errors import Path
from ..loss import OPTIONS, BoundLoss, BoundSum, shown
from .terms import LossTerms, Reading, Term, is_mapping_of_names

HYDRA_TARGET = "lossreg.get_loss"
"""What a Hydra config calls for a loss."""

CLASSES = ("RegisteredLoss", "RegisteredSum", "RegisteredFunction")
"""The names under which Keras knows our classes."""

# The modules that Keras writes for its own losses and for ours.
MODULES = (None, "builtins", "keras", "keras.losses", "lossreg.keras_loss", "lossreg.keras_sum")

OF_KERAS = ("class_name", "config", "module", "registered_name", "shared_object_id")
"""The keys that Keras 3.12 to 3.15.1 write; the last one where two outputs share a loss."""

# Hydra's own keys that are allowed here: the others change what Hydra makes of a call.
_OF_HYDRA = ("_target_", "_args_", "_convert_", "_recursive_")

_SAVED = ("loss", "version", "params")


def read_keras(reading: Reading, config: Mapping[str, Any], at: Path) -> LossTerms:
    """Return the loss in a mapping that Keras wrote."""
    reading.check_keys(config, at, OF_KERAS)
    name, inner, inner_at = config["class_name"], config.get("config", {}), (*at, "config")
    name_at = (*at, "class_name")
    if name == "function":
        # Keras writes a function as {"class_name": "function", "config": "huber"}.
        name, inner, name_at = inner, {}, inner_at
    if not isinstance(name, str) or not is_mapping_of_names(inner):
        reading.add_fault(at, "'class_name' must be a string, and 'config' a mapping.")
        return LossTerms(terms=())
    if config.get("module") not in MODULES:
        reading.add_fault(
            (*at, "module"),
            f"A config can't name code: module {config['module']!r} is neither Keras nor "
            f"lossreg. Register {name!r} with lossreg.register, or install the package that "
            "offers it, and give its name.",
        )
    params = {key: value for key, value in inner.items() if key not in OPTIONS}
    options = {key: value for key, value in inner.items() if key in OPTIONS}
    reading.read_options(options, inner_at)
    if name.removeprefix("lossreg>") in CLASSES:
        return LossTerms(terms=read_saved(reading, params, inner_at), options=options)
    term = Term(name=name, params=params, name_at=name_at, params_at=inner_at)
    return LossTerms(terms=(term,), options=options)


def read_hydra(
    reading: Reading,
    config: Mapping[str, Any],
    at: Path,
    read_loss: Callable[[Any, Path], LossTerms],
) -> LossTerms:
    """Return the loss that Hydra would make by calling `get_loss` with what `read_loss` reads."""
    args, args_at = config.get("_args_", ()), (*at, "_args_")
    if config["_target_"] != HYDRA_TARGET:
        rule = f"'_target_' may be {HYDRA_TARGET!r} and nothing else."
        reading.add_fault((*at, "_target_"), f"A config can't name code: {rule}")
    given = {name: value for name, value in config.items() if name not in _OF_HYDRA}
    if isinstance(args, str) or not isinstance(args, Sequence) or len(args) != 1:
        reading.add_fault(args_at, "'_args_' must be a list with the loss, such as [focal].")
    elif isinstance(args[0], Mapping) and "_target_" in args[0]:
        reading.add_fault((*args_at, 0), "A loss needs one call: give its name and parameters.")
    elif not is_mapping_of_names(given):
        names = shown(list(given))
        reading.add_fault(at, f"The keys beside '_args_' must be names of parameters, got {names}.")
    else:
        loss = read_loss(args[0], (*args_at, 0))
        params = {name: value for name, value in given.items() if name not in OPTIONS}
        options = reading.read_options({key: given[key] for key in given.keys() - params}, at)
        terms = loss.terms
        if params and len(terms) == 1 and terms[0].weight == 1:
            merged = {**terms[0].params, **params}
            terms = (replace(terms[0], params=merged, params_at=at),)
        elif params and terms:
            reading.add_fault(at, f"A sum takes no parameters, got {', '.join(params)}.")
        return LossTerms(terms=terms, options={**loss.options, **options})
    return LossTerms(terms=())


def read_saved(reading: Reading, config: Mapping[str, Any], at: Path) -> tuple[Term, ...]:
    """Return the terms of a loss that `saved_form` wrote."""
    if "sum" not in config:
        reading.check_keys(config, at, _SAVED)
        return reading.read_term(config, at, "loss")

    def read_entry(entry: Any, at: Path) -> tuple[Term, ...]:
        if not isinstance(entry, Mapping) or "weight" not in entry:
            reading.add_fault(at, f"A saved term has a 'loss' and a 'weight', got {shown(entry)}.")
            return ()
        reading.check_keys(entry, at, (*_SAVED, "weight", "field"))
        return reading.read_term(entry, at, "loss")

    reading.check_keys(config, at, ("sum",))
    return reading.read_list(config["sum"], (*at, "sum"), read_entry)


def saved_form(bound: BoundLoss | BoundSum) -> dict[str, Any]:
    """Return what a saved model keeps of a loss beside Keras' options; `read_saved` reads it."""
    form: dict[str, Any] = _FORMS[type(bound)](bound)
    return form


def _saved_loss(loss: BoundLoss) -> dict[str, Any]:
    return {
        "loss": loss.qualified_name,
        # For the error where the package is missing.
        "version": loss.provider.version,
        "params": loss.data(),
    }


def _saved_sum(loss: BoundSum) -> dict[str, Any]:
    return {"sum": [{"weight": term.weight, **_saved_loss(term.loss)} for term in loss.terms]}


_FORMS: dict[type, Any] = {BoundLoss: _saved_loss, BoundSum: _saved_sum}
