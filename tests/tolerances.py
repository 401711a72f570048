"""How far numbers may be apart in tests: the promises of `docs/accuracy.md`, which has the reasons.

The last digits differ between processors, so no test asks for more. `==` is right where every
number is exact in float32, and where the same program runs twice in one process.
"""

FLOAT32 = 1e-5
"""Of a number that float32 computes, to the exact one: 160 roundings of 6e-8."""

CANCELLATION = 3e-7
"""Of the largest term, where terms cancel: five roundings of it, whatever is left."""

FOCAL = 1e-9
"""Absolute, for `focal` on logits: a value may lose its last digits once it is this small."""

EACH_OTHER = 2 * FLOAT32
"""Of two numbers that float32 computes: each may be off by `FLOAT32`, to either side."""

SECOND_DERIVATIVE = 1e-4
"""Of the derivative of a gradient: deriving what is rounded costs a digit."""

TRAINED = 1e-4
"""Of what training has changed: every step builds on the rounding of the steps before it."""

BY_DTYPE = {"float64": 1e-12, "float32": FLOAT32, "float16": 2**-11, "bfloat16": 2**-8}
"""Of a value in each dtype. The half types round once, what float32 has computed."""
