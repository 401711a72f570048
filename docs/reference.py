"""The API reference: what lossreg exports, with its signature and its docstring.

`read_module` imports what it describes, and so it runs where Keras may be imported. `page` turns
what it found into Markdown.
"""

import ast
import dataclasses
import importlib
import inspect
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from lossreg.loss import documented_arguments, parse_docstring

MODULES = {
    "lossreg": "What programs call.",
    "lossreg.errors": "[Errors](errors.md) has the causes of each and the way out.",
    "lossreg.lazy": "For the modules of losses: Keras, imported at its first use.",
    "lossreg.numerics": "For the modules of losses: what a good loss needs of numbers.",
    "lossreg.testing": "For the tests of a package of losses.",
    "lossreg_train": "The package lossreg-train, for programs that compare losses.",
}
"""The public modules, in the order of the page, and who they are for."""


def names(module: str) -> list[str]:
    """Return the public names of a module."""
    loaded = importlib.import_module(module)
    if module == "lossreg.lazy":
        return ["keras", "ops", "numpy"]
    if module == "lossreg.errors":
        kinds = (Exception, Warning)
        return [
            name
            for name, value in vars(loaded).items()
            if isinstance(value, type) and issubclass(value, kinds)
        ]
    listed: Sequence[str] = getattr(loaded, "__all__", ())
    return list(listed) or [
        name
        for name, value in vars(loaded).items()
        if not name.startswith("_") and not inspect.ismodule(value)
    ]


def read_module(module: str) -> list[dict[str, Any]]:
    """Return what each public name of a module is, as data."""
    loaded = importlib.import_module(module)
    return [read_name(module, name, getattr(loaded, name)) for name in names(module)]


def read_name(module: str, name: str, value: Any) -> dict[str, Any]:
    """Return what a name is: its kind, signature, docstring and public members."""
    found: dict[str, Any] = {"name": name, "members": []}
    if inspect.isclass(value):
        found |= {"kind": "class", "signature": _class_signature(value)}
        bases = [base.__name__ for base in value.__mro__[1:] if base is not object]
        found["bases"] = [base for base in bases if not base.startswith("_") and base != "ABC"]
        found["doc"] = value.__dict__.get("__doc__") or ""
        if dataclasses.is_dataclass(value) and found["doc"].startswith(f"{name}("):
            found["doc"] = ""
        found["members"] = [*_members(value)]
    elif inspect.isfunction(value):
        found |= {"kind": "function", "signature": _signature(value), "doc": value.__doc__ or ""}
    else:
        found |= {"kind": "name", "signature": "", "doc": _comment(module, name)}
    found["doc"] = inspect.cleandoc(found["doc"])
    return found


def _members(owner: type) -> Iterator[dict[str, Any]]:
    """Yield the documented methods and properties that a class defines itself."""
    for name, value in vars(owner).items():
        kind = "property" if isinstance(value, property) else "method"
        value = value.fget if isinstance(value, property) else value
        value = value.__func__ if isinstance(value, classmethod | staticmethod) else value
        if name.startswith("_") or not inspect.isfunction(value) or not value.__doc__:
            continue
        signature = "" if kind == "property" else _signature(value)
        yield {
            "name": name,
            "kind": kind,
            "signature": signature,
            "doc": inspect.cleandoc(value.__doc__),
        }


def _class_signature(owner: type) -> str:
    own = owner.__dict__.get("__init__")
    if own is None and not dataclasses.is_dataclass(owner):
        return ""
    signature = _signature(owner.__init__)  # type: ignore[misc]  # of the class at hand
    return signature.removesuffix(" -> None")


def _signature(function: Any) -> str:
    """Return a signature without the modules of its types."""
    signature = inspect.signature(function)
    parameters = [p for name, p in signature.parameters.items() if name != "self"]
    text = str(signature.replace(parameters=parameters))
    text = re.sub(r"<factory>", "...", text)
    # The words of a long list stand in `docs/write-a-plugin.md`.
    text = re.sub(r"(?:\w+\.)*Literal\[[^\]]{60,}\]", "str", text)
    return re.sub(r"\b(?:[a-z_]\w*\.)+(?=[A-Za-z_])", "", text).replace("'", "")


