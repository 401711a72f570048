"""A loss: its name, spec, signature, parameters, shapes and labels.

Nothing here knows a registry or a config, or imports Keras or pydantic.
"""

from .bound import (
    BUILTIN,
    LOCAL,
    Bound,
    BoundLoss,
    BoundOutputs,
    BoundSum,
    Entry,
    Provider,
    WeightedLoss,
    keras_bases,
    value_function,
)
from .docstring import documented_arguments, paragraphs, parse_docstring, unit
from .labels import SUM_SLACK, check_labels, figure, find_mistakes, find_series_mistakes
from .names import (
    MAX_LENGTH,
    LossName,
    canonical,
    did_you_mean,
    is_canonical,
    key,
    normalize_distribution,
    parse,
    shown,
    suggest,
)
from .options import DTYPES, NAME, OPTIONS, REDUCTIONS, check_options, option_faults
from .shapes import align
from .signature import Parameter, Signature
from .spec import (
    LABELS,
    OUTPUTS,
    PROJECT,
    Hooks,
    Labels,
    LossSpec,
    Outputs,
    Task,
    hookimpl,
    is_target,
)
from .types import type_words
from .values import SIMPLE, is_finite, json_data, meant, plain
from .weights import align_mask, align_weights, values_shape, weight_fault
