"""The losses that tests of the core go through; each collection has its own tests for its own."""

from lossreg.registry import installed

FOCAL = ("focal", "categorical_focal", "sparse_focal")


def core_entries():
    """Return the entries of Keras' own losses, and of the first plugin's."""
    return [
        entry
        for entry in installed().entries()
        if entry.provider.is_builtin or entry.qualified_name.removeprefix("lossreg-focal/") in FOCAL
    ]
