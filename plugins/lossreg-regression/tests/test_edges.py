"""Every loss at the edges of what its ranges allow: a finite value and a finite gradient."""

import functools

import keras
import numpy as np
import pytest

from lossreg_regression import counts, crps, imbalance, likelihood, quantiles, relative, robust

# Outputs for each label.
ERRORS = [
    *(robust.smooth_l1, robust.charbonnier, robust.cauchy, robust.geman_mcclure, robust.welsch),
    *(robust.wing, robust.balanced_l1, quantiles.pinball, quantiles.quantile_huber),
    *(quantiles.expectile, relative.smape, imbalance.balanced_mse, imbalance.ghm_r),
    *(
        functools.partial(robust.general_robust, alpha=alpha)
        for alpha in (2.0, 1.9999, 1e-9, 0.0, -1e-9, -2.0, -1e12, -1e13)
    ),
]
DISTRIBUTIONS = {
    likelihood.gaussian_nll: 2,
    likelihood.beta_nll: 2,
    likelihood.laplace_nll: 2,
    likelihood.student_t_nll: 3,
    likelihood.mixture_density: 6,
    likelihood.evidential_regression: 4,
    counts.negative_binomial_nll: 2,
    counts.zero_inflated_poisson: 2,
    crps.crps_gaussian: 2,
    crps.crps_ensemble: 4,
}
AMOUNTS = [
    counts.gamma_deviance,
    *(
        functools.partial(counts.tweedie_deviance, power=power)
        for power in (0.0, 0.5, 1.0, 1.5, 1.999, 2.0, 3.0)
    ),
    relative.scale_invariant_log,
    functools.partial(relative.scale_invariant_log, root=True, variance_focus=1.0),
]

SIZES = (0.0, 1e-30, 1e-8, 1.0, 17.0, 90.0, 1e4, 1e6)
NUMBERS = np.array([sign * size for size in SIZES for sign in (1, -1)], "float32")


def check(run, loss, y_true, y_pred):
    values, gradient = run(loss, y_true, y_pred)
    assert np.isfinite(values).all()
    assert np.isfinite(gradient).all()


@pytest.mark.parametrize("loss", ERRORS)
def test_errors_of_every_size_are_finite(run, loss):
    y, p = (each.reshape(-1, 1) for each in np.meshgrid(NUMBERS, NUMBERS))
    check(run, loss, y, p)
    check(run, loss, p, p)


@pytest.mark.parametrize("loss", DISTRIBUTIONS, ids=lambda loss: loss.__name__)
def test_outputs_of_every_size_are_finite(run, loss):
    rng, count = np.random.default_rng(0), DISTRIBUTIONS[loss]
    # Each output of each size beside others of all sizes.
    outputs = np.concatenate(
        [rng.permuted(np.tile(NUMBERS, (count, 20)), axis=1).T, np.tile(NUMBERS, (count, 1)).T]
    )
    labels = rng.choice(NUMBERS, size=(len(outputs), 1))
    if loss.__module__.endswith("counts"):
        labels = np.round(np.abs(labels))
    check(run, loss, labels, outputs)


@pytest.mark.parametrize("loss", AMOUNTS)
def test_amounts_of_every_size_are_finite(run, loss):
    sizes = np.array(SIZES, "float32")
    y, p = (each.reshape(-1, 1) for each in np.meshgrid(sizes, sizes))
    check(run, loss, y, p)
    check(run, loss, p, p)


@pytest.mark.parametrize(
    "loss",
    [*ERRORS, *DISTRIBUTIONS, *AMOUNTS],
)
@pytest.mark.parametrize("dtype", ["float16", "int32"])
def test_narrow_labels_and_predictions_are_computed_in_float32(loss, dtype):
    count = DISTRIBUTIONS.get(loss, 1)
    y_true, y_pred = np.array([[1], [2]], dtype), np.ones((2, count), "float16")
    values = loss(y_true, y_pred)
    assert keras.backend.standardize_dtype(values.dtype) == "float32"
