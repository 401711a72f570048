import pytest

from lossreg import ConfigError
from lossreg.config import Part, read_part, read_parts


@pytest.mark.parametrize(
    ("value", "part"),
    [
        ("relu", Part(name="relu")),
        ("max_norm(2, axis=0)", Part(name="max_norm", args=(2,), kwargs={"axis": 0})),
        (
            {"Dense": {"units": 64}},
            Part(name="Dense", kwargs={"units": 64}, kwargs_at=("Dense",)),
        ),
        ({"Flatten": None}, Part(name="Flatten", kwargs_at=("Flatten",))),
        (
            {"name": "Dense", "params": {"units": 64}},
            Part(name="Dense", kwargs={"units": 64}, kwargs_at=("params",)),
        ),
        (
            {"module": "keras.layers", "class_name": "Dense", "config": {"units": 64}},
            Part(name="Dense", kwargs={"units": 64}, kwargs_at=("config",), module="keras.layers"),
        ),
    ],
)
def test_every_form_of_a_part_is_read(value, part):
    assert read_part(value) == part


def test_a_part_knows_where_it_and_its_arguments_stand():
    part = read_part({"Dense": {"units": 64}}, ("model", 2))
    assert part.path == ("model", 2)
    assert part.kwargs_at == ("model", 2, "Dense")
    text = read_part("relu", ("compile", "metrics", 0))
    assert (text.path, text.kwargs_at) == (("compile", "metrics", 0), None)


@pytest.mark.parametrize(
    ("value", "path", "message"),
    [
        (3, (), "3 isn't a part of a model. Give a name, such as 'Flatten', 'adam'"),
        ({}, (), "{} isn't a part"),
        (["Dense"], (), "isn't a part"),
        ({"Dense": {}, "units": 64}, (), "One part has one name, got 'Dense', 'units'."),
        (
            {"Dense": 64},
            ("Dense",),
            "The arguments of 'Dense' must be a mapping from names to values, got 64.",
        ),
        ({"name": 3}, (), "A name must be a string, got 3."),
        (
            {"name": "Dense", "units": 64},
            ("units",),
            "The key 'units' isn't one of name, params. If it is a parameter, put it into params: "
            "{name: Dense, params: {units: 64}}",
        ),
        (
            {"class_name": "Dense", "confg": {}},
            ("confg",),
            "isn't one of class_name, config, module, registered_name, build_config. Did you mean",
        ),
        ("l1(0.1) + l2(0.1)", (), "is a sum, and only losses can be added."),
        ("0.5 * l2", (), "is a sum"),
        ("l2(0.01", (), "can't be read"),
        ("__import__('os').system('true')", (), "isn't allowed"),
        ("Lambda", (), "A config can't have 'Lambda': it runs a function. Build that model"),
        ("lambda_('x')", (), "A config can't have 'lambda_'"),
        (
            {"TFSMLayer": {"filepath": "x"}},
            (),
            "A config can't have 'TFSMLayer': it runs a program that TensorFlow saved.",
        ),
        ({"class_name": "TorchModuleWrapper", "config": {}}, (), "it runs a module of PyTorch"),
    ],
)
def test_what_is_no_part_is_told_where_and_why(value, path, message):
    with pytest.raises(ConfigError) as caught:
        read_part(value)
    [fault] = caught.value.faults
    assert message in fault.message
    assert fault.path == path


def test_of_a_list_each_part_that_can_be_read_is():
    nested = {"Dense": {"kernel_regularizer": "l2("}}
    found, faults = read_parts(["relu", 3, nested, "Lambda"], ("model",))
    assert [part and part.name for part in found] == ["relu", None, "Dense", None]
    assert [fault.path for fault in faults] == [
        ("model", 1),
        ("model", 2, "Dense", "kernel_regularizer"),
        ("model", 3),
    ]


def test_the_advice_on_a_part_has_an_example_of_each_kind():
    with pytest.raises(ConfigError, match="'Flatten', 'adam' or 'AUC'"):
        read_part(3)
