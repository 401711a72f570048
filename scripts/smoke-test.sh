#!/usr/bin/env bash
# Install the wheels from dist/ in an empty environment outside the tree, and use them there.
# Usage: scripts/smoke-test.sh UV PYTHON
set -euo pipefail

uv=$(realpath "$1")
dist=$(realpath dist)
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"

"$uv" venv -q --python "$2" env
"$uv" pip install -q --python env "$dist"/*.whl "lossreg[tensorflow] @ file://$(echo "$dist"/lossreg-[0-9]*.whl)"
env/bin/lossreg --version
env/bin/lossreg list '*focal*' --plugin lossreg-focal
env/bin/lossreg new acme-losses
env/bin/python - <<'PYTHON'
import pathlib

import lossreg

# The wheels themselves, not the tree that they were built from.
assert pathlib.Path(lossreg.__file__).is_relative_to(pathlib.Path.cwd() / "env")
assert pathlib.Path(lossreg.__file__).with_name("py.typed").exists()

import keras

model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
model.compile("sgd", lossreg.get_loss("sparse_focal", gamma=1.5, from_logits=True))
model.fit(keras.ops.ones((6, 2)), keras.ops.arange(6) % 3, verbose=0)
model.save("model.keras")
assert keras.models.load_model("model.keras").loss.params["gamma"] == 1.5
print("The wheels work.")
PYTHON
