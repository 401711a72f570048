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
    from .experiment import (
        Compare,
        Data,
        Experiment,
        Fit,
        Parts,
        examine_experiment,
        experiment_schema,
        load_config,
        located,
        read_experiment,
    )


def __getattr__(name: str) -> Any:
    if name.startswith("_"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    late = "document" if name in ("Document", "load_document") else "experiment"
    return getattr(importlib.import_module(f".{late}", __name__), name)
