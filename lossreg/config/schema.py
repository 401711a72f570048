"""The JSON Schema of a loss in a config: every loss of a registry, its parameters and ranges."""

import functools
from collections.abc import Mapping, Sequence
from typing import Any

from ..loss import DTYPES, NAME, REDUCTIONS, SCHEDULES, Entry, prepare_pydantic, pydantic_type
from ..registry import Registry, installed, without_frameworks
from .foreign import CLASSES, HYDRA_TARGET, MODULES, OF_KERAS

Schema = dict[str, Any]

# A name in another spelling than that of `lossreg list`: with a capital or a dash in the loss, or
# with a distribution in another spelling of PyPI's. `lossreg validate` knows which loss it means.
_OTHER_SPELLING = r"^([^/]+/)?[^/]*[A-Z-][^/]*$|^[^/]*[A-Z._][^/]*/[^/]+$"
# A class such as KLDivergence or CTC, whose capitals can't be told from the name of the loss.
_OTHER_CLASS = "^[A-Z]{2}"


def _reference(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name.replace('/', '~1')}"}


def _mapping(more: Mapping[str, Schema]) -> Schema:
    """Return the schema of `{name, params}` with more keys."""
    return {
        "allOf": [_reference("LossTerm")],
        "type": "object",
        "properties": {"name": True, "params": True, **more},
        "additionalProperties": False,
    }


_SCHEDULE: Schema = {
    "type": "string",
    "description": "A number that changes during training, such as linear(0, 1, epochs=10).",
    "pattern": rf"^\s*({'|'.join(SCHEDULES)})\(",
}
_WEIGHT: Schema = {
    "weight": {
        "anyOf": [{"type": "number"}, _SCHEDULE],
        "description": "What the loss is multiplied by.",
    },
    "field": {
        "type": ["string", "null"],
        "description": "The one of several label tensors that the loss takes.",
    },
}
_OPTIONS: Schema = {"options": {**_reference("LossOptions"), "unevaluatedProperties": False}}
_STRING: Schema = {
    "anyOf": [
        _reference("LossName"),
        {
            "type": "string",
            "description": "A call or a sum, such as dice + 0.5 * focal(gamma=2).",
            "pattern": r"[()+*'\"]",
        },
    ]
}
_TERMS: Schema = {
    "type": "array",
    "description": "Losses to add.",
    "minItems": 1,
    "items": {"anyOf": [_STRING, _mapping(_WEIGHT)]},
}
_FIXED: dict[str, Schema] = {
    "Loss": {
        "description": "What training minimizes.",
        "anyOf": [
            _reference("OneLoss"),
            {
                "type": "object",
                "description": "A loss for each output of the model.",
                "required": ["outputs"],
                "properties": {
                    "outputs": {
                        "type": "object",
                        "minProperties": 1,
                        "additionalProperties": {
                            "anyOf": [
                                _reference("OneLoss"),
                                _mapping({**_OPTIONS, **_WEIGHT}),
                                {"type": "null"},
                            ]
                        },
                    }
                },
                "additionalProperties": False,
            },
        ],
    },
    "OneLoss": {
        "anyOf": [
            _STRING,
            _mapping(_OPTIONS),
            _TERMS,
            {
                "type": "object",
                "description": "Losses to add, with Keras' options for all.",
                "required": ["sum"],
                "properties": {"sum": _TERMS, **_OPTIONS},
                "additionalProperties": False,
            },
            _reference("KerasLoss"),
            {
                "type": "object",
                "description": "A call for Hydra.",
                "required": ["_target_", "_args_"],
                "properties": {
                    "_target_": {"const": HYDRA_TARGET},
                    "_args_": {"type": "array", "minItems": 1, "maxItems": 1},
                },
            },
        ]
    },
    "LossName": {
        "anyOf": [
            _reference("ListedName"),
            {"type": "string", "pattern": _OTHER_SPELLING},
        ]
    },
    "LossOptions": {
        "type": "object",
        "description": "What Keras takes for every loss.",
        "properties": {
            "name": {"type": ["string", "null"], "pattern": f"^{NAME}$"},
            "reduction": {"enum": [*REDUCTIONS, None]},
            "dtype": {"enum": [*DTYPES, None]},
        },
    },
}


def definitions(registry: Registry) -> dict[str, Schema]:
    """Return the `$defs` that `{"$ref": "#/$defs/Loss"}` needs.

    Each loss has two of its own: `LossNames/keras/huber`, every name of it, and
    `LossParameters/keras/huber`.

    Args:
        registry: The losses.
    """
    read = {entry: _parameters(entry) for entry in registry.entries()}
    described = {entry: schema for entry, schema in read.items() if schema is not None}
    entries = list(described)
    return {
        **_FIXED,
        "LossTerm": {
            "type": "object",
            "description": "A loss by name, with its parameters.",
            "required": ["name"],
            "properties": {"name": _reference("LossName"), "params": {"type": "object"}},
            "allOf": [
                _term(entry, required="required" in schema) for entry, schema in described.items()
            ],
        },
        "KerasLoss": _keras_loss(entries),
        "ListedName": {"anyOf": [_names_reference(entry) for entry in entries]},
        **{f"LossNames/{entry.qualified_name}": _names(registry, entry) for entry in entries},
        **{f"LossParameters/{entry.qualified_name}": schema for entry, schema in described.items()},
    }


