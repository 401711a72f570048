"""Random and mutated texts, through everything that reads a config without Keras.

`LOSSREG_FUZZ` is the least number of examples, over all tests of this file.
"""

import contextlib
import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from processor import at_most

import lossreg
from lossreg import ConfigError, LossregError
from lossreg.config import examine_experiment
from lossreg.config.document import parse_document
from lossreg.config.loss import read as read_loss

EXAMPLES = int(os.environ.get("LOSSREG_FUZZ", "2000"))


def share(eighths):
    return settings(
        max_examples=EXAMPLES * eighths // 8,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )


def loss_of(read):
    if isinstance(read.data, dict) and "loss" in read.data:
        return read.data["loss"]
    return "huber"


# What reads a config; each takes a Document, and may raise a LossregError.
READERS = [
    lambda read: read_loss(loss_of(read)),
    lambda read: lossreg.bind(loss_of(read)),
    lambda read: examine_experiment(read.data, read),
]


def ends_well(text, kind):
    """Check that a text ends in configs or errors of ours, within a second."""
    with at_most(1):
        try:
            read = parse_document(text, kind=kind, source="it")
        except ConfigError as error:
            told(error, text, kind)
        else:
            placed(read, read.data, ())
            for reader in READERS:
                with contextlib.suppress(LossregError):
                    reader(read)


def told(error, text, kind):
    """Check that an error is fit to be shown, and places its faults within the text."""
    assert error.faults
    assert str(error).replace("\n", "").isprintable()
    assert all(fault.message for fault in error.faults)
    if isinstance(text, str) and kind != "toml":
        for fault in error.faults:
            assert fault.line is None or within(text, fault.line, fault.column)


def placed(read, data, path):
    """Check that each value and key has a place, and that nothing but plain data was read."""
    position = read.position(path)
    assert (position is None) == (read.places is None)
    assert type(data) in (dict, list, str, int, float, bool, type(None))
    if isinstance(data, dict):
        for key, value in data.items():
            assert type(key) is str
            placed(read, value, (*path, key))
    if isinstance(data, list):
        for index, value in enumerate(data):
            placed(read, value, (*path, index))


def within(text, line, column):
    # YAML ends a line at \r too, and the others, and the check of characters, don't.
    text = text.removeprefix("\ufeff")
    lines, more = text.split("\n"), text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return any(line <= len(each) and column <= len(each[line - 1]) + 1 for each in (lines, more))


KINDS = st.sampled_from(["yaml", "toml", "json"])


@share(1)
@given(st.binary(max_size=200), KINDS)
def test_any_bytes_end_in_a_config_or_an_error_of_ours(content, kind):
    ends_well(content, kind)


NASTY = [
    *[
        "!!python/object/apply:os.system [x]",
        "!!python/name:os.system",
        "!!binary ",
        "!!set ",
        "! ",
    ],
    *["&a ", "*a", "&a [*a]", "<<: *a\n", "<<: {loss: mse}\n", "%YAML 1.1\n---\n", "%TAG ! x\n"],
    *[
        "---\n",
        "...\n",
        "? ",
        ": ",
        "- ",
        "-",
        "|\n",
        ">\n ",
        "|2-\n",
        "# ",
        ",",
        "@",
        "`",
        "=",
        "_",
    ],
    *[")", "0.01)", "f(1, 2)", "f(", "{f(1, 2), g(3)}", "[f(1, 2)]", "(", "{", "}", "[", "]", "]]"],
    *[
        "'",
        '"',
        '"""',
        "'''",
        "\\",
        "\\U00110000",
        "\\ud800",
        "\\u0000",
        "\\x",
        "\\N",
        "\\\n",
        "''",
    ],
    *["\0", "\t", "\r", "\r\n", "\n", "\n\n", "  ", "\n  ", "\x1b", "\x7f", "\x85", "\u2028"],
    *["\ufeff", "\ud800", "\uffff", "😀", "é"],
    *[".nan", ".inf", "-.inf", "NaN", "Infinity", "nan", "-inf", "1e400", "-1e400", "1e-400"],
    *["9" * 400, "9" * 5000, "0x" + "f" * 400, "0o17", "0o8", "0b1", "1_000", "-_", "+", ".", "1."],
    *[
        "2024-01-01",
        "2024-13-01",
        "07:30:00",
        "2024-01-01T00:00:00Z",
        "~",
        "null",
        "true",
        "no",
        "<<",
    ],
    *["[[a]]\n", "[a.b]\n", "a.b = 1\n", "a.a.a.a = {a = 1}\n", "= ", "{a = 1}", "loss = 'mse'\n"],
    *["loss: mse\n", "'loss': 3\n", "loss: {sum: [mse, mae]}\n", '"loss": "huber(delta=2)",'],
    *[
        "__import__('os').system('x')",
        "lambda: 1",
        "focal(gamma=2)",
        "0.5 * dice + mse",
        "* 2",
        "f()()",
    ],
    *["outputs", "class_name", "config", "name", "params", "weight", "sum", "options", "module"],
]
LONG = st.builds(
    lambda piece, times: piece * times,
    st.sampled_from(
        [*"[{(?-:&*!'\"\\#.,", "- ", "? ", "[{", '{"a":', "a.", "a: ", "{a = ", "*a, "]
    ),
    st.integers(1, 3000),
)
PIECES = st.sampled_from(NASTY) | st.text(max_size=5) | LONG


@share(2)
@given(st.lists(PIECES, max_size=25).map("".join), KINDS)
def test_any_text_ends_in_a_config_or_an_error_of_ours(text, kind):
    ends_well(text, kind)


GOOD = {
    "yaml": [
        "loss: 0.5 * huber(delta=2) + mse\nother: [1, 2.5, x, {y: true}]\n",
        "loss:\n  name: huber\n  params: {delta: 2}\n  options:\n    reduction: sum\n",
        "loss:\n- mse\n- {name: huber, params: {delta: 1e-3}, weight: 2}\n",
        "a: &a {delta: 2}\nloss: {name: huber, params: *a}\ntext: |\n  x\n\n  y\n",
        "loss: {outputs: {mask: dice, label: 'huber(delta=2)'}}\n",
        "loss:\n  class_name: Huber\n  config: {delta: 2.0, reduction: sum}\n  module: null\n",
        "model:\n  - Input:\n      shape: [8]\n  - Dense:\n      units: 1\n"
        "      kernel_regularizer: l1_l2(0.01, 0.01)\ncompile:\n  optimizer: adam(1e-3)\n"
        "  loss: {name: huber, params: {delta: 2}}\n  metrics: [AUC, mae]\n"
        "data: {file: a.csv, target: y}\nfit: {epochs: 2}\n",
    ],
    "toml": [
        'loss = "0.5 * huber(delta=2) + mse"\nother = [1, 2.5, "x", {y = true}]\n',
        '[loss]\nname = "huber"\nparams.delta = 2\n\n[loss.options]\nreduction = "sum"\n',
        '[[loss]]\nname = "mse"\n[[loss]]\nname = "huber"\nweight = 2e-3\nparams = {delta = 1}\n',
        '[loss.outputs]\nmask = "dice"\nlabel = \'huber(delta=2)\'\ntext = """\nx"""\n',
        'model = [{Input = {shape = [8]}}, {Dense = {units = 1}}]\n[compile]\nloss = "mse"\n'
        'metrics = ["AUC"]\n[data]\nfile = "a.csv"\ntarget = "y"\n[fit]\nepochs = 2\n',
    ],
    "json": [
        '{"loss": "0.5 * huber(delta=2) + mse", "other": [1, 2.5, "x", {"y": true}]}',
        '{"loss": {"name": "huber", "params": {"delta": 2}, "options": {"reduction": "sum"}}}',
        '{"loss": [\n  "mse",\n  {"name": "huber", "weight": 2e-3}\n]}',
        '{"loss": {"class_name": "Huber", "config": {"delta": 2.0}, "module": null}}',
        '{"model": [{"Input": {"shape": [8]}}, {"Dense": {"units": 1}}],\n'
        ' "compile": {"loss": "mse", "optimizer": "adam(1e-3)", "metrics": ["AUC"]},\n'
        ' "data": {"file": "a.csv", "target": "y"}, "fit": {"epochs": 2}}',
    ],
}


@pytest.mark.parametrize(("kind", "text"), [(kind, each) for kind in GOOD for each in GOOD[kind]])
def test_what_is_mutated_is_a_config_before(kind, text):
    read = parse_document(text, kind=kind)
    if "model" in read.data:
        assert examine_experiment(read.data, read)[0]
    else:
        assert read_loss(read.data["loss"])


@st.composite
def mutated(draw):
    """Draw a good config with a few pieces inserted, removed, replaced, doubled or moved."""
    kind = draw(KINDS)
    text = draw(st.sampled_from(GOOD[kind]))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(text)))
        end = min(len(text), at + draw(st.integers(0, 12)))
        to = draw(st.integers(0, len(text)))
        before, piece, after = text[:at], text[at:end], text[end:]
        match draw(st.sampled_from(["insert", "insert", "remove", "replace", "double", "move"])):
            case "insert":
                text = before + draw(PIECES) + piece + after
            case "remove":
                text = before + after
            case "replace":
                text = before + draw(PIECES) + after
            case "double":
                text = before + piece * draw(st.integers(2, 20)) + after
            case "move":
                rest = before + after
                text = rest[:to] + piece + rest[to:]
    return kind, text


