"""The conformance kit: what a plugin's losses promise, checked by running them.

In a plugin's tests:

    from lossreg.testing import loss_checks

    @loss_checks("acme-losses")
    def test_conformance(check, spec):
        check(spec)
"""

from .results import ConformanceError, Result
from .run import loss_checks, run_checks

__all__ = ["ConformanceError", "Result", "loss_checks", "run_checks"]
