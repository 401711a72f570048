"""Control characters in what packages and files say: none of them reaches a terminal."""

import io
import sys
import warnings

import click
import pytest
from click.testing import CliRunner

from lossreg import ConfigError, LossSpec
from lossreg.cli import console, main, write
from lossreg.cli.output import write_table
from lossreg.config import bind_saved
from lossreg.errors import Fault, LossregError, PluginWarning, SpecError, printable

# A cleared screen, a new title of the window, a line written over, a name that reads backwards.
ATTACKS = {
    "escape": ("\x1b[2J", r"\x1b[2J"),
    "title": ("\x1b]0;owned\x07", r"\x1b]0;owned\x07"),
    "C1": ("\x9b2J", r"\x9b2J"),
    "return": ("safe\rowned", r"safe\rowned"),
    "backspace": ("a\x08b", r"a\x08b"),
    "direction": ("\u202egpj.exe", r"\u202egpj.exe"),
    "isolate": ("\u2066x\u2069", r"\u2066x\u2069"),
    "invisible": ("a\u200bb\ufeff", r"a\u200bb\ufeff"),
    "tag": ("\U000e0041", r"\U000e0041"),
    "line": ("a\u2028b", r"a\u2028b"),
    "surrogate": ("\udcff", r"\udcff"),
    "delete": ("\x7f", r"\x7f"),
}
attacks = pytest.mark.parametrize(("text", "shown"), ATTACKS.values(), ids=ATTACKS)


class Terminal(io.StringIO):
    def isatty(self):
        return True


@attacks
def test_an_attack_is_escaped(text, shown):
    assert printable(text) == shown
    # Twice is once.
    assert printable(shown) == shown


@pytest.mark.parametrize(
    "text", ["é ≤ π", "a\n\tb", "\N{FAMILY}\u200d\N{GIRL}", "\u0646\u0645\u06cc\u200c\u062e\u0648"]
)
def test_text_of_any_language_stays(text):
    assert printable(text) == text


@attacks
def test_every_way_out_escapes_it(text, shown, monkeypatch):
    out = Terminal()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setenv("COLUMNS", "100")
    write(text)
    write_table(["STATE", "MESSAGE"], [["x", text]], "STATE", {})
    with console() as terminal:
        terminal.print(text, markup=False)
    monkeypatch.setattr(out, "isatty", lambda: False)
    write_table(["STATE", "MESSAGE"], [["x", text]], "STATE", {})
    with console() as terminal:
        terminal.print(text, markup=False)
    written = out.getvalue()
    assert text not in written
    # rich drops a return and a backspace by itself, and str.split breaks at some.
    assert shown in written


@attacks
def test_an_error_and_a_warning_are_printable(text, shown):
    assert str(LossregError(text)) == shown
    assert str(PluginWarning(text)) == shown
    assert str(ConfigError.of([Fault(message=text, path=("a",))])) == f"a: {shown}"


@attacks
def test_a_spec_refuses_it(text, shown):
    with pytest.raises(SpecError, match="summary must"):
        LossSpec(
            name="swift", target="a:b", summary=text, task=("regression",), y_true="real",
            y_pred="real",
        )  # fmt: skip


def test_the_version_in_a_saved_model_writes_no_line_of_its_own():
    version = "1.0\nERROR root: all is lost\x1b[2J"
    with pytest.raises(LossregError) as caught:
        bind_saved({"loss": "acme-losses/swift", "version": version, "params": {}})
    (line,) = str(caught.value).splitlines()
    assert r"1.0\nERROR root: all is lost\x1b[2J" in line


@attacks
def test_errors_of_click_and_warnings_are_printable(text, shown):
    def fail():
        warnings.warn(text, PluginWarning, stacklevel=1)
        raise click.UsageError(text)

    group = type(main)(name="lossreg", commands={"it": click.Command("it", callback=fail)})
    result = CliRunner().invoke(group, ["it"])
    assert f"Error: {shown}\n" in result.stderr
    assert "\nlossreg: " in f"\n{result.stderr}"
    assert text not in result.stderr


def test_colours_of_a_plugins_command_stay():
    def greet():
        click.secho("Hello.", fg="red")

    group = type(main)(name="lossreg", commands={"it": click.Command("it", callback=greet)})
    assert CliRunner().invoke(group, ["it"], color=True).stdout == "\x1b[31mHello.\x1b[0m\n"
