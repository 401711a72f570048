"""The JSON Schema of a loss in a config: every installed loss, its parameters and ranges."""

from collections.abc import Mapping
from typing import Any

from . import discovery, names
from .config import HYDRA_TARGET, MODULES, OF_KERAS
from .entry import Entry
from .errors import LossregError
from .options import DTYPES, REDUCTIONS
from .registry import Registry

Schema = dict[str, Any]

_NAME = "#/$defs/LossName"
_TERM = "#/$defs/LossTerm"
_ONE = "#/$defs/OneLoss"


def definitions() -> dict[str, Schema]:
    """Return the `$defs` that `{"$ref": "#/$defs/Loss"}` needs."""
    registry = discovery.installed()
    entries = [entry for entry in registry.entries() if _works(entry)]
    text: Schema = {
        "anyOf": [
            {"$ref": _NAME},
            {
                "type": "string",
                "description": "A call or a sum, such as dice + 0.5 * focal(gamma=2).",
                "pattern": r"[()+*'\"]",
            },
        ]
    }
    weight: Schema = {"type": "number", "description": "What the loss is multiplied by."}
    terms: Schema = {
        "type": "array",
        "minItems": 1,
        "items": {"anyOf": [text, _mapping({"$ref": _TERM}, {"weight": weight})]},
    }
    options: Schema = {"options": {"$ref": "#/$defs/LossOptions"}}
    one: Schema = {
        "anyOf": [
            text,
            _mapping({"$ref": _TERM}, options),
            {**terms, "description": "Losses to add."},
            {
                "type": "object",
                "description": "Losses to add, with Keras' options for all.",
                "required": ["sum"],
                "properties": {"sum": terms, **options},
                "additionalProperties": False,
            },
            {"$ref": "#/$defs/KerasLoss"},
            {
                "type": "object",
                "description": "What Hydra calls.",
                "required": ["_target_", "_args_"],
                "properties": {
                    "_target_": {"const": HYDRA_TARGET},
                    "_args_": {"type": "array", "minItems": 1, "maxItems": 1},
                },
            },
        ]
    }
    output: Schema = {
        "anyOf": [
            {"$ref": _ONE},
            _mapping({"$ref": _TERM}, {**options, "weight": weight}),
            {"type": "null"},
        ]
    }
    outputs: Schema = {
        "type": "object",
        "description": "A loss for each output of the model.",
        "required": ["outputs"],
        "properties": {
            "outputs": {"type": "object", "minProperties": 1, "additionalProperties": output}
        },
        "additionalProperties": False,
    }
    return {
        "Loss": {"anyOf": [{"$ref": _ONE}, outputs], "description": "What training minimizes."},
        "OneLoss": one,
        "LossTerm": _term(registry, entries),
        "KerasLoss": _keras(registry, entries),
        "LossName": _name(registry, entries),
        "LossOptions": _options(),
    }


def inlined() -> Schema:
    """Return the schema of a loss without references, to stand anywhere in another.

    It is shorter: names are any text, and only a loss that stands alone has its parameters
    described, since each of the other places would repeat them all.
    """
    known = {**definitions(), "LossName": {"type": "string"}}

    def resolved(value: Any) -> Any:
        if isinstance(value, Mapping):
            if "$ref" not in value:
                return {key: resolved(entry) for key, entry in value.items()}
            name = value["$ref"].rpartition("/")[2]
            found = resolved(known[name])
            if name == "LossTerm":
                known[name] = {"type": "object", "required": ["name"]}
            if name == "KerasLoss":
                known[name] = {"type": "object", "required": ["class_name"]}
            return found
        return [resolved(entry) for entry in value] if isinstance(value, list) else value

    return resolved(known["Loss"])  # type: ignore[no-any-return]  # a mapping stays one


def _works(entry: Entry) -> bool:
    """Return whether a loss has parameters that can be read; `lossreg doctor` names the others."""
    try:
        return bool(entry.signature.model)
    except (LossregError, ImportError, AttributeError):
        return False


def _mapping(term: Schema, more: dict[str, Schema]) -> Schema:
    """Return the schema of `{name, params}`, with other keys beside them."""
    properties = {"name": True, "params": True, **more}
    return {
        "allOf": [term],
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
    }


