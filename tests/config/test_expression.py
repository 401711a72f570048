import contextlib
import os
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lossreg import LossregError
from lossreg.config.expression import LONGEST, Call, parse
from lossreg.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "calls"),
    [
        ("focal", [Call(name="focal")]),
        ("focal(gamma=2)", [Call(name="focal", kwargs={"gamma": 2})]),
        ("focal(2, -0.5)", [Call(name="focal", args=(2, -0.5))]),
        ("'lossreg-focal/focal'()", [Call(name="lossreg-focal/focal")]),
        (
            "dice + 0.5 * focal(gamma=2)",
            [Call(name="dice"), Call(name="focal", kwargs={"gamma": 2}, weight=0.5)],
        ),
        ("mse * 3 + -1e-3*mae", [Call(name="mse", weight=3.0), Call(name="mae", weight=-0.001)]),
        (
            "f(a=[1, (2, 3)], b=true, c=False, d=null, e=None, f='x')",
            [
                Call(
                    name="f",
                    kwargs={
                        "a": (1, (2, 3)),
                        "b": True,
                        "c": False,
                        "d": None,
                        "e": None,
                        "f": "x",
                    },
                )
            ],
        ),
    ],
)
def test_an_expression_is_read(text, calls):
    assert list(parse(text)) == calls


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("keras/huber(2)", "in quotes if it has a slash: 'keras/huber'(2)"),
        ("  f(a=-x)", "'-x' at column 5"),
        ("f(x)()", "'f(x)' at column 1 isn't allowed: a name is needed here"),
        ("f[0]", "'f[0]' at column 1 isn't allowed"),
        ("a < b", "'a < b' at column 1 isn't allowed"),
        ("os.system", "'os.system' at column 1 isn't allowed"),
        ("lambda: 1", "'lambda: 1' at column 1 isn't allowed"),
        ("[x for x in y]", "'[x for x in y]' at column 1 isn't allowed"),
        ("f(a=g+h)", "'g+h' at column 5 isn't allowed: an argument is a number, a string"),
        ("f(**x)", "'x' at column 5 isn't allowed: '**' isn't supported"),
        ("f(*x)", "'*x' at column 3 isn't allowed"),
        ("f(a=1, a=2)", "'2' at column 10 isn't allowed: 'a' is given twice"),
        ("f(1e400)", "'1e400' at column 3 isn't allowed: a number must be finite"),
        ("f(" + "9" * 400 + ")", "a number must be finite"),
        ("2 * 3 * f", "a term can be multiplied by one number"),
        ("f * g", "a term can be multiplied by one number"),
        ("-mse", "'-' isn't supported before a loss. Multiply the loss: '-1 * mse'"),
        ("mse + -mae", "'-mae' at column 7 isn't allowed: '-' isn't supported before a loss"),
        ("0.5*(mse+mae)", "'mse+mae' at column 6 isn't allowed: a sum in brackets can't be"),
        ("(f + g) * 2", "Multiply each term: '0.5 * mse + 0.5 * mae'"),
        ("mse/2", "'/' isn't supported. Multiply by a fraction instead: '0.5 * mse'"),
        ("huber(2) / 2", "'/' isn't supported. Multiply by a fraction instead"),
        ("2 * 3", "'3' at column 5 isn't allowed: a number isn't a loss. Multiply a loss by it"),
        ("mse + 2", "'2' at column 7 isn't allowed: a number isn't a loss"),
        ("mse, mae", "a string holds one loss or a sum. Add losses with '+': 'mse + mae'"),
        ('["mse", "mae"]', "Add losses with '+': 'mse + mae'"),
        (
            '{"name": "huber"}',
            "is a mapping in a string. Give the mapping, such as from json.loads",
        ),
        ("focal(gamma=${gamma})", "Fill in the variable first; for OmegaConf and Hydra: OmegaConf"),
        ("${loss}", "OmegaConf.to_container(config, resolve=True)"),
        (
            "f(a=yes)",
            "an argument is a number, a string, a list, True, False, None or a loss. Write True",
        ),
        ("f(a=off)", "Write False (false in YAML and JSON)"),
        ("f(a=none)", "Write None (null in YAML and JSON)"),
        (
            "lossreg-focal/focal(gamma=2)",
            "a name with a slash is written in quotes: \"'lossreg-focal/focal'(gamma=2)\"",
        ),
        ("f - g", "isn't allowed: '-' isn't supported. Add a negative multiple instead: 'mse + -1"),
        ("3", "'3' at column 1 isn't allowed: a number isn't a loss. Multiply a loss by it"),
        ("f(1j)", "'1j' at column 3 isn't allowed"),
        ("f(b'x')", "\"b'x'\" at column 3 isn't allowed"),
        ("f(x := 1)", "'x := 1' at column 3 isn't allowed"),
        ("f'{a}'", "isn't allowed: a name is needed here"),
        ("", "'' can't be read"),
        ("f +", "'f +' can't be read"),
        ("f\0", "can't be read"),
        ("f; g", "'f; g' can't be read at column 2"),
        ("f[a=2]", ". Write 'f(a=2)'. An expression holds"),
        ("f{a: 2}", "Write 'f(a=2)'."),
        ("f(a: 2)", "Write 'f(a=2)'."),
        ("f(a='b:c', d: 2)", "Write \"f(a='b:c', d=2)\"."),
        ("f(a=2", "'f(a=2' can't be read at column 2. Write 'f(a=2)'."),
        ("f(a=2))", "'f(a=2))' can't be read at column 7. An expression holds"),
        ("f[2]", "'f[2]' at column 1 isn't allowed: parameters stand in round brackets: 'f(2)'."),
        (
            "keras.losses.Huber(2)",
            "at column 1 isn't allowed: a loss is named without dots: 'huber'",
        ),
        ("f(" + "[" * 30 + "]" * 30 + ")", "lists and calls can be nested 20 deep"),
        ("f(a=" * 30 + "g" + ")" * 30, "lists and calls can be nested 20 deep"),
        ("(" * 900 + "f" + ")" * 900, "can't be read"),
        ("-" * 1900 + "1", "isn't allowed"),
        ("f" * (LONGEST + 1), f"has {LONGEST + 1} characters; at most {LONGEST} are allowed"),
    ],
)
def test_a_string_that_is_no_expression_is_refused_with_where_and_why(text, message):
    with pytest.raises(ConfigError) as caught:
        parse(text)
    assert message in str(caught.value)
    assert len(str(caught.value)) < 500


