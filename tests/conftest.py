import pytest
from fakes import KERAS, add, scaled, tuned

from lossreg import Registry


@pytest.fixture
def registry():
    """Two built-ins and two losses of a plugin, all of them fakes."""
    registry = Registry()
    add(registry, "mean_squared_error", provider=KERAS, aliases=("mse",))
    add(registry, "huber", scaled, provider=KERAS)
    add(registry, "focal", tuned, aliases=("binary_focal",))
    add(registry, "quartic")
    return registry
