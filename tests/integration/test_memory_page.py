"""Every snippet of the page on memory runs, on the backend at hand."""

import re
from pathlib import Path
from typing import Annotated, Any

import keras
import numpy as np
import pytest
from annotated_types import Ge, Lt
from keras import ops

import lossreg
from lossreg import Fields, Needs, State

PAGE = Path(__file__).parents[2] / "docs" / "memory.md"
RANDOM = np.random.default_rng(2)
FEATURES = RANDOM.normal(size=(24, 4)).astype("float32")
CLASSES = (np.arange(24) % 3).astype("int32")
SERIES = RANDOM.normal(size=(24, 5, 4)).astype("float32")
TOKENS = RANDOM.integers(7, size=(24, 5))
IMAGES = RANDOM.normal(size=(24, 6, 6, 1)).astype("float32")
MASKS = np.concatenate([IMAGES > 0.5, IMAGES <= 0.5], axis=-1).astype("float32")


def model(*layers, shape=(4,), dtype="float32"):
    return keras.Sequential([keras.Input(shape, dtype=dtype), *layers])


def regression():
    y = FEATURES.sum(axis=1, keepdims=True)
    return {"model": model(keras.layers.Dense(1)), "x": FEATURES, "y": y}


def binary():
    y = (FEATURES[:, :1] > 0).astype("float32")
    return {"model": model(keras.layers.Dense(1)), "x": FEATURES, "y": y}


def classes():
    teacher = model(keras.layers.Dense(3))
    return {"model": model(keras.layers.Dense(3)), "x": FEATURES, "y": CLASSES, "teacher": teacher}


def images():
    layer = keras.layers.Conv2D(2, 1, activation="softmax")
    found = {"model": model(layer, shape=(6, 6, 1)), "x": IMAGES, "mask": MASKS}
    return {**found, "distance": 2 * (0.5 - MASKS)}


def series():
    layers = keras.layers.Masking(), keras.layers.Dense(1)
    target = SERIES.sum(axis=-1, keepdims=True)
    found = {"model": model(*layers, shape=(5, 4)), "x": SERIES * (np.arange(5) < 3)[:, None]}
    return {**found, "target": target, "scale": 1 + np.abs(target)}


def embeddings():
    layers = keras.layers.Dense(3), keras.layers.UnitNormalization()
    return {"model": model(*layers), "x": FEATURES, "y": CLASSES}


def two_outputs():
    inputs = keras.Input((4,))
    embedding = keras.layers.Dense(2, name="embedding")(inputs)
    label = keras.layers.Dense(3, activation="softmax", name="label")(embedding)
    outputs = {"embedding": embedding, "label": label}
    return {"model": keras.Model(inputs, outputs), "x": FEATURES, "y": CLASSES}


def language():
    layers = keras.layers.Embedding(7, 4), keras.layers.Dense(7)
    found = model(*layers, shape=(5,), dtype="int32")
    return {"model": found, "x": TOKENS, "y": np.roll(TOKENS, -1, axis=1)}


SETTINGS = {
    "Memory": binary,
    "1.": images,
    "2.": series,
    "3.": classes,
    "5.": classes,
    "6.": embeddings,
    "9.": binary,
    "10.": classes,
    "11.": two_outputs,
    "12.": language,
}


def blocks():
    heading, found = "", []
    for part in re.split(r"(?m)^(?=#+ |```)", PAGE.read_text(encoding="utf-8")):
        if part.startswith("#"):
            heading = part.partition("\n")[0].lstrip("# ")
        elif part.startswith("```python"):
            found.append(pytest.param(heading, part.removeprefix("```python\n"), id=heading))
    return found


BLOCKS = blocks()


@pytest.mark.parametrize(("heading", "code"), BLOCKS)
def test_a_snippet_runs(heading, code, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    keras.utils.set_random_seed(1)
    setting = SETTINGS.get(heading.split()[0], regression)()
    names = {
        "__name__": "memory_page",
        "lossreg": lossreg,
        "numpy": np,
        "Annotated": Annotated,
        "Any": Any,
        "ops": ops,
    }
    names |= {"Fields": Fields, "State": State, "Needs": Needs, "Ge": Ge, "Lt": Lt}
    exec(compile(code, str(PAGE), "exec"), {**names, **setting})


def test_there_are_twelve_cases_each_of_less_than_ten_lines():
    cases = [code for heading, code in (p.values for p in BLOCKS) if heading[0].isdigit()]
    lines = [[line for line in code.splitlines() if line.strip()] for code in cases]
    assert len(cases) == 12
    assert all(len(each) < 10 for each in lines)
