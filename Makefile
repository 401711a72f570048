# Needs Python 3.11 to 3.13, make and a package index; everything else is installed into
# folders that git ignores. `make help` lists the targets.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
UV := .tools/bin/uv
RUN := .venv/bin/python

# uv doesn't read pip's settings; a machine whose index is set there has it set here too.
ifneq ($(PIP_INDEX_URL),)
export UV_DEFAULT_INDEX ?= $(PIP_INDEX_URL)
endif
export UV_PYTHON_DOWNLOADS := never
# Copies work on every file system, and the same environment is made twice.
export UV_LINK_MODE := copy
export TF_CPP_MIN_LOG_LEVEL := 3

PROJECTS := pyproject.toml $(wildcard plugins/*/pyproject.toml)
PLUGINS := $(patsubst %,-e %,$(wildcard plugins/*))
KERAS_TESTS := tests/integration plugins/lossreg-focal plugins/lossreg-train
# The collections, whose losses are checked on each backend by `make test-collections`.
COLLECTIONS := $(filter-out plugins/lossreg-focal plugins/lossreg-train,$(wildcard plugins/*))
# Each of its checks takes seconds on JAX.
KIT := plugins/lossreg-focal/tests/test_conformance.py
# No more than two processes, since with Keras each imports its backend; the tests of a file stay together.
TWICE := -n 2 --dist loadfile
ON_JAX := test_any_backend.py test_numerics.py test_builtin_extremes.py test_check_data.py test_model_files.py test_objective.py test_memory.py test_memory_page.py test_memory_tools.py test_label_forms.py test_saved_names.py

# `make demo SHORT=1` takes under two minutes.
DEMO := $(if $(SHORT),--folds 2 --repeats 1 --epochs 3 --learning-rate fixed)

.PHONY: help demo proof test check docs docs-test pages bench fuzz fuzz-jax fuzz-torch siege wheels test-core test-keras test-slow test-collections test-oldest test-jax test-jax-collections test-torch format clean

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-21s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: .venv/made  ## compare losses on imbalanced data, and train a model from a config
	$(RUN) -m lossreg compare examples/compare_losses.yaml --workers 2 -o build/compare_losses $(DEMO)
	$(RUN) -m lossreg validate --build examples/*.yaml
	$(RUN) -m lossreg fit examples/digits.yaml -o build/digits --force
	$(RUN) -m lossreg objective examples/digits.yaml --model build/digits/model.keras

# On JAX, which takes an eighth of the time that TensorFlow takes for an epoch of networks as small.
proof: .venv-jax/made  ## tables of papers, measured again for docs/proof.md, in about ten minutes
	KERAS_BACKEND=jax .venv-jax/bin/python -m examples.proof

test: test-core test-keras  ## the tests of the core, of lossreg-focal and of lossreg-train

test-core: .venv/made  ## the tests that need no Keras, in seconds
	$(RUN) -m pytest -q tests --ignore tests/integration --ignore tests/browser -m "not fresh" $(TWICE)

test-keras: .venv/made  ## the tests on TensorFlow
	$(RUN) -m pytest -q $(KERAS_TESTS) -m "not fresh and not slow" $(TWICE)

test-slow: .venv/made  ## their tests that train for minutes, or start processes of their own
	$(RUN) -m pytest -q tests --ignore tests/browser $(filter plugins/%,$(KERAS_TESTS)) -m "fresh or slow" $(TWICE)

test-collections: .venv/made  ## the collections on TensorFlow; ONLY=usable for one check of each loss
	$(RUN) -m pytest -q $(COLLECTIONS) $(TWICE) $(if $(ONLY),-k "$(ONLY)")

check: .venv/made  ## ruff, mypy and import-linter
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports --no-logo

format: .venv/made  ## rewrite the files as `make check` wants them
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

docs: .venv/made  ## the site, with a page for each loss, into docs/_build/html
	$(RUN) -m sphinx -q -W -b html docs docs/_build/html
	LOSSREG_SITE=docs/_build/html $(RUN) -m pytest -q tests/test_site.py

pages: .venv/made  ## what is generated and committed: tables, the list of losses, pictures, translated code
	$(RUN) docs/generate.py

docs-test: .venv/made  ## the loss explorer in a real browser, the system's Chromium; pictures in build/explorer
	@command -v chromium >/dev/null || { echo "This needs Chromium. Install it: apt-get install -y chromium" >&2; exit 1; }
	$(RUN) -m pytest -q -s tests/browser

bench: .venv/made .venv-jax/made  ## speed and memory as ratios to Keras and to the limits
	$(RUN) -m benchmarks.core
	$(RUN) -m benchmarks.focal
	$(RUN) -m benchmarks.memory
	KERAS_BACKEND=jax .venv-jax/bin/python -m benchmarks.memory
	$(RUN) -m benchmarks.collections
	$(RUN) -m benchmarks.kit
	KERAS_BACKEND=jax .venv-jax/bin/python -m benchmarks.kit
	$(RUN) -m benchmarks.comparing

fuzz: .venv/made  ## 20,000 random and broken configs, and as many arrays through every loss
	LOSSREG_FUZZ=20000 $(RUN) -m pytest -q tests/config/test_fuzz.py tests/config/test_expression.py tests/integration/test_fuzz_shapes.py

fuzz-jax: .venv-jax/made  ## the arrays on JAX, which compiles each shape anew
	LOSSREG_FUZZ=20000 KERAS_BACKEND=jax .venv-jax/bin/python -m pytest -q tests/integration/test_fuzz_shapes.py

fuzz-torch: .venv-torch/made  ## the arrays on torch
	LOSSREG_FUZZ=20000 KERAS_BACKEND=torch .venv-torch/bin/python -m pytest -q tests/integration/test_fuzz_shapes.py

siege: .venv/made  ## half an hour of attacks: every shape, the fuzz, and a long storm of threads
	LOSSREG_STORM=600 $(RUN) -m pytest -q tests/hostile tests/integration/test_hostile_models.py plugins/lossreg-train/tests/test_limits.py plugins/lossreg-train/tests/test_run_folder.py
	$(MAKE) fuzz

wheels: .venv/made  ## build every package, install the wheels elsewhere and try them there
	rm -rf dist
	$(UV) build -q --all-packages --wheel --out-dir dist
	bash scripts/smoke-test.sh $(UV) "$(PYTHON)"

test-oldest: .venv-oldest/made  ## the Keras tests on the oldest Keras that lossreg supports
	.venv-oldest/bin/python -m pytest -q $(filter-out plugins/lossreg-focal,$(KERAS_TESTS)) --ignore tests/integration/testing -m "not fresh and not slow" $(TWICE)

test-jax: .venv-jax/made  ## focal losses, saving, objectives, data checks and training on JAX
	KERAS_BACKEND=jax .venv-jax/bin/python -m pytest -q $(TWICE) plugins/lossreg-focal --ignore $(KIT) $(addprefix tests/integration/,$(ON_JAX)) -m "not fresh and not slow"

test-jax-collections: .venv-jax/made  ## every collection of losses on JAX
	KERAS_BACKEND=jax .venv-jax/bin/python -m pytest -q $(TWICE) $(COLLECTIONS) $(KIT) -m "not fresh"

test-torch: .venv-torch/made  ## the same losses on torch, which takes 5.8 GB
	KERAS_BACKEND=torch .venv-torch/bin/python -m pytest -q $(TWICE) plugins/lossreg-focal $(COLLECTIONS) $(addprefix tests/integration/,test_any_backend.py test_memory.py test_memory_page.py test_memory_tools.py test_label_forms.py) -m "not fresh"

clean:  ## remove everything that git ignores
	git clean -qfdX

$(UV):
	$(PYTHON) -c 'import sys; v = sys.version_info[:2]; (3, 11) <= v < (3, 14) or sys.exit(f"lossreg needs Python 3.11 to 3.13 (TensorFlow has no wheel for others), and this is {v[0]}.{v[1]}. Name another: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv .tools
	.tools/bin/python -m pip install -q --disable-pip-version-check 'uv>=0.9,<0.14'

.venv/made: $(UV) $(PROJECTS)
	$(UV) sync -q --python "$(PYTHON)" --compile-bytecode
	touch $@

.venv-oldest/made: $(UV) $(PROJECTS)
	$(UV) venv -q --clear --python "$(PYTHON)" .venv-oldest
	$(UV) pip install -q --python .venv-oldest --group test -e '.[plot]' $(PLUGINS) 'keras==3.12.*' 'tensorflow>=2.20'
	touch $@

.venv-torch/made: $(UV) $(PROJECTS)
	$(UV) venv -q --clear --python "$(PYTHON)" .venv-torch
	$(UV) pip install -q --python .venv-torch --group test -e . $(PLUGINS) torch
	touch $@

.venv-jax/made: $(UV) $(PROJECTS)
	$(UV) venv -q --clear --python "$(PYTHON)" .venv-jax
	$(UV) pip install -q --python .venv-jax --group test -e '.[jax]' $(PLUGINS)
	touch $@
