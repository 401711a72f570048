"""YAML 1.2 as plain data, with the place of each key and value.

ruamel.yaml's parser gives events, one after another. Data are built from them here, so that
no tag makes an object, an alias costs what it stands for, and each fault has its place.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import events as kinds
from ruamel.yaml.error import MarkedYAMLError

from ..fault import Fault, Path
from ..names import shown
from .reading import DEEPEST, EMPTY, TOO_DEEP, Place, Position, Reading, objection, repeated
from .yaml_events import TooDeep, events, position
from .yaml_scalar import quoted, resolved, split_calls

MOST_NODES = 5_000
"""Keys and values, those that aliases repeat included; `document.LARGEST` says why."""

# What to do about what ruamel.yaml says most.
_ADVICE = {
    "mapping values are not allowed": "Quote a text that has ': ' in it, and check the indent.",
    r"found character '\t'": "Indent with spaces.",
    "cannot start any token": "Quote a text that begins with this character.",
    "a flow": "Close each [ and {, and quote a text within them that has one of , [ ] { } in it.",
    "quoted scalar": "Close the quote, and write a backslash within double quotes twice.",
    "could not find expected ':'": "Write 'key: value', with a blank after the colon.",
    "": "Check the indent, here and in the line above.",
}


class _Stop(Exception):  # noqa: N818 - it isn't an error; what is wrong is in the faults
    """Nothing more can be read."""


@dataclass(slots=True)
class _Node:
    """A value, its place, and its text where that is written without quotes."""

    value: Any
    place: Place
    plain: str | None = None

    @property
    def name(self) -> str:
        """What a key is called in a path, even one that can't stay."""
        return self.value if isinstance(self.value, str) else self.plain or ""


def read(text: str) -> Reading:
    """Return what YAML says."""
    reader = _Reader(events(text))
    node = None
    try:
        node = reader.document()
    except TooDeep as error:
        reader.fault(error.at, (), TOO_DEEP)
    except _Stop:
        pass
    except MarkedYAMLError as error:
        reader.faults.append(_syntax(error))
    except (ValueError, OverflowError):
        # ruamel.yaml 0.19.1 lets chr() refuse \U00110000, and int() a %YAML version of
        # thousands of digits.
        said = "What follows can't be read as YAML: an escape in it is no character."
        reader.fault(reader.last, (), said)
    if node is None:
        return Reading(faults=reader.faults)
    return Reading(data=node.value, faults=reader.faults, places=lambda: node.place)


