import os
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from processor import MOST_SECONDS, at_most

from lossreg import ConfigError
from lossreg.config.document import (
    DEEPEST,
    LARGEST,
    Document,
    Position,
    load_document,
    parse_document,
)
from lossreg.errors import key_path, printable


def refused(text, kind="yaml"):
    """Return the error of a text that can't be read."""
    with pytest.raises(ConfigError) as caught:
        parse_document(text, kind=kind, source="it")
    return caught.value


def places(error):
    """Return where the faults are, as line, column and key path."""
    return [(fault.line, fault.column, key_path(fault.path)) for fault in error.faults]


# Example 10.3 of YAML 1.2.2, the core schema, and the texts that YAML 1.1 reads otherwise.
@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("null", None),
        ("~", None),
        ("", None),
        ("[true, True, false, FALSE]", [True, True, False, False]),
        ("[0, 0o7, 0x3A, -19]", [0, 7, 58, -19]),
        ("[0., -0.0, .5, +12e03, -2E+05]", [0.0, -0.0, 0.5, 12000.0, -200000.0]),
        ("1e-3", 0.001),
        (".5e3", 500.0),
        ("0o17", 15),
        ("017", 17),
        ("[no, yes, on, off, y, n]", ["no", "yes", "on", "off", "y", "n"]),
        ("2024-01-01", "2024-01-01"),
        ("12:30:00", "12:30:00"),
        ("1_000", "1_000"),
        ("0b1", "0b1"),
        ("-_", "-_"),
        ("=", "="),
        ("'1'", "1"),
        ('"null"', "null"),
        ("|\n  1\n", "1\n"),
        ("l1_l2(0.01, 0.01)", "l1_l2(0.01, 0.01)"),
    ],
)
def test_yaml_means_what_version_1_2_says(text, value):
    data = parse_document(f"a: {text}", kind="yaml").data
    assert data == {"a": value}
    assert type(data["a"]) is type(value)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("yaml", "a: [1, 2.5, x, true]\nb: {c: d}\n"),
        ("toml", 'a = [1, 2.5, "x", true]\nb.c = "d"\n'),
        ("json", '{"a": [1, 2.5, "x", true],\n "b": {"c": "d"}}'),
    ],
)
@pytest.mark.parametrize("start", ["", "\ufeff"])
def test_the_formats_say_the_same_with_and_without_a_byte_order_mark(kind, text, start):
    document = parse_document((start + text).encode(), kind=kind, source="a." + kind)
    assert document.data == {"a": [1, 2.5, "x", True], "b": {"c": "d"}}
    assert parse_document(start + text, kind=kind, source="a." + kind) == document
    assert document.source == "a." + kind


YAML = """\
# A comment.
model:
  - Dense:
      units: 64
  - {Dropout: {rate: 0.5}}
fit: &fit
  epochs: 3
again: *fit
"""
JSON = """\
{"model": [
  {"Dense": {"units": 64, "x": "a \\" } b"}},
  0.5],
 "fit": {}}
"""


@pytest.mark.parametrize(
    ("kind", "path", "value", "key"),
    [
        ("yaml", (), (2, 1), (2, 1)),
        ("yaml", ("model",), (3, 3), (2, 1)),
        ("yaml", ("model", 0), (3, 5), (3, 5)),
        ("yaml", ("model", 0, "Dense"), (4, 7), (3, 5)),
        ("yaml", ("model", 0, "Dense", "units"), (4, 14), (4, 7)),
        ("yaml", ("model", 1, "Dropout", "rate"), (5, 22), (5, 16)),
        ("yaml", ("fit",), (6, 6), (6, 1)),
        ("yaml", ("fit", "epochs"), (7, 11), (7, 3)),
        ("yaml", ("again",), (8, 8), (8, 1)),
        ("yaml", ("again", "epochs"), (7, 11), (7, 3)),
        ("json", (), (1, 1), (1, 1)),
        ("json", ("model",), (1, 11), (1, 2)),
        ("json", ("model", 0, "Dense", "x"), (2, 32), (2, 27)),
        ("json", ("model", 1), (3, 3), (3, 3)),
        ("json", ("fit",), (4, 9), (4, 2)),
        ("toml", ("model",), None, None),
    ],
)
def test_every_value_and_key_has_a_position(kind, path, value, key):
    text = {"yaml": YAML, "json": JSON, "toml": "model = 1"}[kind]
    document = parse_document(text, kind=kind)
    assert document.position(path) == (value and Position(*value))
    assert document.position(path, key=True) == (key and Position(*key))


