"""The `lossreg` command.

A command of a plugin may use the names below: it starts Keras, writes and ends as the core's do.
"""

from .backend import keras_needed, quiet_backend
from .command import main
from .output import INTERRUPTED, Unusable, console, in_columns, to_terminal, write, write_json
