"""What holds for all tests, those of the plugins too."""

from hypothesis import HealthCheck, settings

# A deadline counts the time that other programs take, and fails where nothing is wrong.
settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")


def pytest_itemcollected(item):
    """Refuse a name with an address in it: two processes would not share the tests."""
    assert " at 0x" not in item.nodeid, f"Give the test ids that are alike in all: {item.nodeid}"