@share(4)
@given(mutated())
def test_a_mutated_config_ends_in_a_config_or_an_error_of_ours(drawn):
    kind, text = drawn
    ends_well(text, kind)


@share(1)
@given(mutated(), st.binary(min_size=1, max_size=3), st.floats(0, 1))
def test_mutated_bytes_of_a_config_end_in_a_config_or_an_error_of_ours(drawn, piece, where):
    kind, text = drawn
    content = text.encode(errors="surrogatepass")
    at = int(where * len(content))
    ends_well(content[:at] + piece + content[at:], kind)


WORDS = st.sampled_from(
    [
        *("name", "params", "options", "sum", "outputs", "weight", "loss", "version"),
        *("class_name", "config", "module", "_target_", "_args_", "delta", "reduction", "dtype"),
        *("huber", "mse", "keras/huber", "hubre", "RegisteredSum", "lossreg>RegisteredLoss"),
        *("lossreg.get_loss", "os.system", "mse + 2 * huber(2)", "function", "..", "a/b/c", "\0"),
    ]
)
SCALARS = (
    WORDS
    | st.none()
    | st.booleans()
    | st.floats()
    | st.sampled_from([10**400, -(10**400), 0, -1, 2, b"huber", {1, 2}, object()])
)
DATA = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(WORDS | st.integers(0, 2), inner, max_size=4)
    ),
    max_leaves=12,
)


@share(2)
@given(DATA)
def test_any_data_of_a_program_are_a_loss_or_an_error_of_ours(data):
    for reader in (lossreg.bind, lossreg.LossConfig, lossreg.build_model):
        with contextlib.suppress(LossregError):
            # No model is in it, so that none is built.
            reader(data)
