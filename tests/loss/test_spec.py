import pytest
from fakes import spec

from lossreg import LossSpec
from lossreg.errors import SpecError


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": "FocalLoss"}, "name must be lower snake case without 'loss', such as 'log_cosh'"),
        ({"name": "focal_loss"}, "name must be lower snake case"),
        ({"name": "two words"}, "name must be lower snake case"),
        ({"name": ""}, "name must be lower snake case"),
        ({"name": 3}, "name must be a string of at most 300 characters, got 3"),
        ({"summary": "Two\nlines."}, "summary must be one line"),
        ({"summary": " "}, "summary must be one line"),
        (
            {"task": "binary"},
            r"task must be a tuple of strings, such as \('binary',\), got 'binary'",
        ),
        ({"task": ()}, "task must be one or more of 'regression', 'binary'"),
        ({"task": ("binry",)}, "task must be one or more of 'regression', 'binary'"),
        ({"y_true": "onehot"}, "y_true must be one or more of 'real'"),
        ({"y_pred": "logit"}, "y_pred must be one of 'real'"),
        ({"y_true": ("one_hot", "real")}, "y_true may hold several kinds only as in"),
        ({"y_true": "boxes"}, "y_pred must be 'boxes' with y_true='boxes'"),
        ({"y_pred": "views"}, "y_true must be one of 'none', 'integer' with y_pred='views'"),
        ({"per": "image"}, "per must be one of 'position', 'sample', 'entry', 'batch'"),
        ({"bounded": 1}, "bounded must be True or False, got 1"),
        ({"example": "draw"}, "example must read 'package.module:attribute'"),
        ({"head": "Dense"}, "head must read 'package.module:attribute'"),
        ({"exceptions": {"float16": ""}}, "exceptions must map checks of the kit to reasons"),
        ({"saved_as": "Addons>X"}, "saved_as must be a tuple of strings"),
        ({"axis": 1}, "axis must be the name of a parameter, or None"),
        ({"rules": ("low",)}, "a rule must compare parameters, such as 'low < high'"),
        ({"rules": ("low < open('x')",)}, "a rule must compare parameters"),
        ({"couples_batch": "yes"}, "couples_batch must be True or False, got 'yes'"),
        ({"couples_batch": 1}, "couples_batch must be True or False, got 1"),
        ({"aliases": "mse"}, "aliases must be a tuple of strings"),
        ({"aliases": ("MSE",)}, "aliases must be lower snake case"),
        ({"aliases": ("a_b", "ab")}, "aliases must differ from each other and from the name"),
        ({"aliases": ("fa_ke",)}, "aliases must differ from each other and from the name"),
    ],
)
def test_a_field_that_breaks_its_rule_is_named(fields, message):
    with pytest.raises(SpecError, match=message):
        spec(**{"name": "fake", **fields})


@pytest.mark.parametrize(
    "target", ["os.system", "os:", ":system", "os:system()", "a b:c", "../x:y", "os:system:x", ""]
)
def test_a_target_names_a_module_and_an_attribute(target):
    with pytest.raises(SpecError, match=r"target must read 'package.module:attribute'"):
        LossSpec(
            name="fake", target=target, summary="A.", task=("binary",), y_true="real", y_pred="real"
        )


@pytest.mark.parametrize(
    ("fields", "y_pred", "expected"),
    [
        pytest.param({}, (4, 3, 5), (4, 3), id="a position has no classes"),
        pytest.param({"per": "sample"}, (4, 3, 5), (4,), id="a sample"),
        pytest.param({"per": "entry"}, (4, 3, 5), (4, 3, 5), id="an entry"),
        pytest.param({"per": "batch"}, (4, 3, 5), (), id="the batch"),
        pytest.param({"y_true": "sequence", "y_pred": "logits"}, (4, 9, 5), (4,), id="a series"),
        pytest.param({"y_true": "none", "y_pred": "views"}, (4, 2, 5), (4,), id="two views"),
    ],
)
def test_the_spec_says_which_shape_values_have(fields, y_pred, expected):
    assert spec("fake", **fields).shape_of_values({}, y_pred) == expected


@pytest.mark.parametrize(
    ("axis", "expected"), [(1, (4, 5)), ((1, 2), (4,)), (None, ()), (-1, (4, 3))]
)
def test_a_parameter_that_names_axes_decides_the_shape(axis, expected):
    named = spec("fake", axis="over")
    assert named.shape_of_values({"over": axis, "axis": 0}, (4, 3, 5)) == expected
    # A parameter of this name may mean something else.
    assert spec("fake", axis=None).shape_of_values({"axis": axis}, (4, 3, 5)) == (4, 3)
