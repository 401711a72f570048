"""What every loss promises its users, checked by lossreg's own kit."""

from lossreg.testing import loss_checks


@loss_checks("lossreg-memory")
def test_conformance(check, spec):
    check(spec)
