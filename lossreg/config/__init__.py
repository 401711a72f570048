"""A string, a file or a mapping as checked data: losses, models and training.

Nothing here imports Keras or what a config names. pydantic and the readers of files are
imported by what needs them: a whole config, a schema, a file.
"""

import importlib
from typing import TYPE_CHECKING, Any

from .binding import (
    LossConfig,
    bind,
    bind_in,
    bind_parameter,
    bind_saved,
    examine,
    plain_data,
    portable_config,
    to_config,
)
from .expression import LONGEST, Call, is_expression
from .expression import parse as parse_expression
from .foreign import saved_form
from .part import FILES, REFUSED, Part, read_part, read_parts

if TYPE_CHECKING:
    from .document import Document, load_document
    from .experiment import examine_experiment, experiment_schema, load_config, read_experiment
    from .sections import Compare, Data, Experiment, Fit, Parts, located

# Where a name is that isn't imported at first, if it isn't a section of a config.
_HOMES = {
    **dict.fromkeys(("Document", "load_document"), "document"),
    **dict.fromkeys(
        ("examine_experiment", "experiment_schema", "load_config", "read_experiment"), "experiment"
    ),
}


def __getattr__(name: str) -> Any:
    if name.startswith("_"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = _HOMES.get(name, "sections")
    return getattr(importlib.import_module(f".{home}", __name__), name)
