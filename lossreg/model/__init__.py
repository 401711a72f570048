"""A config as a compiled Keras model: `build_model`.

It makes only what Keras exports, and imports nothing that a config names.
"""

from .arguments import Kind, arguments
from .build import build, build_data, build_model
from .keras_errors import collected, refused_by_keras
from .keras_parts import make, metric
