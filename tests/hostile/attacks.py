"""Shapes of attacks as data: documents, objects, layers and archives that somebody may send.

Each shape once cost seconds, gigabytes or a traceback, here or in another program that reads
such data. A new shape is a line here; what must hold of all of them is in the tests.
"""

import io
import json
import struct
import zipfile
from collections import UserDict, UserList, deque
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from lossreg.config.document import LARGEST

LONG = "k" * 20_000


def _filled(head: str, piece: str, tail: str) -> str:
    """Return a text of the largest size that a document may have."""
    return head + piece * ((LARGEST - len(head) - len(tail)) // len(piece)) + tail


def _typos(count: int, value: object = 1) -> dict[str, object]:
    return {f"delto{index}": value for index in range(count)}


def _model(model: object = ("Dense(1)",), **more: object) -> dict[str, object]:
    return {"model": model, "compile": {"loss": "mse"}, **more}


_JSON = {
    "typos of parameters": {"loss": {"name": "huber", "params": _typos(3000)}},
    "typos under a long key": {
        "loss": {"outputs": {LONG: {"name": "huber", "params": _typos(2000)}}}
    },
    "typos of losses in a string": {"loss": " + ".join(["hubre"] * 240)},
    "typos of outputs": {"loss": {"outputs": _typos(2000, "hubre")}},
    "typos of options": {"loss": {"name": "mse", "options": _typos(2000)}},
    "typos of sections": _model(**_typos(3000)),
    "losses of outputs": {"loss": {"outputs": _typos(2500, "mse")}},
    "keys that no term has": {"loss": [{"nome": 1}] * 4500},
    "layers that can't be read": _model(["Dense("] * 4900),
    "metrics under a long key": _model(
        compile={"loss": "mse", "metrics": {LONG: ["Dense("] * 4000}}
    ),
    "class weights": _model(fit={"class_weight": _typos(3000, -1)}),
    "classes": _model(data={"file": "a.csv", "target": "y", "classes": [[]] * 4900}),
    "blanks": {"loss": " " * 65_000},
    "blanks within a name": {"loss": "a" + " " * 65_000 + "b"},
    "a name of letters": {"loss": "a" * 65_000},
    "a name of underscores": {"loss": "a" + "_" * 65_000},
    "signs": {"loss": "-" * 1990 + "mse"},
    "brackets": {"loss": "(" * 1990},
    "escapes": {"loss": "\u202e" * 10_000},
}

DOCUMENTS = {
    **{name: ("json", json.dumps(data)) for name, data in _JSON.items()},
    "typos of losses": ("yaml", _filled("loss: [", "hubre, ", "mse]")),
    "losses": ("yaml", _filled("loss: [", "mse, ", "mse]")),
    "keys twice under a long key": (
        "yaml",
        _filled(f"? {LONG[:1000]}\n: {{", "a: 1, ", "b: 1}\nloss: mse"),
    ),
    "keys twice": ("json", _filled("{", '"a": 1, ', '"loss": "mse"}')),
    "tags": ("yaml", _filled("loss: [", "!a 1, ", "1]")),
    "keys that aren't strings": ("yaml", _filled("loss: {", "1: 1, ", "1: 1}")),
    "a number of digits": ("json", _filled('{"loss": ', "9", "}")),
    "aliases": (
        "yaml",
        "a: &a [x, x, x, x, x, x, x, x]\n"
        + "".join(f"{b}: &{b} [*{a}, *{a}, *{a}, *{a}]\n" for a, b in pairwise("abcdefgh")),
    ),
}
"""Documents, each with its format."""


class _Endless(Sequence[str]):
    """A list whose length and entries don't agree."""

    def __len__(self) -> int:
        return 3

    def __getitem__(self, index: object) -> str:
        return "mse"

    def __iter__(self) -> Iterator[str]:
        while True:
            yield "mse"


def _own(kind: type) -> object:
    """Return a mapping or a list that holds itself, twice."""
    whole = kind()
    if kind is dict:
        whole["sum"] = whole["params"] = whole
        whole["name"] = "huber"
    else:
        whole += [whole, whole]
    return whole


_HUGE = 10**5000  # Python refuses to write more than 4,300 digits
_ARRAY = np.ones(3)

VALUES = {
    "a range": range(10**9),
    "a list without end": _Endless(),
    "a mapping that holds itself": _own(dict),
    "a list that holds itself": _own(list),
    "a huge integer": _HUGE,
    "an array": _ARRAY,
    "a large array": np.zeros((1000, 1000), "int8"),
    "an array of objects": np.array([object(), None], dtype=object),
    "an array without axes": np.array("mse"),
    "a date of numpy": np.datetime64("2020-01-01"),
    "a structure of numpy": np.void(3),
    "bytes": b"mse",
    "a set": {"mse"},
    "an object": object(),
    "a class": int,
    "an ellipsis": ...,
    "not a number": float("nan"),
    "a mapping with odd keys": {_HUGE: 1, (1, 2): 2, None: 3, frozenset(): 4, 1.5: 5},
    "a UserDict": UserDict(name="huber"),
    "a UserList": UserList(["huber"]),
    "a deque": deque(["mse"]),
}
"""Python objects, for any place that takes data."""

PLACES = {
    "the config": lambda value: value,
    "a name": lambda value: {"name": value},
    "parameters": lambda value: {"name": "huber", "params": value},
    "a parameter": lambda value: {"name": "huber", "params": {"delta": value}},
    "a list as parameter": lambda value: {"name": "tversky", "params": {"axis": [value]}},
    "a weight": lambda value: [{"name": "huber", "weight": value}],
    "options": lambda value: {"name": "huber", "options": value},
    "a name of Keras": lambda value: {"name": "huber", "options": {"name": value}},
    "a dtype": lambda value: {"name": "huber", "options": {"dtype": value}},
    "a reduction": lambda value: {"name": "huber", "options": {"reduction": value}},
    "a term": lambda value: ["mse", value],
    "a sum": lambda value: {"sum": value},
    "outputs": lambda value: {"outputs": value},
    "an output": lambda value: {"outputs": {"a": value}},
    "another key": lambda value: {"name": "huber", "nome": value},
    "a class of Keras": lambda value: {"class_name": value, "config": {}},
    "a config of Keras": lambda value: {"class_name": "Huber", "config": value},
    "a module of Keras": lambda value: {"class_name": "Huber", "module": value},
    "a function of Keras": lambda value: {"class_name": "function", "config": value},
    "a target of Hydra": lambda value: {"_target_": value, "_args_": ["mse"]},
    "a call of Hydra": lambda value: {"_target_": "lossreg.get_loss", "_args_": value},
    "a saved loss": lambda value: {"loss": value, "params": {}, "version": ""},
    "a saved version": lambda value: {"loss": "keras/nosuch", "params": {}, "version": value},
    "saved parameters": lambda value: {"loss": "keras/huber", "params": value},
    "a saved sum": lambda value: {"sum": [{"loss": "keras/huber", "weight": value}]},
}
"""The places in a config that may hold one of them."""


LAYERS = {
    "too many": ["Dense(4)"] * 300,
    "the last doesn't fit": [*["Dense(4)"] * 98, "LSTM(3)"],
    "blanks for an activation": [{"Dense": {"units": 1, "activation": " " * 60_000}}],
    "blanks in a message of Keras": [
        {"Reshape": {"target_shape": [2, 3], "name": "x" + " " * 60_000}}
    ],
    "marks in a message of Keras": [
        {"Reshape": {"target_shape": [2, 3], "name": "\x1b[1m" * 15_000}}
    ],
    "weights before what doesn't fit": [{"Dense": {"units": 10**9 + 1, "activation": "glu"}}],
    "faults": [{"Dense": {"unots": 1}}] * 99,
}
"""Lists of layers after an input of shape (4,)."""


def layer(name: str, config: dict[str, object], **more: object) -> dict[str, object]:
    """Return a layer as model.to_json() writes it."""
    return {"module": "keras.layers", "class_name": name, "config": config, **more}


_WIDE = layer("Dense", {"units": 2**20}, build_config={"input_shape": [None, 2**14]})

SAVED_LAYERS = {
    # 17 GB, where only the shape in build_config says so.
    "a shape in build_config": [_WIDE],
    "a shape in build_config, and what doesn't fit": [
        _WIDE,
        layer("Reshape", {"target_shape": [3]}),
    ],
    "too many": [layer("Activation", {"activation": "relu"})] * 3000,
    "values": [layer("Dense", {"units": 1, "name": [[]] * 10**6})],
    "blanks": [layer("Dense", {"units": 1, "activation": " " * 10**6})],
}
"""Lists of layers in a file that model.to_json() may have written."""


def _code(module: str, name: str, /, **config: object) -> dict[str, object]:
    return {"module": module, "class_name": name, "config": config, "registered_name": name}


# Published for Keras: a lambda is CVE-2024-3660, a module of choice CVE-2025-1550, a download
# CVE-2025-8747, Keras' switch CVE-2025-9906, a module of PyTorch CVE-2025-49655, a file of words
# CVE-2025-12058.
CODE = {
    "a lambda": _code("keras.layers", "Lambda", function={"class_name": "__lambda__"}),
    "a function of the system": _code("os", "system", command="touch ran"),
    "a module of choice": {
        "module": "os",
        "class_name": "function",
        "config": "system",
        "registered_name": "function",
    },
    "a program": _code("subprocess", "Popen", args=["touch", "ran"]),
    "Keras' switch": _code("keras.config", "enable_unsafe_deserialization"),
    "a private module of Keras": _code("keras.src.utils.file_utils", "get_file", origin="file:x"),
    "a download": _code("keras.utils", "get_file", fname="x", origin="http://x", extract=True),
    "a saved program": _code("keras.layers", "TFSMLayer", filepath="ran"),
    "a module of PyTorch": _code("keras.layers", "TorchModuleWrapper", module="gASV"),
    "a function of JAX": _code("keras.layers", "JaxLayer", call_fn="os.system"),
    "a module of Flax": _code("keras.layers", "FlaxLayer", module="x"),
    "a file of words": _code("keras.layers", "StringLookup", vocabulary="/etc/passwd"),
    "an address of words": _code("keras.layers", "TextVectorization", vocabulary="http://x/y"),
    "a type of TensorFlow": {"class_name": "__typespec__", "spec_name": "TensorSpec", "config": []},
    "what a program registered": {**_code("builtins", "Mine"), "registered_name": "my>Mine"},
    "a class of Python": _code("builtins", "eval", source="open('ran', 'w')"),
    "an activation": _code("keras.layers", "Activation", activation=_code("os", "system")),
    "a wrapped lambda": _code(
        "keras.layers",
        "TimeDistributed",
        layer=_code("keras.layers", "Lambda", function={"class_name": "__lambda__"}),
    ),
    "a dotted name": _code("keras.layers.Dense.__init__.__globals__", "os"),
    "a name with dots": _code("keras.layers", "Dense.__init__.__globals__"),
}
"""Keras objects in a file or a config that would run or read something."""

TARGETS = [
    "os:system",
    "builtins:eval",
    "subprocess:Popen",
    "pickle:loads",
    "importlib:import_module",
    "keras.config:enable_unsafe_deserialization",
    "lossreg:register",
]
"""Targets of a spec that aren't losses; whoever is called with what a config says could run it."""

EXPRESSIONS = [
    "__import__('os').system('touch ran')",
    "huber(delta=__import__('os'))",
    "huber(delta=().__class__.__bases__)",
    "huber(**{'delta': 1})",
    "(lambda: 1)()",
    "[huber for huber in (1,)]",
    "huber(delta=1 if 1 else 2)",
    "huber(f'{open}')",
    "huber(delta:=1)",
    "os.system('touch ran')",
    "huber.__globals__",
    "huber;mse",
    "huber\nmse",
    "huber\0",
]
"""Strings that aren't losses."""


def _header(shape: str, dtype: str = "<f4") -> bytes:
    """Return the start of an array's file that claims a shape."""
    text = f"{{'descr': {dtype!r}, 'fortran_order': False, 'shape': {shape}, }}".encode()
    return b"\x93NUMPY\x02\x00" + struct.pack("<I", len(text)) + text


def _npz(**members: bytes) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(f"{name}.npy", content)
    return archive.getvalue()


def _bomb() -> bytes:
    """Return an archive of five arrays, each of 4 GB as the archive gives their sizes."""
    parts = _npz(**{f"x{index}": _header("(2,)") + bytes(8) for index in range(5)}).split(
        b"PK\x01\x02"
    )
    size = struct.pack("<I", 2**32 - 2)
    return b"PK\x01\x02".join([parts[0], *(part[:20] + size + part[24:] for part in parts[1:])])


ARCHIVES = {
    "a header of many terabytes": _npz(x=_header("(1000000000000,)") + bytes(8)),
    "a header of many axes": _npz(x=_header("(" + "1000000," * 30 + ")") + bytes(8)),
    "a negative shape": _npz(x=_header("(-1,)") + bytes(8)),
    "a shape that is no tuple": _npz(x=_header("'x'") + bytes(8)),
    "a header that is deep": _npz(x=_header("(" * 5000)),
    "a header that is long": _npz(x=_header("(1," + " " * 10**6 + ")")),
    "strings of gigabytes": _npz(x=_header("(2,)", "<U1000000000") + bytes(8)),
    "a type that is no type": _npz(x=_header("(2,)", "zz") + bytes(8)),
    "a bomb of 20 GB": _bomb(),
    "thousands of arrays": _npz(**{f"x{index}": b"" for index in range(5000)}),
    "no array": _npz(x=b""),
}
"""NPZ files."""
