"""How far numbers may be apart in the checks; `docs/accuracy.md` has the same table.

They allow the losses of any package a digit more than lossreg's own tests allow, since they look
for mistakes, which are larger.
"""

VALUE = 1e-4
"""Of a value in float32, to that of another program: in another order, compiled or weighted."""

SAME = 1e-5
"""Of a value in float32, to what the same program gave: saved and loaded, or for other dtypes."""

NEAR_ZERO = 1e-6
"""An absolute number for both, for a value whose terms cancel."""

RESUMED = 1e-6
"""Of a state or a prediction after training that was interrupted, and as an absolute number."""

LARGEST = 1e-5
"""Of the largest number, of one in a compiled gradient: there terms cancel as a rule."""

SLOPE = 1e-5
"""Of the slope that all entries can have together, in float64: a difference has no more digits."""

SLOPE_NEAR_ZERO = 1e-7
"""The same as an absolute number."""

PULL = 1e-3
"""Of the gradient of a small mistake, which that of a large one must reach."""

BFLOAT16 = 0.05
"""Of a value in bfloat16, which has between two and three digits."""
