"""What the built-in losses promise, and what Keras' own can't."""

from lossreg.testing import loss_checks

STEEP_FOCAL = (
    "Keras raises 1 - p_t to gamma, and below 1 that is infinitely steep at p_t = 1. "
    "`focal` in lossreg-focal is exact."
)
STEEP_POWER = "p**q is infinitely steep at p = 0, and Keras doesn't clip p."
OVERLAP = "An overlap of probabilities is as flat as the sigmoid or softmax that they come from."


@loss_checks(
    "keras",
    expected_failures={
        "binary_focal_crossentropy-finite_gradients": STEEP_FOCAL,
        "categorical_generalized_cross_entropy-finite_gradients": STEEP_POWER,
        "categorical_focal_crossentropy-saturated_model_learns": (
            "Keras clips the probabilities, from logits too. `categorical_focal` is exact."
        ),
        "categorical_generalized_cross_entropy-saturated_model_learns": (
            "It is meant to: what is wrong with certainty may be a wrong label."
        ),
        "kl_divergence-saturated_model_learns": "Keras clips the probabilities to 1e-7.",
        "dice-saturated_model_learns": OVERLAP,
        "tversky-saturated_model_learns": OVERLAP,
        "categorical_crossentropy-numerical_gradient": (
            "With label_smoothing and another axis than the last, Keras' labels don't sum to 1, "
            "and TensorFlow's gradient takes for granted that they do."
        ),
        "ctc-numerical_gradient": "TensorFlow computes CTC in float32.",
        "binary_focal_crossentropy-float16": STEEP_FOCAL,
        "categorical_generalized_cross_entropy-float16": STEEP_POWER,
    },
)
def test_conformance(check, spec):
    check(spec)
