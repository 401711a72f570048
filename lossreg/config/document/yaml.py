"""YAML 1.2 as plain data, with the place of each key and value.

ruamel.yaml's parser gives events. Data are built from the events here, so that no tag makes
an object, an alias counts as much as its value, and each fault has its place.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml import events as kinds
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.scanner import Scanner

from ...errors import Fault, Path
from ...loss import shown
from .reading import DEEPEST, EMPTY, TOO_DEEP, Place, Position, Reading, objection, repeated
from .yaml_scalar import quoted, resolved, split_calls

MOST_NODES = 5_000
"""The most keys and values, those that aliases repeat included; `files.LARGEST` has the reason."""

# Advice for ruamel.yaml's most frequent messages.
_ADVICE = {
    "mapping values are not allowed": "Quote a string that has ': ' in it, and check the indent.",
    r"found character '\t'": "Indent with spaces.",
    "cannot start any token": "Quote a string that begins with this character.",
    "a flow": "Close each [ and {, and quote a string within them that has one of , [ ] { } in it.",
    "quoted scalar": "Close the quote, and write a backslash within double quotes twice.",
    "could not find expected ':'": "Write 'key: value', with a space after the colon.",
    "": "Check the indent, here and in the line above.",
}


class _Stop(Exception):  # noqa: N818 - no user sees it
    """Nothing more can be read; the last fault has the reason."""


@dataclass(slots=True)
class _Node:
    """A value, its place, and how it is written if that has no quotes."""

    value: Any
    place: Place
    plain: str | None = None

    @property
    def name(self) -> str:
        """The name of a key in a path, even of a wrong key."""
        return self.value if isinstance(self.value, str) else self.plain or ""


def read(text: str) -> Reading:
    """Return the data of YAML."""
    reader = _Reader(_events(text))
    node = None
    try:
        node = reader.document()
    except _TooDeep as error:
        reader.fault(error.at, (), TOO_DEEP)
    except _Stop:
        pass
    except MarkedYAMLError as error:
        reader.faults.append(_syntax(error))
    except (ValueError, OverflowError):
        # ruamel.yaml 0.19.1 lets chr() refuse \U00110000, and int() a %YAML version of
        # thousands of digits.
        message = "What follows can't be read as YAML: an escape in it isn't a character."
        reader.fault(reader.last, (), message)
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
        self.faults.append(at.fault(message, path, at_key=at_key))

    def stop(self, at: Position, message: str) -> _Stop:
        self.fault(at, (), message)
        return _Stop()

    def next(self) -> Any:
        event = next(self.events)
        self.last = _position(event.start_mark)
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
            message = "A second document begins here, and a config is one. Move it to another file."
            raise self.stop(self.last, message)
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
            message = (
                f"A config can't have the tag {shown(written)}. Remove it. To make a string of "
                "what looks like a number, quote it."
            )
            self.fault(at, path, message)
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
            message = (
                f"There are more than {MOST_NODES:,} keys and values up to here, those that "
                "aliases repeat included, which is more than a config needs."
            )
            raise self.stop(at, message)

    def scalar(self, event: Any, at: Position, path: Path) -> _Node:
        plain = event.value if event.style is None else None
        value = event.value if plain is None else resolved(plain)
        message = objection(value)
        if message:
            self.fault(at, path, message)
        return _Node(value, Place(at), plain)

    def alias(self, name: str, at: Position, path: Path, depth: int) -> _Node:
        """Return a copy of what an anchor marks, so that no list or mapping is in data twice."""
        node = self.anchors.get(name)
        if node is not None:
            place = Place(at, inner=node.place.inner)
            return _Node(self.copy(node.value, at, depth), place, node.plain)
        message = f"No value above has the anchor {shown(name)}. Write the value here."
        if name in self.anchors:
            message = f"The alias {shown(name)} is within the value that it means. Remove it."
        self.fault(at, path, message)
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
                message = (
                    f"Within [] a comma ends an entry, so that {shown(call.text)} becomes "
                    f"{call.last - call.first + 1} entries. Quote it: {quoted(call.text)}"
                )
                self.fault(nodes[call.first].place.value, (*path, call.first), message)
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
        """Report calls that commas split, and return which keys are pieces of a call."""
        found: set[int] = set()
        texts = [(value.plain, None if value.plain else key.plain) for key, value in pairs]
        for call in split_calls(texts):
            key, value = pairs[call.first]
            name = key.name if key.name.isprintable() else quoted(key.name)
            message = (
                f"Within {{}} a comma ends a value, so that the rest of {shown(call.text)} becomes "
                f"a key. Quote it, {name}: {quoted(call.text)}, or write a line for each key, "
                "without the braces."
            )
            self.fault(value.place.value, (*path, key.name), message)
            found |= set(range(call.first + 1, call.last + 1))
        return found

    def check(self, pairs: list[tuple[_Node, _Node]], path: Path) -> None:
        """Report wrong keys."""
        first: dict[str, Position] = {}
        for key, value in pairs:
            at, name = key.place.value, key.name
            message = None
            if key.plain == "<<":
                message = (
                    "YAML 1.2 has no merge key <<. Write the keys, or give a whole value by an "
                    "alias: key: *anchor"
                )
            elif not isinstance(key.value, str) and not _is_class(key, path):
                message = _wrong_key(key)
            elif name in first:
                message = repeated(name, first[name])
            elif name.endswith(")") and value.value is None:
                message = (
                    f"The key {shown(name)} has no value. A call is a value, not a key: write it "
                    "after a key and a colon. Within {}, where a comma ends a value, quote it."
                )
            if message:
                self.fault(at, (*path, name) if name else path, message, at_key=True)
            first.setdefault(name, at)


def _is_class(key: _Node, path: Path) -> bool:
    """Return whether a key is the number of a class, which is a string in JSON and TOML."""
    return type(key.value) is int and path[-1:] == ("class_weight",)


def _wrong_key(key: _Node) -> str:
    """Return what is wrong with a key that isn't a string."""
    if isinstance(key.value, dict | list):
        return (
            "A key must be a string, and here is a list or a mapping. Quote it if it is a string."
        )
    if not key.plain:
        return "A key must be a string, and here is none. Write 'key: value'."
    written = key.plain[:60]
    kind = {bool: "a boolean", type(None): "null"}.get(type(key.value), "a number")
    return f"A key must be a string, and {written} is {kind}. Quote it: {quoted(written)}"