NAMES = st.from_regex(r"[a-z]{1,5}(_[a-z]{1,3})?", fullmatch=True).filter(
    lambda name: name not in ("true", "false", "null") and not __import__("keyword").iskeyword(name)
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**6), 10**6)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(string.printable, max_size=5),
    lambda entries: st.lists(entries, max_size=3).map(tuple),
    max_leaves=4,
)
CALLS = st.builds(
    Call,
    name=NAMES | st.just("lossreg-focal/focal"),
    args=st.lists(VALUES, max_size=2).map(tuple),
    kwargs=st.dictionaries(NAMES, VALUES, max_size=2),
    weight=st.floats(allow_nan=False, allow_infinity=False),
)


@given(st.lists(CALLS, min_size=1, max_size=4))
def test_reading_is_the_inverse_of_writing(calls):
    text = " + ".join(map(str, calls))
    if len(text) <= LONGEST:
        assert list(parse(text)) == calls


PIECES = st.sampled_from(
    [*"()[]{}+-*/.,=:'\"#@\\\n\0 ", "focal", "gamma", "1e400", "nan", "lambda", "**", "0.5", "é"]
)


@settings(max_examples=int(os.environ.get("LOSSREG_FUZZ", "2000")))
@given(st.text(max_size=60) | st.lists(PIECES, max_size=30).map("".join))
def test_any_text_is_an_expression_or_an_error_of_ours(text):
    with contextlib.suppress(LossregError):
        assert parse(text)


def test_an_argument_may_be_a_name_or_a_call():
    (term,) = parse("ohem(base=huber(delta=2), other=mse)")
    assert term.kwargs == {
        "base": Call(name="huber", kwargs={"delta": 2}),
        "other": Call(name="mse"),
    }
    assert str(term) == "ohem(base=huber(delta=2), other=mse)"
