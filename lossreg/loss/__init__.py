"""A loss: its name, spec, signature, parameters, shapes and labels.

Nothing here knows a registry or a config, or imports Keras or pydantic.
"""

from .arrays import as_array
from .bound import Bound, BoundLoss, BoundOutputs, BoundSum, Entry, WeightedLoss
from .docstring import documented_arguments, paragraphs, parse_docstring, unit
from .fields import flat_terms, main_field
from .function import add_values, check_plain, checked, make, value_function, values_of
from .kinds import LABELS, OUTPUTS, Labels, Outputs, Per, Task
from .labels import (
    SUM_SLACK,
    check_labels,
    figure,
    find_mistakes,
    find_series_mistakes,
    number_of_classes,
)
from .memory import Fields, Memory, Needs, State
from .names import (
    MAX_LENGTH,
    LossName,
    ask_for,
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
from .provider import BUILTIN, LOCAL, Provider
from .pydantic_plugins import prepare_pydantic
from .ranges import Range, plain_type, range_of, union_members
from .schedule import SCHEDULES, Schedule, make_schedule
from .shapes import align, form_of
from .signature import Parameter, Signature
from .spec import PROJECT, Hooks, LossSpec, hookimpl, is_target
from .types import LossFunction, pydantic_type, type_words
from .values import SIMPLE, is_finite, json_data, meant, plain
from .variables import NO_WEIGHTS, find_variable, keras_bases
from .weights import align_mask, align_weights, values_shape, weight_fault
