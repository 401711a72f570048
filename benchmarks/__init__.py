"""Ratios against Keras and against the limits, each measured in one run."""
