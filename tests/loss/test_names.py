import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossreg.errors import LossNameError
from lossreg.loss.names import (
    LossName,
    canonical,
    did_you_mean,
    is_canonical,
    key,
    parse,
    shown,
    suggest,
)

WORDS = st.lists(st.from_regex(r"[a-z][a-z0-9]{0,6}", fullmatch=True), min_size=1, max_size=4)
DISTRIBUTIONS = st.none() | st.from_regex(r"[a-z]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True)


@pytest.mark.parametrize(
    ("spelled", "expected"),
    [
        ("BinaryCrossentropy", "binary_crossentropy"),
        ("binary-crossentropy", "binary_crossentropy"),
        ("BINARY_CROSSENTROPY", "binary_crossentropy"),
        ("FocalLoss", "focal"),
        ("focal_loss", "focal"),
        ("FOCAL_LOSS", "focal"),
        ("KLDivergence", "kl_divergence"),
        ("MSE", "mse"),
        ("QuarticLoss", "quartic"),
        ("log__cosh", "log_cosh"),
        ("lossless", "lossless"),
    ],
)
def test_a_name_has_one_canonical_spelling(spelled, expected):
    assert canonical(spelled) == expected


@pytest.mark.parametrize("spelled", ["LogCosh", "logcosh", "log-cosh", "log_cosh_loss", "LOG_COSH"])
def test_a_lookup_ignores_case_dashes_underscores_and_a_final_loss(spelled):
    assert key(spelled) == key("log_cosh")


@given(WORDS, DISTRIBUTIONS)
def test_parsing_is_the_inverse_of_printing(words, distribution):
    # A canonical name has no final "loss", and dashes in a row are one.
    name = LossName(loss=canonical("_".join(words)), distribution=distribution)
    if name.loss and (distribution is None or "--" not in distribution):
        assert parse(str(name)) == name


@given(WORDS)
def test_a_canonical_name_stays_as_it_is(words):
    name = "_".join(words)
    if is_canonical(name):
        assert canonical(name) == name


@pytest.mark.parametrize(
    "text", ["Acme.Losses/quartic", "acme_losses/Quartic", "ACME-LOSSES/quartic_loss"]
)
def test_a_distribution_is_compared_as_the_package_index_does(text):
    assert str(parse(text)) == "acme-losses/quartic"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("", "The name of a loss is empty. Give a name, such as 'huber'", id="empty"),
        pytest.param("  ", "The name of a loss is empty", id="only blanks"),
        pytest.param(
            "binary crossentropy", "it has spaces. Write 'binary_crossentropy'", id="blanks"
        ),
        pytest.param("focal loss", "it has spaces. Write 'focal'.", id="blank before loss"),
        pytest.param("keras.losses.Huber", "it has dots. Write 'huber'.", id="a path of Keras"),
        pytest.param("torch.nn.HuberLoss", "it has dots. Write 'huber'.", id="a path of torch"),
        pytest.param(" mse", "it has spaces. Write 'mse'", id="blank in front"),
        pytest.param("x" * 10_000, "it has 10000 characters, and a name has at most", id="long"),
        pytest.param("../huber", "A distribution and a slash may stand before it", id="dots"),
        pytest.param("a/b/c", "A distribution and a slash may stand before it", id="two slashes"),
        pytest.param("hu\0ber", "letters, digits and underscores", id="NUL"),
        pytest.param("os.system", "letters, digits and underscores", id="dotted path"),
        pytest.param("2x", "begins with a letter", id="digit first"),
        pytest.param("/huber", "letters, digits and underscores", id="no distribution"),
        pytest.param("keras/", "letters, digits and underscores", id="no loss"),
    ],
)
def test_an_illegal_name_says_what_is_allowed(text, message):
    with pytest.raises(LossNameError) as caught:
        parse(text)
    assert message in str(caught.value)
    assert len(str(caught.value)) < 400


def test_a_number_that_python_refuses_to_write_is_shown():
    assert shown(10**5000) == f"{hex(10**5000)[:60]}..."
    assert shown([10**5000]).startswith("[0x")
    assert shown(10**30) == str(10**30)


@given(st.text(max_size=300))
def test_any_text_is_a_name_or_a_name_error(text):
    with contextlib.suppress(LossNameError):
        assert parse(str(parse(text))) == parse(text)


@pytest.mark.parametrize(
    ("typo", "meant"),
    [("hubert", "huber"), ("binary_crosentropy", "binary_crossentropy"), ("focla", "focal")],
)
def test_a_typo_suggests_the_name_that_was_meant(typo, meant):
    assert suggest(typo, ["focal", "huber", "binary_crossentropy", "hinge"])[0] == meant


def test_part_of_a_name_suggests_the_names_that_hold_it():
    offered = ["binary_crossentropy", "categorical_crossentropy", "huber"]
    assert did_you_mean("crossentropy", offered) == (
        " Did you mean 'binary_crossentropy' or 'categorical_crossentropy'?"
    )


def test_nothing_is_suggested_where_nothing_is_near():
    assert did_you_mean("zzz", ["huber", "focal"]) == ""
