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
        ({"name": 3}, "name must be a string, got 3"),
        ({"summary": "Two\nlines."}, "summary must be one line"),
        ({"summary": " "}, "summary must be one line"),
        (
            {"task": "binary"},
            r"task must be a tuple of strings, such as \('binary',\), got 'binary'",
        ),
        ({"task": ()}, "task must be one or more of 'regression', 'binary'"),
        ({"task": ("binry",)}, "task must be one or more of 'regression', 'binary'"),
        ({"y_true": "onehot"}, "y_true must be one of 'real'"),
        ({"y_pred": "logit"}, "y_pred must be one of 'real'"),
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
