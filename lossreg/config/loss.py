"""Losses in our own config forms: a string, a mapping or a list.

A config names registered losses only, and never code.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import ConfigError, Fault, Path, fault_lines
from ..loss import shown
from .expression import is_expression, parse
from .foreign import read_hydra, read_keras
from .terms import FORMS, MOST_LOSSES, LossTerms, Reading, Term, Terms, is_mapping_of_names

_ENTRIES = (
    "Give a name, a call or a sum as a string, or {'name': ..., 'params': ..., 'weight': ...}."
)


def read(config: str | Mapping[str, Any] | Sequence[Any]) -> Terms:
    """Return a loss config in normal form.

    Args:
        config: A name, an expression, a mapping (`name`, `params`, `options`; `sum`,
            `options`; `outputs`; or what Keras writes), or a list of losses to add,
            each of which may have a `weight`.

    Raises:
        ConfigError: It isn't a loss config; every fault is named.
    """
    terms, faults = read_with_faults(config)
    if not faults:
        return terms
    if isinstance(config, str):
        # The message has the string in it.
        raise ConfigError.of(faults, message=faults[0].message)
    message = "\n".join([f"{shown(config)} doesn't describe a loss.", fault_lines(faults), FORMS])
    raise ConfigError.of(faults, message=message)


def read_with_faults(config: Any, at: Path = ()) -> tuple[Terms, list[Fault]]:
    """Return what can be read of a loss config, and every fault in it; `at` is its place."""
    reader = _Reader()
    terms = reader.read_outputs(config, at)
    losses = terms.values() if isinstance(terms, dict) else [terms]
    count = sum(len(loss.terms) for loss in losses if loss)
    if count > MOST_LOSSES:
        message = f"It has {count:,} losses, and a config may have {MOST_LOSSES:,}."
        return {}, [Fault(path=at, message=message)]
    return terms, reader.faults


class _Reader(Reading):
    """Reads losses in our own forms."""

    def read_outputs(self, config: Any, at: Path) -> Terms:
        if not isinstance(config, Mapping) or "outputs" not in config:
            return self.read_loss(config, at)
        self.check_keys(config, at, ("outputs",))
        outputs, at = config["outputs"], (*at, "outputs")
        if not is_mapping_of_names(outputs) or not outputs:
            self.add_fault(at, "'outputs' must map each output's name to its loss.")
            return {}
        return {
            name: None if loss is None else self.read_loss(loss, (*at, name), weighted=True)
            for name, loss in outputs.items()
        }

    def read_loss(self, config: Any, at: Path, *, weighted: bool = False) -> LossTerms:
        """Return one loss; `weighted` says whether a mapping may hold a weight."""
        if isinstance(config, str):
            return LossTerms(terms=self.read_string(config, at))
        if isinstance(config, Sequence) and not isinstance(config, bytes | bytearray):
            return LossTerms(terms=self.read_list(config, at, self.read_entry))
        if not isinstance(config, Mapping):
            kind = type(config).__name__
            self.add_fault(at, f"A loss can't be {shown(config)} ({kind}). {FORMS}")
            return LossTerms(terms=())
        if "class_name" in config:
            return read_keras(self, config, at)
        if "_target_" in config:
            return read_hydra(self, config, at, self.read_loss)
        options = self.read_options(config.get("options", {}), (*at, "options"))
        if "sum" in config:
            self.check_keys(config, at, ("sum", "options"))
            terms = self.read_list(config["sum"], (*at, "sum"), self.read_entry)
        else:
            weight = ["weight", "field"] if weighted else []
            self.check_keys(config, at, ("name", "params", "options", *weight))
            terms = self.read_term(config, at)
        return LossTerms(terms=terms, options=options)

    def read_string(self, string: str, at: Path) -> tuple[Term, ...]:
        if not is_expression(string):
            return (Term(name=string, name_at=at),)
        try:
            calls = parse(string)
        except ConfigError as error:
            self.add_fault(at, str(error))
            return ()
        return tuple(
            Term(name=c.name, args=c.args, params=c.kwargs, weight=c.weight, name_at=at)
            for c in calls
        )

    def read_entry(self, entry: Any, at: Path) -> tuple[Term, ...]:
        if isinstance(entry, str):
            return self.read_string(entry, at)
        if isinstance(entry, Mapping):
            # A term takes no options: a sum has one name, one reduction and one dtype.
            self.check_keys(entry, at, ("name", "params", "weight", "field"))
            return self.read_term(entry, at)
        self.add_fault(at, f"A list of losses can't hold {shown(entry)}. {_ENTRIES}")
        return ()