def _syntax(error: Any) -> Fault:
    """Return the message of ruamel.yaml's parser, with advice."""
    # 0.19.1 writes some names as tuples: ('<scalar>',)
    problem = re.sub(r"\(('[^']*'),\)", r"\1", str(error.problem))
    if error.context and error.context_mark:
        began = _position(error.context_mark)
        problem = f"{error.context} from line {began.line}, column {began.column}: {problem}"
    elif error.context:
        problem = f"{error.context}: {problem}"
    at = _position(error.problem_mark or error.context_mark)
    advice = next(advice for sign, advice in _ADVICE.items() if sign in problem)
    return at.fault(f"This can't be read as YAML, {problem}. {advice}")


def _events(text: str) -> Iterator[Any]:
    """Yield the parser's events; nothing is constructed from them."""
    yaml = YAML(typ="safe", pure=True)
    yaml.Scanner = _Scanner
    return yaml.parse(text)  # type: ignore[no-any-return]  # ruamel.yaml leaves it untyped


def _position(mark: Any) -> Position:
    """Return the position of ruamel.yaml's mark, which counts from 0."""
    return Position(mark.line + 1, mark.column + 1)


class _TooDeep(Exception):  # noqa: N818 - no user sees it
    """A bracket opens within too many lists and mappings."""

    def __init__(self, at: Position) -> None:
        super().__init__()
        self.at = at


class _Scanner(Scanner):
    """Stops at a bracket that is nested too deep, before the parser gives the first one.

    ruamel.yaml 0.19.1 looks a thousand characters ahead for the end of a key, and takes time
    for each open bracket at each character.
    """

    def fetch_flow_collection_start(self, *args: Any, **kwargs: Any) -> None:
        if self.flow_level + len(self.indents) >= DEEPEST:
            raise _TooDeep(_position(self.reader.get_mark()))
        super().fetch_flow_collection_start(*args, **kwargs)
