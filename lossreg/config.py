"""Losses as data: what a text, a mapping or a list says of a loss.

Every form can name registered losses only; none can name code.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from . import expression
from .annotations import is_finite, plain
from .errors import ConfigError
from .expression import is_expression
from .fault import Fault, Path, listed
from .loss_terms import LossTerms, Said, Term
from .names import did_you_mean, shown
from .options import OPTIONS
from .options import faults as option_faults

HYDRA_TARGET = "lossreg.get_loss"
"""What a config of Hydra calls for a loss."""

# Where Keras says that its own losses, and ours, come from.
MODULES = (None, "builtins", "keras", "keras.losses", "lossreg.keras_loss", "lossreg.keras_sum")

OF_KERAS = ("class_name", "config", "module", "registered_name", "shared_object_id")
"""What Keras 3.12 to 3.15.1 write of a loss; the last key where two outputs share it."""

# Hydra's own keys that may stand here: the others change what it makes of a call.
_OF_HYDRA = ("_target_", "_args_", "_convert_", "_recursive_")

FORMS = (
    "Give a name, such as 'huber'; a call or a sum, such as 'dice + 0.5 * focal(gamma=2)'; "
    "{'name': 'huber', 'params': {'delta': 2}}; a list of these, to add; "
    "{'outputs': {...}} with a loss for each; or what keras.losses.serialize returns."
)


_ENTRIES = (
    "An entry is a name, a call or a sum as a text, or {'name': ..., 'params': ..., 'weight': ...}."
)
_EMPTY = "An empty list describes no loss. Give at least one."


def read(config: str | Mapping[str, Any] | Sequence[Any]) -> Said:
    """Return what a config says of a loss.

    Args:
        config: A name, an expression, a mapping (`name`, `params`, `options`; `sum`,
            `options`; `outputs`; or what Keras writes), or a list of losses to add,
            each of which may have a `weight`.

    Raises:
        ConfigError: It describes no loss; every fault is named.
    """
    said, faults = examine(config)
    if faults:
        if isinstance(config, str):
            # What can't be read in a text says so by itself.
            raise ConfigError(faults[0].message, faults)
        said_wrong = "\n".join([f"{shown(config)} describes no loss.", listed(faults), FORMS])
        raise ConfigError(said_wrong, faults)
    return said


def examine(config: Any, at: Path = ()) -> tuple[Said, list[Fault]]:
    """Return what a config says, as far as it can be read, and everything that is wrong with it.

    Args:
        config: As `read` takes it, or anything else, which is a fault.
        at: Where it stands in a larger config.
    """
    reader = _Reader()
    return reader.outputs(config, at), reader.faults


class _Reader:
    """Reads losses and collects what is wrong."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def fault(self, at: Path, message: str, *, at_key: bool = False) -> None:
        self.faults.append(Fault(path=at, message=message, at_key=at_key))

    def outputs(self, config: Any, at: Path) -> Said:
        """Read a loss, or a loss for each output."""
        if not isinstance(config, Mapping) or "outputs" not in config:
            return self.loss(config, at)
        self.keys(config, at, ("outputs",))
        outputs = config["outputs"]
        if not _is_mapping_of_names(outputs) or not outputs:
            self.fault((*at, "outputs"), "'outputs' must map each output's name to its loss.")
            return {}
        return {
            name: None if loss is None else self.loss(loss, (*at, "outputs", name), weighted=True)
            for name, loss in outputs.items()
        }

    def loss(self, config: Any, at: Path, *, weighted: bool = False) -> LossTerms:
        """Read one loss; `weighted` says whether a mapping may hold a weight."""
        if isinstance(config, str):
            return LossTerms(terms=self.text(config, at))
        if isinstance(config, Sequence) and not isinstance(config, bytes | bytearray):
            return LossTerms(terms=self.list(config, at))
        if not isinstance(config, Mapping):
            kind = type(config).__name__
            self.fault(at, f"A loss can't be {shown(config)} ({kind}). {FORMS}")
            return LossTerms(terms=())
        if "class_name" in config:
            return self.keras(config, at)
        if "_target_" in config:
            return self.hydra(config, at)
        options = self.options(config.get("options", {}), (*at, "options"))
        if "sum" in config:
            self.keys(config, at, ("sum", "options"))
            terms = config["sum"]
            if isinstance(terms, str) or not isinstance(terms, Sequence):
                self.fault((*at, "sum"), f"'sum' must be a list of losses, got {shown(terms)}.")
                return LossTerms(terms=())
            return LossTerms(terms=self.list(terms, (*at, "sum")), options=options)
        self.keys(config, at, ("name", "params", "options", *(["weight"] if weighted else [])))
        return LossTerms(terms=self.term(config, at), options=options)

    def text(self, text: str, at: Path) -> tuple[Term, ...]:
        if not is_expression(text):
            return (Term(name=text, name_at=at),)
        try:
            calls = expression.parse(text)
        except ConfigError as error:
            self.fault(at, str(error))
            return ()
        return tuple(
            Term(name=c.name, args=c.args, params=c.kwargs, weight=c.weight, name_at=at)
            for c in calls
        )

    def list(self, entries: Sequence[Any], at: Path) -> tuple[Term, ...]:
        terms: list[Term] = []
        for index, entry in enumerate(entries):
            here = (*at, index)
            if isinstance(entry, str):
                terms += self.text(entry, here)
            elif isinstance(entry, Mapping):
                # A term takes no options: a sum has one name, one reduction and one dtype.
                self.keys(entry, here, ("name", "params", "weight"))
                terms += self.term(entry, here)
            else:
                self.fault(here, f"A list of losses can't hold {shown(entry)}. {_ENTRIES}")
        if not entries:
            self.fault(at, _EMPTY)
        return tuple(terms)

    def term(self, config: Mapping[str, Any], at: Path, key: str = "name") -> tuple[Term, ...]:
        """Read a loss by name; `key` says where the name stands."""
        name, params = config.get(key), config.get("params", {})
        weight = plain(config.get("weight", 1.0))
        if not isinstance(name, str):
            what = f"got {shown(name)}" if key in config else "and is missing"
            self.fault((*at, key), f"{key!r} must be the name of a loss, {what}.")
        elif is_expression(name):
            self.fault(
                (*at, key),
                f"{key!r} must be a name alone, got {shown(name)}. Parameters stand under "
                "'params'; a call or a sum is a text in place of the mapping.",
            )
            return ()
        if not _is_mapping_of_names(params):
            self.fault((*at, "params"), f"'params' must map names to values, got {shown(params)}.")
            params = {}
        if not is_finite(weight):
            self.fault((*at, "weight"), f"'weight' must be a finite number, got {shown(weight)}.")
            weight = 1.0
        if not isinstance(name, str):
            return ()
        term = Term(
            name=name,
            params=dict(params),
            weight=float(weight),
            name_at=(*at, key),
            params_at=(*at, "params"),
        )
        return (term,)

    def options(self, options: Any, at: Path) -> dict[str, Any]:
        if not _is_mapping_of_names(options):
            self.fault(
                at, f"'options' must map {', '.join(OPTIONS)} to values, got {shown(options)}."
            )
            return {}
        for option, message in option_faults(options).items():
            self.fault((*at, option), message, at_key=option not in OPTIONS)
        return dict(options)

    def keras(self, config: Mapping[str, Any], at: Path) -> LossTerms:
        """Read a mapping that Keras wrote; the module in it is never imported."""
        self.keys(config, at, OF_KERAS)
        name, inner, inner_at = config["class_name"], config.get("config", {}), (*at, "config")
        name_at = (*at, "class_name")
        if name == "function":
            # Keras writes the function form so: {"class_name": "function", "config": "huber"}.
            name, inner, name_at = inner, {}, inner_at
        if not isinstance(name, str) or not _is_mapping_of_names(inner):
            self.fault(at, "'class_name' must be a text, and 'config' a mapping.")
            return LossTerms(terms=())
        if config.get("module") not in MODULES:
            self.fault(
                (*at, "module"),
                f"A config can't name code: module {config['module']!r} is neither Keras nor "
                f"lossreg. Register {name!r} with lossreg.register, or install the package that "
                "offers it, and give its name.",
            )
        params = {key: value for key, value in inner.items() if key not in OPTIONS}
        options = {key: value for key, value in inner.items() if key in OPTIONS}
        self.options(options, inner_at)
        if name.removeprefix("lossreg>") in ("RegisteredLoss", "RegisteredSum"):
            return LossTerms(terms=self.saved(params, inner_at), options=options)
        term = Term(name=name, params=params, name_at=name_at, params_at=inner_at)
        return LossTerms(terms=(term,), options=options)

    def hydra(self, config: Mapping[str, Any], at: Path) -> LossTerms:
        """Read the call of `get_loss` that Hydra would make; the target is never imported."""
        args, where = config.get("_args_", ()), (*at, "_args_")
        if config["_target_"] != HYDRA_TARGET:
            rule = f"'_target_' may be {HYDRA_TARGET!r} and nothing else."
            self.fault((*at, "_target_"), f"A config can't name code: {rule}")
        if isinstance(args, str) or not isinstance(args, Sequence) or len(args) != 1:
            self.fault(where, "'_args_' must be a list with the loss, such as [focal].")
            return LossTerms(terms=())
        if isinstance(args[0], Mapping) and "_target_" in args[0]:
            self.fault((*where, 0), "A loss is made by one call: give its name and parameters.")
            return LossTerms(terms=())
        given = {name: value for name, value in config.items() if name not in _OF_HYDRA}
        if not _is_mapping_of_names(given):
            names = shown(list(given))
            self.fault(at, f"The keys beside '_args_' must be names of parameters, got {names}.")
            return LossTerms(terms=())
        said = self.loss(args[0], (*where, 0))
        params = {name: value for name, value in given.items() if name not in OPTIONS}
        options = self.options({key: given[key] for key in given.keys() - params.keys()}, at)
        terms = said.terms
        if params and len(terms) == 1 and terms[0].weight == 1:
            merged = {**terms[0].params, **params}
            terms = (replace(terms[0], params=merged, params_at=at),)
        elif params and terms:
            self.fault(at, f"A sum takes no parameters, got {', '.join(params)}.")
        return LossTerms(terms=terms, options={**said.options, **options})

    def saved(self, config: Mapping[str, Any], at: Path) -> tuple[Term, ...]:
        """Read what `get_config` of a registered loss or sum wrote, without the options."""
        entries = config.get("sum", [config])
        if not isinstance(entries, list | tuple):
            entries = [entries]
        if not entries:
            self.fault((*at, "sum"), _EMPTY)
        terms: list[Term] = []
        for index, entry in enumerate(entries):
            known = isinstance(entry, Mapping)
            known = known and set(entry) <= {"loss", "version", "params", "weight"}
            known = known and isinstance(entry.get("loss"), str)
            if not known or (config is not entry and set(config) != {"sum"}):
                self.fault(at, f"This is no config of a registered loss: {shown(dict(config))}.")
                return ()
            terms += self.term(entry, at if config is entry else (*at, "sum", index), "loss")
        return tuple(terms)

    def keys(self, config: Mapping[str, Any], at: Path, known: tuple[str, ...]) -> None:
        for key in config:
            if key not in known:
                near = did_you_mean(str(key), known)
                said = f"The key {shown(key)} isn't one of {', '.join(known)}.{near}"
                self.fault((*at, str(key)), said, at_key=True)


def _is_mapping_of_names(value: Any) -> bool:
    return isinstance(value, Mapping) and all(isinstance(name, str) for name in value)