def _term(registry: Registry, entries: list[Entry]) -> Schema:
    """Return what `name` and `params` may be: the parameters depend on the name."""
    return {
        "type": "object",
        "description": "A loss by name, with its parameters.",
        "required": ["name"],
        "properties": {"name": {"$ref": _NAME}, "params": {"type": "object"}},
        "allOf": _branches(registry, entries, "name", "params", {}),
    }


def _keras(registry: Registry, entries: list[Entry]) -> Schema:
    """Return what `class_name` and `config` may be, where Keras wrote them."""
    branches = _branches(registry, entries, "class_name", "config", _options()["properties"])
    return {
        "type": "object",
        "description": "What keras.losses.serialize returns.",
        "required": ["class_name"],
        "properties": {**{key: {} for key in OF_KERAS}, "module": {"enum": list(MODULES)}},
        "additionalProperties": False,
        "anyOf": [
            {
                "properties": {"class_name": {"const": "function"}, "config": {"$ref": _NAME}},
                "required": ["config"],
            },
            # Of our own class, which names its loss within.
            {"properties": {"class_name": {"pattern": "^(lossreg>)?Registered(Loss|Sum)$"}}},
            {
                "properties": {"class_name": {"$ref": _NAME}, "config": {"type": "object"}},
                "allOf": branches,
            },
        ],
    }


def _branches(
    registry: Registry, entries: list[Entry], name: str, params: str, more: dict[str, Schema]
) -> list[Schema]:
    """Return for each loss what its parameters may be, where it is named."""
    branches = []
    for entry in entries:
        spelled = {"anyOf": [{"pattern": pattern} for pattern in _spellings(registry, entry)]}
        required = [p.name for p in entry.signature.parameters if p.required]
        taken: Schema = {
            "type": "object",
            "properties": {**_parameters(entry), **more},
            "required": required,
            "additionalProperties": False,
        }
        then: Schema = {"properties": {params: taken}}
        if required:
            then["required"] = [params]
        named = {"properties": {name: {"type": "string", **spelled}}, "required": [name]}
        branches.append({"if": named, "then": then})
    return branches


def _parameters(entry: Entry) -> dict[str, Schema]:
    properties: dict[str, Schema] = entry.signature.model.model_json_schema()["properties"]
    described = {}
    for parameter in entry.signature.parameters:
        # pydantic makes a title of the name, which tells nothing.
        schema = {key: value for key, value in properties[parameter.name].items() if key != "title"}
        described[parameter.name] = (
            {**schema, "description": parameter.doc} if parameter.doc else schema
        )
    return described


def _name(registry: Registry, entries: list[Entry]) -> Schema:
    """Return the names of all losses, each with its summary, and their other spellings."""
    names_: list[Schema] = []
    patterns: list[Schema] = []
    for entry in entries:
        said = entry.spec.summary
        names_ += [{"const": name, "description": said} for name in _meant(registry, entry)]
        patterns += [{"pattern": pattern} for pattern in _spellings(registry, entry)]
    return {"type": "string", "anyOf": [*names_, *patterns]}


def _meant(registry: Registry, entry: Entry) -> list[str]:
    """Return the names that mean this loss and no other."""
    plain = [name for name in entry.spec.names if registry.explain(name).chosen is entry]
    return [*plain, entry.qualified_name]


def _spellings(registry: Registry, entry: Entry) -> list[str]:
    """Return patterns for every spelling of the names that mean this loss."""
    plain = [name for name in _meant(registry, entry) if "/" not in name]
    patterns = [f"^{_folded(name)}$" for name in plain]
    words = [_any_case(word) for word in entry.provider.distribution.split("-")]
    distribution = "[-_.]+".join(words)
    return [
        *patterns,
        *(f"^{distribution}/{_folded(name)}$" for name in entry.spec.names),
    ]


def _folded(name: str) -> str:
    """Return a pattern for what `names.canonical` folds to a name."""
    letters = [_any_case(letter) for letter in names.key(name)]
    return "[-_]*".join(letters) + "(?:[-_]+(?:loss|Loss|LOSS)|Loss)?"


def _any_case(word: str) -> str:
    # JSON Schema's patterns have no flag for it.
    return "".join(f"[{c}{c.upper()}]" if c.isalpha() else c for c in word)


def _options() -> Schema:
    return {
        "type": "object",
        "description": "What Keras takes for every loss.",
        "properties": {
            "name": {"type": ["string", "null"]},
            "reduction": {"enum": [*REDUCTIONS, None]},
            "dtype": {"enum": [*DTYPES, None]},
        },
        "additionalProperties": False,
    }
