"""The JSON Schema of a whole config."""

from typing import Any

from . import loss_schema
from .experiment import Experiment

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_LOSS = {"$ref": "#/$defs/Loss"}


def schema() -> dict[str, Any]:
    """Return the schema of a config: of a model, or of a trainer's own with a loss."""
    whole = Experiment.model_json_schema()
    definitions = whole.pop("$defs")
    # By reference, since an inlined loss would hold all losses once more in every place.
    definitions["Compile"]["properties"]["loss"] = _LOSS
    trainer = {
        "type": "object",
        "description": "The config of another program, whose `loss` is a loss.",
        "required": ["loss"],
        "properties": {"loss": _LOSS, "model": False},
    }
    return {
        "$schema": _DIALECT,
        "title": "A config of lossreg",
        "anyOf": [{"$ref": "#/$defs/Experiment"}, trainer],
        "$defs": {**definitions, **loss_schema.definitions(), "Experiment": whole},
    }