class _Reader:
    """Builds data from the parser's events, and collects what is wrong."""

    def __init__(self, events: Iterator[Any]) -> None:
        self.events = events
        self.faults: list[Fault] = []
        self.nodes = 0
        self.last = Position(1, 1)
        # None for one whose value is being read.
        self.anchors: dict[str, _Node | None] = {}

    def fault(self, at: Position, path: Path, message: str, *, at_key: bool = False) -> None:
        self.faults.append(
            Fault(path=path, at_key=at_key, message=message, line=at.line, column=at.column)
        )

    def stop(self, at: Position, message: str) -> _Stop:
        self.fault(at, (), message)
        return _Stop()

    def next(self) -> Any:
        event = next(self.events)
        self.last = position(event.start_mark)
        return event

    def until_end(self) -> Iterator[Any]:
        """Yield the first event of each entry of a list or mapping."""
        while not isinstance(event := self.next(), kinds.CollectionEndEvent):
            yield event

    def document(self) -> _Node:
        """Read the one document of a text."""
        self.next()
        start = self.next()
        if isinstance(start, kinds.StreamEndEvent):
            raise self.empty()
        if start.version not in (None, (1, 2)):
            raise self.stop(self.last, "A config is YAML 1.2. Remove the line with %YAML.")
        first = self.next()
        if isinstance(first, kinds.ScalarEvent) and first.start_mark is first.end_mark:
            raise self.empty()
        node = self.node(first, (), 0)
        self.next()
        if not isinstance(self.next(), kinds.StreamEndEvent):
            said = "A second document begins here, and a config is one. Put it in another file."
            raise self.stop(self.last, said)
        return node

    def empty(self) -> _Stop:
        self.faults.append(Fault(message=f"{EMPTY}loss: huber"))
        return _Stop()

    def node(self, event: Any, path: Path, depth: int) -> _Node:
        """Read the value whose first event this is."""
        at = self.last
        self.count(at)
        if isinstance(event, kinds.AliasEvent):
            return self.alias(event.anchor, at, path, depth)
        if depth == DEEPEST and isinstance(event, kinds.CollectionStartEvent):
            raise self.stop(at, TOO_DEEP)
        if event.ctag is not None:
            written = event.tag.replace("tag:yaml.org,2002:", "!!")
            said = (
                f"A config has no tags, and {shown(written)} isn't followed. Remove it; quotes "
                "make a text of what looks like a number."
            )
            self.fault(at, path, said)
        if event.anchor:
            self.anchors[event.anchor] = None
        if isinstance(event, kinds.ScalarEvent):
            node = self.scalar(event, at, path)
        elif isinstance(event, kinds.SequenceStartEvent):
            node = self.sequence(event, at, path, depth)
        else:
            node = self.mapping(event, at, path, depth)
        if event.anchor:
            self.anchors[event.anchor] = node
        return node

    def count(self, at: Position) -> None:
        self.nodes += 1
        if self.nodes > MOST_NODES:
            said = (
                f"There are more than {MOST_NODES:,} keys and values up to here, those that "
                "aliases repeat included, which is more than a config needs."
            )
            raise self.stop(at, said)

    def scalar(self, event: Any, at: Position, path: Path) -> _Node:
        plain = event.value if event.style is None else None
        value = event.value if plain is None else resolved(plain)
        said = objection(value)
        if said:
            self.fault(at, path, said)
        return _Node(value, Place(at), plain)

    def alias(self, name: str, at: Position, path: Path, depth: int) -> _Node:
        """Return a copy of what an anchor marks, so that no list or mapping stands twice."""
        node = self.anchors.get(name)
        if node is not None:
            place = Place(at, inner=node.place.inner)
            return _Node(self.copy(node.value, at, depth), place, node.plain)
        said = f"No value above has the anchor {shown(name)}. Write the value here."
        if name in self.anchors:
            said = f"The alias {shown(name)} stands within the value that it means. Remove it."
        self.fault(at, path, said)
        return _Node(None, Place(at))

    def copy(self, value: Any, at: Position, depth: int) -> Any:
        self.count(at)
        if depth == DEEPEST and isinstance(value, dict | list):
            raise self.stop(at, TOO_DEEP)
        if isinstance(value, dict):
            return {key: self.copy(each, at, depth + 1) for key, each in value.items()}
        if isinstance(value, list):
            return [self.copy(each, at, depth + 1) for each in value]
        return value

    def sequence(self, start: Any, at: Position, path: Path, depth: int) -> _Node:
        nodes: list[_Node] = []
        for event in self.until_end():
            nodes.append(self.node(event, (*path, len(nodes)), depth + 1))
        if start.flow_style:
            for call in split_calls((node.plain, node.plain) for node in nodes):
                said = (
                    f"Within [] a comma ends an entry, and {shown(call.text)} was read as "
                    f"{call.last - call.first + 1} of them. Quote it: {quoted(call.text)}"
                )
                self.fault(nodes[call.first].place.value, (*path, call.first), said)
        inner: dict[str | int, Place] = {index: node.place for index, node in enumerate(nodes)}
        return _Node([node.value for node in nodes], Place(at, inner=inner))

    def mapping(self, start: Any, at: Position, path: Path, depth: int) -> _Node:
        pairs: list[tuple[_Node, _Node]] = []
        data: dict[str, Any] = {}
        place = Place(at)
        for event in self.until_end():
            scalar = isinstance(event, kinds.ScalarEvent)
            key = self.node(event, (*path, event.value if scalar else ""), depth + 1)
            value = self.node(self.next(), (*path, key.name), depth + 1)
            pairs.append((key, value))
            data[key.name] = value.value
            place.inner[key.name] = value.place
            value.place.key = key.place.value
        pieces = self.pieces(pairs, path) if start.flow_style else set()
        self.check([pair for index, pair in enumerate(pairs) if index not in pieces], path)
        return _Node(data, place)

    def pieces(self, pairs: list[tuple[_Node, _Node]], path: Path) -> set[int]:
        """Tell of calls that commas cut up, and return which keys are pieces of one."""
        found: set[int] = set()
        texts = [(value.plain, None if value.plain else key.plain) for key, value in pairs]
        for call in split_calls(texts):
            key, value = pairs[call.first]
            name = key.name if key.name.isprintable() else quoted(key.name)
            said = (
                f"Within {{}} a comma ends a value, and what follows it in {shown(call.text)} was "
                f"read as a key. Quote it, {name}: {quoted(call.text)}, or write it without the "
                "braces, a line for each key."
            )
            self.fault(value.place.value, (*path, key.name), said)
            found |= set(range(call.first + 1, call.last + 1))
        return found

    def check(self, pairs: list[tuple[_Node, _Node]], path: Path) -> None:
        """Tell of keys that can't stay."""
        first: dict[str, Position] = {}
        for key, value in pairs:
            at, name = key.place.value, key.name
            said = None
            if key.plain == "<<":
                said = (
                    "YAML 1.2 has no merge key <<. Write the keys out, or give a whole value by "
                    "an alias: key: *anchor"
                )
            elif not isinstance(key.value, str):
                said = _no_text(key)
            elif name in first:
                said = repeated(name, first[name])
            elif name.endswith(")") and value.value is None:
                said = (
                    f"The key {shown(name)} has no value. A call is a value, not a key: write it "
                    "after a key and a colon. Within {}, where a comma ends a value, quote it."
                )
            if said:
                self.fault(at, (*path, name) if name else path, said, at_key=True)
            first.setdefault(name, at)


def _no_text(key: _Node) -> str:
    """Return what is wrong with a key that isn't a text."""
    if isinstance(key.value, dict | list):
        return "A key is a text, and here is a list or a mapping. Quote it if it is a text."
    if not key.plain:
        return "A key is a text, and here is none. Write 'key: value'."
    written = key.plain[:60]
    kind = {bool: "a truth value", type(None): "no value"}.get(type(key.value), "a number")
    return f"A key is a text, and {written} is {kind}. Quote it: {quoted(written)}"


def _syntax(error: Any) -> Fault:
    """Return what ruamel.yaml's parser says, and what to do."""
    # 0.19.1 writes some names as tuples: ('<scalar>',)
    problem = re.sub(r"\(('[^']*'),\)", r"\1", str(error.problem))
    if error.context and error.context_mark:
        began = position(error.context_mark)
        problem = f"{error.context} from line {began.line}, column {began.column}: {problem}"
    elif error.context:
        problem = f"{error.context}: {problem}"
    at = position(error.problem_mark or error.context_mark)
    next_step = next(advice for sign, advice in _ADVICE.items() if sign in problem)
    said = f"This can't be read as YAML, {problem}. {next_step}"
    return Fault(message=said, line=at.line, column=at.column)
