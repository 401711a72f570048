"""Which losses are curves follows from the words of their specs."""

import pytest
from fakes import ACME, plain, spec

from lossreg.explorer.scene import NoCurveError, scene_of
from lossreg.loss import Entry


def scene(**fields):
    described = spec("fake", **fields)
    return scene_of(Entry(spec=described, provider=ACME, load=lambda: plain))


@pytest.mark.parametrize(
    ("fields", "kind", "group"),
    [
        pytest.param({}, "error", "error", id="regression"),
        pytest.param(
            {"y_true": "count", "y_pred": "positive"}, "prediction", "prediction", id="counts"
        ),
        pytest.param(
            {"task": ("binary",), "y_true": "binary", "y_pred": "probabilities"},
            "logit",
            "class",
            id="yes or no",
        ),
        pytest.param(
            {"task": ("multiclass",), "y_true": ("one_hot", "integer"), "y_pred": "logits"},
            "gap",
            "class",
            id="one of several",
        ),
        pytest.param(
            {"task": ("binary",), "y_true": "sign", "y_pred": "real"},
            "score",
            "class",
            id="a margin",
        ),
        pytest.param(
            {"task": ("ordinal",), "y_true": "ordered", "y_pred": "cumulative_logits"},
            "ordinal",
            "ordinal",
            id="ordered",
        ),
        pytest.param(
            {
                "task": ("metric_learning",),
                "y_true": "binary",
                "y_pred": "distances",
                "per": "entry",
            },
            "distance",
            "distance",
            id="a distance",
        ),
        pytest.param(
            {"task": ("multiclass",), "y_true": "integer", "y_pred": "cosines"},
            "cosine",
            "cosine",
            id="cosines",
        ),
    ],
)
def test_a_loss_of_one_prediction_is_a_curve(fields, kind, group):
    found = scene(**fields)
    assert (found.kind, found.group) == (kind, group)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        pytest.param({"couples_batch": True}, "depends on the other samples", id="coupled"),
        pytest.param({"per": "batch"}, "one value for a whole batch", id="a batch"),
        pytest.param(
            {"task": ("detection",), "y_true": "boxes", "y_pred": "boxes"},
            "takes boxes",
            id="boxes",
        ),
        pytest.param({"task": ("metric_learning",)}, "compares vectors", id="vectors"),
        pytest.param(
            {"task": ("sequence",), "y_true": "sequence", "y_pred": "logits"},
            "its labels are a series",
            id="a series",
        ),
    ],
)
def test_a_loss_that_is_no_curve_says_why(fields, reason):
    with pytest.raises(NoCurveError, match=reason):
        scene(**fields)
