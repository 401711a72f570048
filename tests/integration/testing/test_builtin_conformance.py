"""What the built-in losses promise; their specs say what Keras' own can't."""

from lossreg.testing import loss_checks


@loss_checks("keras")
def test_conformance(check, spec):
    check(spec)