@pytest.mark.parametrize(
    ("kind", "path", "nearest"),
    [
        ("yaml", ("compile",), (2, 1)),
        ("yaml", ("model", 0, "Dense", "activation"), (3, 5)),
        ("yaml", ("model", 0, "Dense", "units", "deeper", 3), (4, 7)),
        ("yaml", ("model", 7, "Dense"), (2, 1)),
        ("yaml", ("model", 1, "Dense"), (5, 5)),
        ("json", ("model", 0, "Dense", "activation"), (2, 4)),
    ],
)
@pytest.mark.parametrize("key", [True, False])
def test_what_is_missing_is_placed_where_it_would_be(kind, path, nearest, key):
    document = parse_document({"yaml": YAML, "json": JSON}[kind], kind=kind)
    assert document.position(path, key=key) == Position(*nearest)


def test_data_that_are_from_no_text_have_no_positions():
    assert Document(data={"a": 1}, source="config").position(("a",)) is None


def test_every_repeated_key_of_yaml_is_told():
    error = refused("a: 1\nb:\n  c: 1\n  c: 2\n  c: 3\n'a': 4\n")
    assert places(error) == [(4, 3, "b.c"), (5, 3, "b.c"), (6, 1, "a")]
    assert all(fault.at_key for fault in error.faults)
    assert "'c' is here a second time; the first is at line 3, column 3" in error.faults[1].message
    assert "'a' is here a second time; the first is at line 1, column 1" in error.faults[2].message


def test_every_repeated_key_of_json_is_told():
    error = refused('{"a": 1,\n "b": [{"c": 1, "c": {"a": 1},\n "c": 3}],\n "\\u0061": 4}', "json")
    assert places(error) == [(2, 17, "b[0].c"), (3, 2, "b[0].c"), (4, 2, "a")]
    assert all(fault.at_key for fault in error.faults)
    assert "'c' is here a second time; the first is at line 2, column 9" in error.faults[1].message
    assert "'a' is here a second time; the first is at line 1, column 2" in error.faults[2].message


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("a = 1\nb = 2\na = 3", (3, 6), "Cannot overwrite a value. A TOML file has each key"),
        ("[a]\nb = 1\n[a]", (3, 3), "twice. A TOML file has each key or table once"),
        ("x = {a = 1, a = 2}", (1, 18), "Duplicate inline table key 'a'. A TOML file has each"),
    ],
)
def test_a_repeated_key_of_toml_is_told_where_its_parser_says(text, place, message):
    error = refused(text, "toml")
    assert places(error) == [(*place, "")]
    assert message in str(error)


def test_one_fault_is_one_line_and_many_are_one_each():
    assert str(refused("a: 1\na: 2")).count("\n") == 0
    error = refused("loss: .nan\n1: x\nfit: {k: .inf, k: !!int 3}\n")
    lines = str(error).split("\n")
    assert [line.split(": ")[:2] for line in lines] == [
        ["it:1:7", "loss"],
        ["it:2:1", "1"],
        ["it:3:10", "fit.k"],
        ["it:3:16", "fit.k"],
        ["it:3:19", "fit.k"],
    ]


@pytest.mark.parametrize(
    ("text", "line"), [("a: 1\n---\nb: 2\n", 2), ("a: 1\n...\n---\nb: !!int 2\n", 3)]
)
def test_a_second_document_of_yaml_is_refused(text, line):
    error = refused(text)
    assert places(error) == [(line, 1, "")]
    assert "A second document begins here, and a config is one." in str(error)


@pytest.mark.parametrize("text", ["---\na: 1\n...\n", "%YAML 1.2\n---\na: 1\n"])
def test_one_document_may_be_marked_as_one(text):
    assert parse_document(text, kind="yaml").data == {"a": 1}