def _comment(module: str, name: str) -> str:
    """Return the string below the assignment of a name, which documents it."""
    loaded = importlib.import_module(module)
    home = getattr(loaded, "_HOME_OF", {}).get(name)
    folder = Path(loaded.__file__ or "").parent / (home or "")
    files = sorted(folder.glob("*.py")) if home else [Path(loaded.__file__ or "")]
    for file in files:
        body = ast.parse(file.read_text(encoding="utf-8")).body
        for statement, after in itertools.pairwise(body):
            targets = getattr(statement, "targets", None) or [getattr(statement, "target", None)]
            named = any(isinstance(each, ast.Name) and each.id == name for each in targets)
            if named and isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
                return str(after.value.value)
    return ""


def page(found: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """Return the page, from what `read_module` found in each module."""
    lines = [
        "# API reference",
        "",
        "What lossreg exports, from its docstrings. Every example on this page runs in a test.",
    ]
    for module, about in MODULES.items():
        lines += ["", f"## {module}", "", about]
        for entry in sorted(found[module], key=_place):
            lines += ["", f"### {entry['name']}", "", *_entry(entry)]
            for member in entry["members"]:
                lines += ["", f"#### {entry['name']}.{member['name']}", "", *_entry(member)]
    return "\n".join([*lines, ""])


def _place(entry: Mapping[str, Any]) -> int:
    """Return where an entry stands: functions first, errors last."""
    if entry["kind"] != "class":
        return 0
    return 2 if {"Exception", "Warning"} & set(entry["bases"]) else 1


def _entry(entry: Mapping[str, Any]) -> list[str]:
    lines = []
    if entry["signature"] or entry["kind"] in ("function", "class"):
        lines += ["```python", _wrapped(entry["name"] + entry["signature"]), "```", ""]
    if entry.get("bases"):
        bases = ", ".join(f"`{base}`" for base in entry["bases"])
        lines += [f"A subclass of {bases}.", ""]
    doc = parse_docstring(entry["doc"])
    lines += [doc.summary, "", *markdown(doc.text)]
    for heading, text in doc.sections.items():
        lines += ["", f"**{heading}**", ""]
        if heading in ("Args", "Raises"):
            listed = documented_arguments(f".\n\nArgs:\n{_indented(text)}")
            lines += [f"- `{name}`: {about}" for name, about in listed.items()]
        else:
            lines += [*markdown(text)]
    return lines


def markdown(text: str) -> list[str]:
    """Return the lines of a docstring's prose, with its doctests as blocks of code."""
    lines: list[str] = []
    inside = False
    for line in text.splitlines():
        begins = line.startswith(">>>")
        if begins and not inside:
            lines += ["", "```pycon"]
        elif inside and not line.strip():
            lines += ["```"]
        inside = begins or (inside and bool(line.strip()))
        lines.append(re.sub(r"\s*# doctest: .*", "", line))
    return [*lines, "```"] if inside else lines


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" if line else line for line in text.splitlines())


def _wrapped(signature: str) -> str:
    """Return a signature with a parameter on each line, if it is long."""
    if len(signature) <= 96:
        return signature
    name, _, rest = signature.partition("(")
    inside, _, returned = rest.rpartition(")")
    depth, parts = 0, [""]
    for letter in inside:
        depth += letter in "([{"
        depth -= letter in ")]}"
        if letter == "," and not depth:
            parts.append("")
        else:
            parts[-1] += letter
    listed = ",\n".join(f"    {part.strip()}" for part in parts)
    return f"{name}(\n{listed},\n){returned}"


def has_example(entry: Mapping[str, Any]) -> bool:
    """Return whether the docstring of a name, or of one of its members, has an example."""
    docs = (each["doc"] for each in (entry, *entry["members"]))
    # Indented lines are one too; the tests of lossreg.numerics run them.
    return any(re.search(r"^(>>>|    \S)", parse_docstring(doc).text, re.MULTILINE) for doc in docs)
