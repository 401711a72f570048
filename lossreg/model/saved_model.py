"""A model from the file that `model.to_json()` wrote.

Such a file may come from anybody, and Keras makes objects of what it names. So all of it
is checked first by our own rules, whatever the version of Keras: it may name Keras' layers,
operations, their parts and activations. Nothing is imported for it. Keras then builds the
checked data, in its safe mode, and never reads the file itself.
"""

import contextlib
import copy
import itertools
import json
import sys
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..config import FILES, REFUSED
from ..errors import ConfigError, Fault, key_path
from ..errors import Path as KeyPath
from ..lazy import keras
from ..loss import did_you_mean, shown
from .keras_errors import refused_by_keras
from .keras_names import known
from .weights import created, refused, without_weights

_PATH: KeyPath = ("model",)  # where a config names the file
_MOST_BYTES = 20 * 2**20  # a dense layer takes one KB
_DEEPEST = 100  # each model within a model takes four
_TOO_DEEP = f"is nested deeper than {_DEEPEST}, which is more than a model needs."
_MOST_FAULTS = 20
_MOST_LAYERS = 2_000  # NASNetLarge, the deepest of keras.applications, has 1,041
_MOST_VALUES = 300_000  # a layer has about thirty, and they are checked in a second

_PLACES = (
    "keras",
    "keras.models",
    "keras.layers",
    "keras.regularizers",
    "keras.constraints",
    "keras.initializers",
    "keras.dtype_policies",
)
# Keras writes its operations (`x + y`) and functional models under their private modules.
_PRIVATE = ("keras.src.ops.", "keras.src.models.")
_VALUES = ("__keras_tensor__", "__tensor__", "__numpy__", "__bytes__", "__slice__", "__ellipsis__")
_PROGRAMS = {
    "__lambda__": "it is a function in bytes",
    "__typespec__": "it names a TensorFlow class",
}
_ADVICE = "Build that model in Python, and give compile() what lossreg.get_loss returns."


def load(file: Path) -> Any:
    """Return the model of a file, not compiled.

    What the file has on compiling is ignored, since the config has that.

    Args:
        file: What `model.to_json()` wrote.

    Raises:
        ConfigError: The file can't be read, or names what a config can't name; lists each.
    """
    return _make_model(file, _parsed(file, _content(file)))


def load_trained(file: Path) -> Any:
    """Return the model of a `.keras` file with its weights, not compiled.

    Args:
        file: What `model.save` wrote, of layers that a config can name.

    Raises:
        ConfigError: As of `load`, or the weights don't fit.
    """
    try:
        with zipfile.ZipFile(file) as archive, archive.open("config.json") as opened:
            content = opened.read(_MOST_BYTES + 1)
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise _error(
            f"{_named(file)} isn't a saved model ({error}). Write it with model.save('x.keras')."
        ) from error
    model = _make_model(file, _parsed(file, content))
    with refused_by_keras(f"{_named(file)}: Keras can't load its weights", _PATH):
        model.load_weights(file)
    return model


def _make_model(file: Path, data: Any) -> Any:
    """Return the model of checked data."""
    data = _without_compile(data)
    if not isinstance(data, dict) or not {"class_name", "config"} <= data.keys():
        raise _error(f"{_named(file)} holds no model. Write it with model.to_json().")
    found = itertools.islice(_faults(data), _MOST_FAULTS)
    faults = [Fault(path=_PATH, message=f"{_named(file)}: {fault}") for fault in found]
    if faults:
        raise ConfigError.of(faults)
    with refused_by_keras(f"{_named(file)}: Keras can't build its model", _PATH):
        _check_size(file, data)
        model = keras.saving.deserialize_keras_object(data, safe_mode=True)
    if not isinstance(model, keras.Model):
        holds = f"holds a {data['class_name']}, and no model"
        raise _error(f"{_named(file)} {holds}. Write it with model.to_json().")
    if not model.built:
        raise _error(
            f"{_named(file)}: the model has no input shape. Begin the model with keras.Input, and "
            "write the file again."
        )
    return model


def _check_size(file: Path, data: Any) -> None:
    """Raise where Keras would make too many weights, whether it then has a model or not."""
    model = None

    def made() -> int:
        nonlocal model
        # Whatever is wrong is reported where the model is built.
        with contextlib.suppress(Exception):
            model = keras.saving.deserialize_keras_object(copy.deepcopy(data), safe_mode=True)
        return created()

    message = refused(without_weights(made), f"{_named(file)}: its model")
    if message and isinstance(model, keras.Model):
        largest = max(model.layers, key=lambda layer: layer.count_params())
        raise _error(f"{message} Its largest layer is {shown(largest.name)}.")
    if message:
        raise _error(message)


def _content(file: Path) -> bytes:
    """Return the start of a file, a byte more than is allowed."""
    # Reading a device or a pipe may not end.
    if not file.is_file():
        raise _error(
            f"There is no file {str(file)!r}. 'model' is a list of layers, or the path of a file "
            "that model.to_json() wrote."
        )
    try:
        with file.open("rb") as opened:
            return opened.read(_MOST_BYTES + 1)
    except OSError as error:
        raise _error(f"{_named(file)} can't be read: {error}.") from error


