"""What the tests that train share: a quiet TensorFlow."""

import os

# Before anything imports TensorFlow, which reads it once.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