def inlined_schema() -> Schema:
    """Return the schema of a loss without references, to stand anywhere in another.

    It is shorter: names are any string, and only a loss that stands alone has its parameters
    described, since each of the other places would repeat them all.
    """
    known = {**definitions(installed()), "LossName": {"type": "string"}}

    def resolved(value: Any) -> Any:
        if isinstance(value, list):
            return [resolved(entry) for entry in value]
        if not isinstance(value, dict):
            return value
        beside = {key: resolved(entry) for key, entry in value.items() if key != "$ref"}
        if "$ref" not in value:
            return beside
        name = value["$ref"].removeprefix("#/$defs/").replace("~1", "/")
        found = {**resolved(known[name]), **beside}
        if name in ("LossTerm", "KerasLoss"):
            known[name] = {"type": "object", "required": known[name]["required"]}
        return found

    return resolved(known["Loss"])  # type: ignore[no-any-return]  # a mapping stays one


def _term(entry: Entry, *, required: bool) -> Schema:
    """Return what the parameters of a loss may be, where it is named."""
    parameters = _reference(f"LossParameters/{entry.qualified_name}")
    then: Schema = {"properties": {"params": {**parameters, "unevaluatedProperties": False}}}
    if required:
        then["required"] = ["params"]
    return {"if": _named("name", entry), "then": then}


def _named(key: str, entry: Entry) -> Schema:
    return {"properties": {key: _names_reference(entry)}, "required": [key]}


def _names_reference(entry: Entry) -> Schema:
    return _reference(f"LossNames/{entry.qualified_name}")


def _keras_loss(entries: Sequence[Entry]) -> Schema:
    """Return what `class_name` and `config` may be, where Keras wrote them."""
    branches = []
    for entry in entries:
        parameters = _reference(f"LossParameters/{entry.qualified_name}")
        config = {"allOf": [parameters, _reference("LossOptions")], "unevaluatedProperties": False}
        branches.append(
            {"if": _named("class_name", entry), "then": {"properties": {"config": config}}}
        )
    return {
        "type": "object",
        "description": "What keras.losses.serialize returns.",
        "required": ["class_name"],
        "properties": {**{key: {} for key in OF_KERAS}, "module": {"enum": list(MODULES)}},
        "additionalProperties": False,
        "anyOf": [
            {
                "properties": {
                    "class_name": {"const": "function"},
                    "config": _reference("LossName"),
                },
                "required": ["config"],
            },
            # Our own classes, which name their losses within.
            {"properties": {"class_name": {"pattern": f"^(lossreg>)?({'|'.join(CLASSES)})$"}}},
            {
                "properties": {
                    "class_name": {"anyOf": [_reference("ListedName"), {"pattern": _OTHER_CLASS}]},
                    "config": {"type": "object"},
                },
                "allOf": branches,
            },
        ],
    }


def _names(registry: Registry, entry: Entry) -> Schema:
    """Return the names of a loss, as `lossreg list` writes them, and its class in Keras."""
    class_name = "".join(word.capitalize() for word in entry.spec.name.split("_"))
    plain = [*entry.spec.names, class_name]
    names = [name for name in plain if registry.explain(name).chosen is entry]
    names += [f"{entry.provider.distribution}/{name}" for name in entry.spec.names]
    return {"enum": names, "description": entry.spec.summary}


def _or_schedule(schema: Schema) -> Schema:
    """Return what a value may be where a number may also change during training."""
    kinds = [schema, *schema.get("anyOf", ())]
    if not any(kind.get("type") == "number" for kind in kinds):
        return dict(schema)
    alternatives = schema.get("anyOf", [schema])
    return {"anyOf": [*alternatives, _SCHEDULE]}


_OPEN: Schema = {"type": "object", "additionalProperties": True}


def _parameters(entry: Entry) -> Schema | None:
    """Return what each parameter of a loss may be, or None if that can't be read.

    `lossreg doctor` names those, and the losses whose modules import Keras: reading these would
    take seconds, and so their parameters stay open.
    """
    # Only a schema and a first check need pydantic.
    from pydantic_core import to_jsonable_python

    described, required = {}, []
    with without_frameworks() as imports:
        try:
            for parameter in entry.signature.parameters:
                found = _or_schedule(_type_schema(entry.signature.annotations[parameter.name]))
                if parameter.required:
                    required.append(parameter.name)
                else:
                    # That of a factory may be any object.
                    found["default"] = to_jsonable_python(parameter.default, fallback=repr)
                if parameter.doc:
                    found["description"] = parameter.doc
                described[parameter.name] = found
        except Exception:  # a type may be any object, whose code may raise anything
            return _OPEN if imports.refused else None
    more = {"required": required} if required else {}
    return {"type": "object", "properties": described, **more}


@functools.lru_cache(maxsize=512)
def _type_schema(annotation: Any) -> Schema:
    """Return what a value of a type may be. Losses share most of their types."""
    from pydantic import TypeAdapter

    prepare_pydantic()
    return TypeAdapter(pydantic_type(annotation)).json_schema()