def _parsed(file: Path, content: bytes) -> Any:
    """Return the data of JSON."""
    if len(content) > _MOST_BYTES:
        raise _error(f"{_named(file)} is larger than the limit of {_MOST_BYTES // 2**20} MB.")
    # There is one between two values, and counting them takes no memory.
    if content.count(b",") > _MOST_VALUES:
        raise _error(f"{_named(file)} has more than the limit of {_MOST_VALUES:,} values.")
    try:
        return json.loads(content.decode())
    except RecursionError:
        raise _error(f"{_named(file)} {_TOO_DEEP}") from None
    except ValueError as error:
        raise _error(
            f"{_named(file)} isn't JSON: {error}. 'model' takes what model.to_json() wrote, and "
            "not a saved model (.keras or .h5), which holds weights too."
        ) from None


def _without_compile(data: Any) -> Any:
    """Return data without what Keras wrote on compiling the models in it."""
    stack = [data]
    while stack:
        value = stack.pop()
        if isinstance(value, dict):
            if "class_name" in value:
                value.pop("compile_config", None)
            stack += value.values()
        elif isinstance(value, list):
            stack += value
    return data


def _faults(data: Any) -> Iterator[str]:
    """Yield everything that a config can't have, with its place in the file."""
    stack: list[tuple[KeyPath, Any]] = [((), data)]
    layers = 0
    while stack:
        path, value = stack.pop()
        layers += path[-2:-1] == ("layers",)
        if len(path) > _DEEPEST:
            yield f"it {_TOO_DEEP}"
            return
        if layers > _MOST_LAYERS:
            yield f"it has more than the limit of {_MOST_LAYERS:,} layers. {_ADVICE}"
            return
        if isinstance(value, Mapping):
            problem = _problem(value)
            if problem:
                yield f"{key_path(path) or 'its top'}: {problem}"
            else:
                stack += (((*path, name), value[name]) for name in reversed(value))
        elif isinstance(value, list):
            stack += (((*path, index), each) for index, each in reversed([*enumerate(value)]))


def _problem(value: Mapping[str, Any]) -> str:
    """Return why Keras may not make an object of a mapping, or an empty string."""
    for name in FILES:
        if isinstance(value.get(name), str):
            return (
                f"{name!r} names the file {shown(value[name])}, and a config can't have Keras "
                "open a file. Give the list itself."
            )
    if "class_name" not in value:
        return ""
    name, module = value["class_name"], value.get("module")
    if not isinstance(name, str):
        return f"'class_name' must be a string, got {shown(name)}."
    if name in _VALUES:
        return ""
    if name in _PROGRAMS:
        return f"a config can't have {name!r}: {_PROGRAMS[name]}. {_ADVICE}"
    if name == "function":
        return _function_problem(value)
    registered = value.get("registered_name")
    if registered not in (None, name):
        return f"{shown(registered)} isn't a Keras class: a program registers it. {_ADVICE}"
    if module is None:
        # Keras 3 reads a class without a module by the looser rules of Keras 2.
        return (
            f"{shown(name)} comes from no module: a program defines that class, or Keras 2 wrote "
            "the file. Write it with Keras 3, or build the model in Python."
        )
    if not isinstance(module, str) or module.partition(".")[0] != "keras":
        return f"{shown(name)} comes from {shown(module)}, and a config takes Keras only. {_ADVICE}"
    found = _class(module, name)
    # On JAX, Keras' own base class of every layer has the name of a refused one.
    bases = [base for base in getattr(found, "__mro__", ()) if base.__name__ in REFUSED]
    exported = vars(keras.layers)
    refused = [base.__name__ for base in bases if exported.get(base.__name__) is base]
    if refused:
        return f"a config can't have {name!r}: {REFUSED[refused[0]]}. {_ADVICE}"
    if found is None:
        near = did_you_mean(name, known("layer")) if name.isidentifier() else ""
        return f"{shown(module)} has no layer, model or part of one named {shown(name)}.{near}"
    return ""


def _function_problem(value: Mapping[str, Any]) -> str:
    name, registered = value.get("config"), value.get("registered_name")
    places = (None, "builtins", "keras.activations")
    if isinstance(name, str) and name in known("activation") and value.get("module") in places:
        if registered in (None, name):
            return ""
        name = registered
    return (
        f"{shown(name)} is a function, and a config may name only Keras' activation functions. "
        f"{_ADVICE}"
    )


def _class(module: str, name: str) -> Any:
    """Return the Keras class that a file may name so, or None; import nothing."""
    if not name.isidentifier():
        return None
    if module not in _PLACES and not module.startswith(_PRIVATE):
        return None
    found = getattr(sys.modules.get(module), name, None)
    kinds = (
        keras.Operation,
        keras.regularizers.Regularizer,
        keras.constraints.Constraint,
        keras.initializers.Initializer,
        keras.dtype_policies.DTypePolicy,
        keras.dtype_policies.DTypePolicyMap,
    )
    return found if isinstance(found, type) and issubclass(found, kinds) else None


def _named(file: Path) -> str:
    return f"The model file {shown(file.name)}"


def _error(message: str) -> ConfigError:
    return ConfigError.at(_PATH, message)