def test_another_version_of_yaml_is_refused():
    assert "A config is YAML 1.2. Remove the line with %YAML." in str(
        refused("%YAML 1.1\n---\na: no\n")
    )


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        *[("yaml", text) for text in ("", " \n\n", "# nothing\n", "---\n", "--- # x\n...\n")],
        *[("toml", text) for text in ("", "\n", "# nothing")],
        *[("json", text) for text in ("", " \n")],
    ],
)
def test_an_empty_text_says_what_to_write(kind, text):
    example = {"yaml": "loss: huber", "toml": 'loss = "huber"', "json": '{"loss": "huber"}'}[kind]
    error = refused(text, kind)
    assert str(error) == (
        "it: There is nothing in it, and a config has keys with values. "
        f"Write, for example: {example}"
    )
    assert parse_document(example, kind=kind).data == {"loss": "huber"}


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("a: 1\n2: x", (2, 1, "2"), 'A key must be a string, and 2 is a number. Quote it: "2"'),
        ("0.5: x", (1, 1, "['0.5']"), 'and 0.5 is a number. Quote it: "0.5"'),
        ("true: x", (1, 1, "true"), 'and true is a boolean. Quote it: "true"'),
        ("~: x", (1, 1, "['~']"), 'and ~ is null. Quote it: "~"'),
        # ruamel.yaml places the missing key after its colon.
        ("a: {: x}", (1, 6, "a"), "and here is none. Write 'key: value'."),
        ("? [a, b]\n: x", (1, 3, ""), "and here is a list or a mapping"),
        ("{{a: b}: c}", (1, 2, ""), "and here is a list or a mapping"),
        ("a: &n 5\n*n : x", (2, 1, "5"), "and 5 is a number"),
    ],
)
def test_a_key_that_is_no_text_is_told_to_be_quoted(text, place, message):
    error = refused(text)
    assert places(error) == [place]
    assert error.faults[0].at_key
    assert message in str(error)


def test_quoted_keys_and_an_alias_of_a_text_are_keys():
    assert parse_document("'1': &k x\n*k : 2\n\"<<\": 3\n", kind="yaml").data == {
        "1": "x",
        "x": 2,
        "<<": 3,
    }


def test_merge_keys_are_refused_with_what_to_do():
    error = refused("a: &a {b: 1}\nc:\n  <<: *a\n  d: 2\n")
    assert places(error) == [(3, 3, "c['<<']")]
    assert "YAML 1.2 has no merge key <<. Write the keys, or give a whole value" in str(error)


@pytest.mark.parametrize(
    ("tag", "shown"),
    [
        ("!!python/object/apply:os.mkdir", "!!python/object/apply:os.mkdir"),
        ("!<tag:yaml.org,2002:python/name:os.system>", "!!python/name:os.system"),
        ("!custom", "!custom"),
        ("!", "!"),
        *[(f"!!{name}", f"!!{name}") for name in ("binary", "set", "str", "int", "map", "seq")],
    ],
)
def test_a_tag_is_refused_and_nothing_follows_it(tag, shown, tmp_path):
    folder = tmp_path / "made"
    for value in (f"[{str(folder)!r}]", "{b: c}", "x", "'x'", ""):
        error = refused(f"k: 1\na: {tag} {value}\n")
        assert places(error) == [(2, 4, "a")]
        assert f"A config can't have the tag {shown!r}. Remove it" in str(error)
    assert not folder.exists()


def test_tags_of_keys_entries_and_the_whole_are_all_told():
    error = refused("!a\n!!str k: [!b x, !c {d: !e 1}]\n")
    assert places(error) == [
        (1, 1, ""),
        (2, 1, "k"),
        (2, 11, "k[0]"),
        (2, 17, "k[1]"),
        (2, 24, "k[1].d"),
    ]


def test_an_alias_is_a_copy():
    data = parse_document("a: &a [1, {b: 2}]\nc: *a\nd: [*a, *a]\n", kind="yaml").data
    assert data == {"a": [1, {"b": 2}], "c": [1, {"b": 2}], "d": [[1, {"b": 2}]] * 2}
    data["c"][1]["b"] = 3
    data["d"][0][1]["b"] = 4
    assert data["a"] == data["d"][1] == [1, {"b": 2}]


def test_an_anchor_that_is_set_again_counts_from_there():
    data = parse_document("a: &x 1\nb: *x\nc: &x 2\nd: *x\n", kind="yaml").data
    assert data == {"a": 1, "b": 1, "c": 2, "d": 2}


def test_aliases_of_nothing_and_of_themselves_are_refused():
    error = refused("a: *none\nb: &b [1, *b]\nc: &c {d: *c}\n*c : 1\n")
    assert places(error)[:3] == [(1, 4, "a"), (2, 11, "b[1]"), (3, 11, "c.d")]
    assert "No value above has the anchor 'none'." in str(error)
    assert "The alias 'b' is within the value that it means." in str(error)


