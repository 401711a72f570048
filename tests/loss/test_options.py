import pytest

from lossreg import ParameterError
from lossreg.loss import option_faults


@pytest.mark.parametrize("name", ["my_loss", "MyLoss-2", "0", ".x", "a>b", "a.b", None])
def test_a_name_that_keras_takes_is_allowed(name):
    assert option_faults({"name": name}) == {}


@pytest.mark.parametrize(
    "name",
    [
        "my loss",
        "a/b",
        "损失",
        "",
        "_x",
        "-x",
        "a:0",
        "a\\b",
        "a\n",
        "é",
        "a" + "b " * 3,
        3,
        True,
        ["a"],
    ],
)
def test_a_name_that_fails_in_a_graph_is_refused(name):
    fault = option_faults({"name": name})["name"]
    assert fault.startswith("'name' must be None or a string of letters, digits and")
    assert repr(name) in fault


def test_a_name_is_checked_where_a_loss_gets_its_options(registry):
    bound = registry.bind("focal")
    assert bound.with_options({"name": "my_loss"}).options == {"name": "my_loss"}
    with pytest.raises(ParameterError, match="Loss 'focal': 'name' must be .* got 'my loss'"):
        bound.with_options({"name": "my loss"})
