"""Losses with memory: `python -m benchmarks.memory [--quick]`, on any backend.

A training step with and without memory, and on JAX the temporary memory and the time of the fused
cross-entropy, beside that of all logits at once. Medians of runs in turn.
"""

import argparse
import functools
import os
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from .ratios import table, times

MIB = 2**20


def steps(runs: int) -> list[list[str]]:
    """Return how long a training step takes with memory, by one without."""
    import keras
    import numpy as np

    import lossreg

    x = np.random.default_rng(0).normal(size=(4096, 64)).astype("float32")
    y = (x[:, :8] > 1).astype("float32")

    def model() -> Any:
        layers = [keras.layers.Dense(512, "relu"), keras.layers.Dense(512, "relu")]
        return keras.Sequential([keras.Input((64,)), *layers, keras.layers.Dense(8)])

    plain = model()
    is_same = lossreg.compile(plain, "adam", loss="ghm_c(from_logits=True)") is plain
    models = {
        "without": plain,
        "with": lossreg.compile(model(), "adam", loss="ghm_c(momentum=0.75, from_logits=True)"),
    }
    fits = {
        name: functools.partial(each.fit, x, y, batch_size=256, epochs=3, verbose=0)
        for name, each in models.items()
    }
    taken = times(fits, runs)
    ratio = taken["with"] / taken["without"]
    backend = keras.backend.backend()
    same = "1.00" if is_same else "another model"
    return [
        [f"a step of a loss without memory / Model.compile, {backend}", same, "1.00", ""],
        [f"a step of ghm_c with momentum / without, {backend}", f"{ratio:.2f}", "<= 1.15", ""],
    ]


def fused(tokens: int, dimensions: int, classes: int, runs: int) -> list[list[str]]:
    """Return the memory of the fused cross-entropy, and its time by that of all logits at once.

    Args:
        tokens: How many tokens a batch has.
        dimensions: How many numbers each has before the last layer.
        classes: The size of the vocabulary.
        runs: How often both are timed; 0 for the memory alone, where the other doesn't fit.
    """
    import jax
    import jax.numpy as jnp
    import numpy as np

    from lossreg_memory.fused import fused_linear_crossentropy

    def in_chunks(h: Any, kernel: Any, bias: Any, y: Any, shares: Any) -> Any:
        return fused_linear_crossentropy(y, h, kernel, bias, shares)

    def at_once(h: Any, kernel: Any, bias: Any, y: Any, shares: Any) -> Any:
        x = h @ kernel + bias
        true = jnp.take_along_axis(x, y[:, None], axis=1)[:, 0]
        return jnp.sum(shares * (jax.nn.logsumexp(x, axis=-1) - true))

    shapes = [
        jax.ShapeDtypeStruct(shape, dtype)
        for shape, dtype in (
            ((tokens, dimensions), "float32"),
            ((dimensions, classes), "float32"),
            ((classes,), "float32"),
            ((tokens,), "int32"),
            ((tokens,), "float32"),
        )
    ]
    ways = {
        name: jax.jit(jax.value_and_grad(way, argnums=(0, 1, 2))).lower(*shapes).compile()
        for name, way in (("fused", in_chunks), ("full", at_once))
        if name == "fused" or runs
    }
    size = f"{tokens:,} x {dimensions} x {classes:,}"
    # The gradients of the kernel and of the tokens, and one chunk of logits.
    least = 4 * (dimensions * classes + tokens * dimensions + 2**22)
    temporary = {name: way.memory_analysis().temp_size_in_bytes for name, way in ways.items()}
    beside = f"; {temporary['full'] / MIB:,.0f} MiB at once" if runs else ""
    rows = [
        [
            f"fused, {size}: {temporary['fused'] / MIB:,.0f} MiB{beside}; / the least",
            f"{temporary['fused'] / least:.2f}",
            "<= 1.3",
            "",
        ]
    ]
    if not runs:
        return rows
    random = np.random.default_rng(0)
    arrays = [jnp.asarray(random.normal(size=s.shape) / 8, "float32") for s in shapes[:3]]
    arrays += [jnp.asarray(random.integers(classes, size=tokens), "int32")]
    arrays += [jnp.full(tokens, 1 / tokens, "float32")]

    def run(way: Any) -> None:
        jax.block_until_ready(way(*arrays))

    taken = times({name: functools.partial(run, way) for name, way in ways.items()}, runs)
    ratio = taken["fused"] / taken["full"]
    return [*rows, [f"fused, {size}: time / all logits at once", f"{ratio:.2f}", "<= 1.2", ""]]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer runs")
    runs = 3 if parser.parse_args().quick else 7
    import keras

    rows = steps(runs)
    if keras.backend.backend() == "jax":
        rows += fused(2048, 256, 32000, runs)
        rows += fused(2048, 512, 32000, runs)
        rows += fused(8192, 512, 128_000, 0)
    print(table(["what", "measured", "must", "aim"], rows))


if __name__ == "__main__":
    main()