def laughs(rows):
    first = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n"
    return first + "".join(
        f"a{i + 1}: &a{i + 1} [{', '.join([f'*a{i}'] * 10)}]\n" for i in range(rows)
    )


def test_aliases_that_explode_are_refused():
    # The lists a0 to a2 have 10, 100 and 1000 texts.
    assert len(parse_document(laughs(2), kind="yaml").data["a2"]) == 10
    error = refused(laughs(9))
    # Until a2 there are some 1,250; of the entries of a3, with 1,111 each, the fourth is too many.
    assert places(error) == [(4, 25, "")]
    assert "There are more than 5,000 keys and values up to here" in str(error)


def nested(kind, depth):
    """Return a text with so many lists and mappings within each other."""
    return {
        "yaml": "- " * (depth - 1) + "[]",
        "yaml flow": "[" * depth + "]" * depth,
        "yaml block": "".join(" " * i + "a:\n" for i in range(depth)),
        "yaml mixed": "{a: [" * (depth // 2) + "]}" * (depth // 2),
        "yaml keys": "? " * depth + "x",
        "yaml open": "{" * depth,
        "yaml aliases": "a0: &a0 []\n"
        + "".join(f"a{i + 1}: &a{i + 1} [*a{i}]\n" for i in range(depth - 2)),
        "json": "[" * depth + "]" * depth,
        "json mappings": '{"a":' * depth + "1" + "}" * depth,
        "json open": "[" * depth,
        "toml": "a = " + "[" * (depth - 1) + "]" * (depth - 1),
        "toml tables": "a = " + "{a = " * (depth - 1) + "1" + "}" * (depth - 1),
        "toml keys": ".".join(["a"] * depth) + " = 1",
        "toml quoted keys": ".".join(["'a'"] * depth) + " = 1",
        "toml header": "[" + " . ".join(["a"] * (depth - 1)) + "]",
        "toml both": "a"
        + ".a" * (depth // 2 - 1)
        + " = "
        + "[" * (depth // 2)
        + "]" * (depth // 2),
    }[kind]


NESTED = ["yaml", "yaml flow", "yaml block", "yaml mixed", "yaml keys", "yaml open"]
NESTED += ["yaml aliases", "json", "json mappings", "json open", "toml", "toml tables"]
NESTED += ["toml keys", "toml quoted keys", "toml header", "toml both"]


@pytest.mark.parametrize("kind", NESTED)
@pytest.mark.parametrize("depth", [DEEPEST + 2, 1000, 10_000])
def test_what_is_nested_too_deep_is_refused(kind, depth):
    text = nested(kind, depth)
    if len(text) > LARGEST or (kind == "yaml aliases" and depth > 1000):
        # Less is enough to be too deep.
        text = text[:LARGEST].rpartition("\n")[0] or text[:LARGEST]
    error = refused(text, kind.partition(" ")[0])
    assert "nested more than 50 deep" in str(error)
    assert len(error.faults) == 1
    assert len(str(error)) < 300


@pytest.mark.parametrize("kind", [k for k in NESTED if "open" not in k and k != "yaml keys"])
def test_what_is_nested_as_deep_as_allowed_is_read(kind):
    value, deepest = parse_document(nested(kind, DEEPEST), kind=kind.partition(" ")[0]).data, 0
    values = [value]
    while values := [v for v in values if isinstance(v, dict | list)]:
        deepest += 1
        values = [e for v in values for e in (v.values() if isinstance(v, dict) else v)]
    assert deepest == DEEPEST


@pytest.mark.parametrize(
    ("kind", "text", "place"),
    [
        ("yaml", "[" * 60, (1, 51)),
        ("yaml", "a: 1\nb: " + "[" * 60, (2, 53)),
        ("json", '{"a": 1,\n "b": ' + "[" * 60, (2, 56)),
        ("toml", "a = 1\nb = " + "[" * 60, (2, 54)),
        ("toml", "a = 1\n" + ".".join("b" * 60) + " = 1", (2, 100)),
    ],
)
def test_too_deep_is_told_where(kind, text, place):
    assert places(refused(text, kind)) == [(*place, "")]


def test_brackets_and_dots_in_texts_and_comments_nest_nothing():
    many = "[" * 60 + "." * 60 + ".a" * 60
    data = {"a": many, "b": [1.5] * 60}
    numbers = ", ".join(["1.5"] * 60)
    assert parse_document(f'a: "{many}" # {many}\nb: [{numbers}]', kind="yaml").data == data
    assert parse_document(f'{{"a": "{many}", "b": [{numbers}]}}', kind="json").data == data
    quoted = (f'"{many}"', f"'{many}'", f'"""{many}"""', f"'''{many}'''")
    for text in quoted:
        assert (
            parse_document(f"# {many}\na = {text} # {many}\nb = [{numbers}]", kind="toml").data
            == data
        )
    tricky = f'"\\"{many}"', f'"""\n"{many}\\""""', f"'''\n''{many}'''"
    for text, start in zip(tricky, ('"', '"', "''"), strict=True):
        assert start + many in parse_document(f"a = {text}", kind="toml").data["a"]


HUGE = "9" * 5000


@pytest.mark.parametrize(
    ("kind", "text", "place"),
    [
        *[
            ("yaml", f"a: 1\nb: [x, {number}]", (2, 8, "b[1]"))
            for number in (".nan", ".NaN", ".inf", "-.Inf", "1e400", "-1e400", "9" * 310, HUGE)
        ],
        ("yaml", f"b: 0x{'f' * 300}", (1, 4, "b")),
        *[
            ("json", f'{{"a": 1,\n "b": ["x", {number}]}}', (2, 13, "b[1]"))
            for number in ("NaN", "Infinity", "-Infinity", "1e400", "-1e400", "9" * 310, HUGE)
        ],
        *[
            ("toml", f'a = 1\nb = ["x", {number}]', (None, None, "b[1]"))
            for number in ("nan", "-nan", "inf", "-inf", "1e400", "9" * 310, "0x" + "f" * 5000)
        ],
    ],
)
def test_a_number_that_is_not_finite_is_refused(kind, text, place):
    error = refused(text, kind)
    assert places(error) == [place]
    assert "isn't a finite number. Give one of at most 1.8e+308 in size." in str(error)
    assert len(str(error)) < 200


def test_a_number_of_thousands_of_digits_in_toml_is_refused():
    assert "It has a number of thousands of digits" in str(refused(f"a = {HUGE}", "toml"))


@pytest.mark.parametrize("kind", ["yaml", "json", "toml"])
def test_the_largest_numbers_are_read(kind):
    text = {"yaml": "a: [{}, {}]", "json": '{{"a": [{}, {}]}}', "toml": "a = [{}, {}]"}[kind]
    largest = 2**1024 - 2**971
    data = parse_document(text.format("-1.7976931348623157e308", largest), kind=kind).data
    assert data == {"a": [-sys.float_info.max, largest]}


@pytest.mark.parametrize("moment", ["2024-01-01", "2024-01-01T07:30:00Z", "07:30:00"])
def test_a_date_of_toml_is_refused(moment):
    error = refused(f"a = 1\n[data]\nday = [1, {moment}]", "toml")
    assert places(error) == [(None, None, "data.day[1]")]
    assert "is a date or a time, and a config has strings, numbers, true, false" in str(error)


@pytest.mark.parametrize(
    ("content", "place", "message"),
    [
        (b"a: 1\nb: \xff\xff", (2, 4), "The byte 0xff at offset 8 isn't UTF-8. Save the file as"),
        (b"\xef\xbb\xbfa: \x80", (1, 4), "The byte 0x80 at offset 6 isn't UTF-8"),
        ("ä: ö".encode("latin-1"), (1, 1), "The byte 0xe4 at offset 0 isn't UTF-8"),
        (b"a: \xc3", (1, 4), "The byte 0xc3 at offset 3 isn't UTF-8"),
        (b"a: \xed\xa0\x80", (1, 4), "The byte 0xed at offset 3 isn't UTF-8"),
        ("a: 1".encode("utf-16"), (1, 1), "isn't UTF-8: the file is UTF-16. Save the file as"),
    ],
)
@pytest.mark.parametrize("kind", ["yaml", "json", "toml"])
def test_bytes_that_are_not_utf_8_are_told_where(content, place, message, kind):
    error = refused(content, kind)
    assert places(error) == [(*place, "")]
    assert message in str(error)


@pytest.mark.parametrize("kind", ["yaml", "json", "toml"])
@pytest.mark.parametrize("sign", ["\0", "\x1b", "\x7f", "\x9f", "\ud800", "\ufffe"])
def test_control_characters_and_half_characters_are_told_where(kind, sign):
    error = refused(f"# ä\n 'x{sign}'", kind)
    assert places(error) == [(2, 4, "")]
    assert f"A config can't have the character {sign!r}. Remove it." in str(error)
    assert str(error).isprintable()


@pytest.mark.parametrize(
    ("kind", "text", "place"),
    [
        ("yaml", 'a: 1\nb: ["x\\0"]', (2, 5, "b[0]")),
        ("yaml", 'b: "\\e[31m"', (1, 4, "b")),
        ("yaml", 'b: "\\uD800"', (1, 4, "b")),
        ("yaml", 'a:\n  "x\\0": 1', (2, 3, "a['x\\x00']")),
        ("json", '{"b": ["x\\u0000"]}', (1, 8, "b[0]")),
        ("json", '{"b": "\\ud800"}', (1, 7, "b")),
        ("json", '{"\\u001b": 1}', (1, 2, "['\\x1b']")),
        ("toml", 'b = "x\\u0000"', (None, None, "b")),
    ],
)
def test_an_escape_for_such_a_character_is_refused_too(kind, text, place):
    error = refused(text, kind)
    assert places(error) == [place]
    assert "strings have printable characters, tabs and line ends. Remove it." in str(error)
    assert str(error).isprintable()


def test_usual_texts_of_any_language_are_read():
    text = 'a: "ä€😀\\n\\t\\u4e2d"\n'
    assert parse_document(text, kind="yaml").data == {"a": "ä€😀\n\t中"}


@pytest.mark.parametrize(
    "text", ['a: "\\U00110000"', 'a: "\\UFFFFFFFF"', f"%YAML 1.{HUGE}\n---\na"]
)
def test_what_ruamel_fails_on_is_an_error_of_ours(text):
    assert "can't be read as YAML" in str(refused(text))


@pytest.mark.parametrize(
    ("text", "place", "call", "write"),
    [
        (
            "{kernel_regularizer: l1_l2(0.01, 0.01)}",
            (1, 22, "kernel_regularizer"),
            "l1_l2(0.01, 0.01)",
            'kernel_regularizer: "l1_l2(0.01, 0.01)"',
        ),
        (
            "- Dense: {units: 3, bias_regularizer: f(a=1, 2,  b=3), use_bias: true}",
            (1, 39, "[0].Dense.bias_regularizer"),
            "f(a=1, 2, b=3)",
            'bias_regularizer: "f(a=1, 2, b=3)"',
        ),
        (
            "a: 1\nb: {\n  loss: f(g(1, 2), 3) + h(4,\n    5),\n  x: 1}",
            (3, 9, "b.loss"),
            "f(g(1, 2), 3) + h(4, 5)",
            'loss: "f(g(1, 2), 3) + h(4, 5)"',
        ),
        ("{a: f('x', b=\"y\")}", (1, 5, "a"), "f('x', b=\"y\")", "a: 'f(''x'', b=\"y\")'"),
        ("{a: f(1, \xad)}", (1, 5, "a"), "f(1, \xad)", 'a: "f(1, \\u00ad)"'),
        ("a: [x, f(1, 2), y]", (1, 8, "a[1]"), "f(1, 2)", 'Quote it: "f(1, 2)"'),
    ],
)
def test_a_call_that_a_comma_cut_up_is_told_with_what_to_write(text, place, call, write):
    error = refused(text)
    assert places(error) == [place]
    assert "a comma ends " in str(error)
    assert re.search(f"{re.escape(repr(call))} becomes (a key|2 entries)", str(error))
    assert str(error).isprintable()
    assert write in str(error)


def test_each_call_that_commas_cut_up_is_told_once():
    error = refused("{a: l1_l2(0.01, 0.01), b: l1_l2(0.01, 0.01), c: l2(0.01), d: f(1, 1e400)}")
    assert places(error) == [(1, 5, "a"), (1, 27, "b"), (1, 62, "d")]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a:\n  l2(0.01):\n", (2, 3, "a['l2(0.01)']")),
        ("{a, f(1), b}", (1, 5, "['f(1)']")),
        ("{f(1): ~}", (1, 2, "['f(1)']")),
    ],
)
def test_a_call_for_a_key_without_a_value_is_refused(text, place):
    error = refused(text)
    assert places(error) == [place]
    assert "has no value. A call is a value, not a key" in str(error)


def test_calls_in_quotes_and_in_block_style_are_read():
    text = "a: {b: 'f(1, 2)', c: \"f(1, 2)\", d: l2(1), e: 5)}\nb: f(1, 2)\nf(1): {x: 1}"
    data = parse_document(text, kind="yaml").data
    assert data["a"] == {"b": "f(1, 2)", "c": "f(1, 2)", "d": "l2(1)", "e": "5)"}
    assert data["b"] == "f(1, 2)"
    assert data["f(1)"] == {"x": 1}


@pytest.mark.parametrize(
    ("kind", "text", "place", "todo"),
    [
        ("yaml", "a: [1, 2\nb: 3\n", (2, 2), "from line 1, column 4"),
        ("yaml", "a: {b: f([1])}", (1, 10), "quote a string within them that has one of , [ ] { }"),
        ("yaml", "a: b: c", (1, 5), "Quote a string that has ': ' in it"),
        ("yaml", "a:\n\tb: 1", (2, 1), "Indent with spaces."),
        ("yaml", "a: 'x", (1, 6), "Close the quote"),
        ("yaml", 'a: "\\d"', (1, 6), "write a backslash within double quotes twice"),
        ("yaml", "a: 1\nb\nc: 2", (3, 1), "Write 'key: value'"),
        ("yaml", "a:\n  - 1\n b: 3\n", (3, 2), "Check the indent"),
        ("yaml", "a: @x", (1, 4), "Quote a string that begins with this character."),
        ("json", '{"a": 1,\n "b": }', (2, 7), "JSON has strings and keys in double quotes"),
        ("json", '{"a": 1}\n{', (2, 1), "Extra data"),
        ("json", "{'a': 1}", (1, 2), "double quotes"),
        ("toml", "a = 1\nb = yes", (2, 5), "true and false in small letters"),
        ("toml", "a = 1\nb = [1,\n", (3, 1), "Invalid value"),
        ("toml", "a = 1 b = 2", (1, 7), "Expected newline"),
    ],
)
def test_what_is_no_such_format_is_told_where_and_what_to_do(kind, text, place, todo):
    error = refused(text, kind)
    assert places(error) == [(*place, "")]
    assert f"can't be read as {kind.upper()}" in str(error)
    assert todo in str(error)
    assert str(error).isprintable()


def test_faults_before_a_syntax_error_are_told_with_it():
    assert places(refused("a: .nan\na: 'x")) == [(1, 4, "a"), (2, 6, "")]


def test_faults_of_keys_count_before_the_values_that_follow():
    lines = [fault.line for fault in refused("1: .nan\n2: .nan\n3: .nan").faults]
    assert lines == [1, 1, 2, 2, 3, 3]
    assert all(first <= second for first, second in pairwise(lines))


# Each takes seconds or minutes where nothing limits depth, nodes and dotted keys.
@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("yaml", "[" * LARGEST),
        ("yaml", "{" * LARGEST),
        ("yaml", "? " * (LARGEST // 2)),
        ("yaml", "[" + "1," * (LARGEST // 2 - 1)),
        ("yaml", "&a a: 1\n" * (LARGEST // 8)),
        ("yaml", "- [" + "{}," * 2400 + "]\n- " + "\n x" * 16_000 + "\n- " + "[{" * 512),
        ("toml", "a" + ".a" * (LARGEST // 2 - 4) + "=1"),
        ("toml", "[" + "a." * 48 + "a]\n" + "".join(f"{'b.' * 45}k{i}=1\n" for i in range(600))),
        ("toml", "x = '\n" * (LARGEST // 6)),
        ("toml", 'x="' + '\\"' * (LARGEST // 2 - 4)),
        ("json", "[" * LARGEST),
        ("json", '"' + '\\"' * (LARGEST // 2 - 1)),
        ("json", "[" + "NaN," * (LARGEST // 4 - 1) + "1]"),
        ("json", "9" * LARGEST),
    ],
)
def test_no_text_takes_long(kind, text):
    with at_most(MOST_SECONDS), pytest.raises(ConfigError):
        parse_document(text, kind=kind)


def test_a_text_that_is_too_large_is_refused():
    assert parse_document("a: " + "x" * (LARGEST - 3), kind="yaml").data
    error = refused("a: " + "x" * (LARGEST - 2))
    assert str(error).startswith("it: It has 65,537 bytes, and a config may have 65,536. Move data")


@pytest.mark.parametrize("suffix", [".yaml", ".yml", ".YAML", ".toml", ".Json"])
def test_a_file_is_read_as_its_suffix_tells(suffix, tmp_path):
    text = {".toml": "a = 1", ".json": '{"a": 1}'}.get(suffix.lower(), "a: 1")
    file = tmp_path / f"config{suffix}"
    file.write_text(text)
    for path in (file, str(file)):
        document = load_document(path)
        assert document.data == {"a": 1}
        assert document.source == str(file)


def unread(path):
    """Return the error of a file that can't be read, without the file's name."""
    with pytest.raises(ConfigError) as caught:
        load_document(path)
    message = str(caught.value)
    # A name may have signs that a terminal doesn't show.
    assert message == printable(f"{path}: {caught.value.faults[0].message}")
    return caught.value.faults[0].message


def test_another_suffix_is_refused_with_those_that_are_read(tmp_path):
    file = tmp_path / "config.ini"
    assert "ends in .yaml, .yml, .toml or .json" in unread(file)
    file.write_text("a: 1")
    assert unread(file) == "A config's file ends in .yaml, .yml, .toml or .json. Rename it."


def test_a_missing_file_is_told_with_the_nearest_config(tmp_path):
    assert unread(tmp_path / "train.yaml") == "There is no such file. Check the path."
    assert unread(tmp_path / "no" / "train.yaml") == "There is no such file. Check the path."
    (tmp_path / "train.yml").touch()
    (tmp_path / "train.csv").touch()
    assert unread(tmp_path / "other.yaml") == "There is no such file. Check the path."
    assert unread(tmp_path / "trian.yaml") == (
        "There is no such file. Did you mean 'train.yml'? Check the path."
    )
    (tmp_path / "test.JSON").touch()
    assert "Did you mean 'test.JSON'?" in unread(tmp_path / "tets.json")


def test_a_folder_is_no_config(tmp_path):
    folder = tmp_path / "a.yaml"
    folder.mkdir()
    assert "This is a folder. Name a file in it that ends in .yaml" in unread(folder)
    assert "This is a folder." in unread(tmp_path)


def test_what_is_no_regular_file_is_not_opened(tmp_path):
    pipe = tmp_path / "pipe.yaml"
    os.mkfifo(pipe)
    assert "This isn't a regular file." in unread(pipe)
    zeros = tmp_path / "zeros.json"
    zeros.symlink_to("/dev/zero")
    assert "This isn't a regular file." in unread(zeros)


@pytest.mark.parametrize("name", ["\0.yaml", "x" * 300 + ".yaml", "loop.yaml"])
def test_a_path_that_the_system_refuses_is_an_error_of_ours(name, tmp_path):
    (tmp_path / "loop.yaml").symlink_to(tmp_path / "loop.yaml")
    assert "It can't be read: " in unread(tmp_path / name)
    assert "Check the path and its permissions." in unread(tmp_path / name)


@pytest.mark.parametrize("suffix", [".yaml", ".toml", ".json"])
def test_a_file_of_50_megabytes_is_refused_by_its_size(suffix, tmp_path):
    file = tmp_path / f"large{suffix}"
    file.touch()
    os.truncate(file, 50 * 1024**2)
    assert "It has 52,428,800 bytes, and a config may have 65,536." in unread(file)


def test_a_file_without_a_size_is_read_up_to_the_limit(tmp_path):
    memory = Path("/proc/self/smaps")
    if not memory.exists() or len(memory.read_bytes()) <= LARGEST:
        pytest.skip("no such file is large enough here")
    file = tmp_path / "memory.yaml"
    file.symlink_to(memory)
    assert file.stat().st_size == 0
    assert "It has 65,537 bytes, and a config may have 65,536." in unread(file)


@pytest.mark.fresh
def test_toml_and_json_need_no_yaml_parser_and_yaml_no_other():
    code = (
        "import sys; from lossreg.config.document import parse_document; "
        "parse_document('a = 1', kind='toml'); parse_document('{}', kind='json'); "
        "print('ruamel.yaml' in sys.modules); parse_document('a: 1', kind='yaml'); "
        "print('ruamel.yaml' in sys.modules, 'pydantic' in sys.modules, 'keras' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["False", "True", "False", "False"]


def test_an_unknown_kind_is_refused():
    with pytest.raises(ConfigError, match="A config is 'yaml', 'toml' or 'json', got kind='ini'"):
        parse_document("", kind="ini")
