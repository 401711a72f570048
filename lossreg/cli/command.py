"""The command itself: its subcommands, and what happens to errors and warnings."""

import importlib
import os
import warnings
from typing import Any, NoReturn

import click

from ..errors import LossregError, PluginWarning
from ..selection import ONLY

# Each is imported when it runs: what one of them needs shall not slow another.
_COMMANDS = {
    "list": "listing:list_",
    "show": "page:show",
    "plot": "figure:plot",
    "plugins": "plugins:plugins",
    "doctor": "plugins:doctor",
    "why": "plugins:why",
    "new": "new:new",
    "check": "check:check",
    "validate": "validate:validate",
    "schema": "validate:schema",
    "objective": "objective:objective",
    "fit": "fit:fit",
}

_FAULT = 2
_INTERRUPTED = 130  # 128 + SIGINT, as shells count


class _Fault(click.ClickException):
    exit_code = _FAULT


class _Command(click.Group):
    """A group whose errors and warnings are written for whoever types commands."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the subcommands."""
        return sorted({*super().list_commands(ctx), *_COMMANDS})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a subcommand, imported now."""
        if cmd_name not in _COMMANDS:
            return super().get_command(ctx, cmd_name)
        module, _, attribute = _COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(
            importlib.import_module(f".{module}", __package__), attribute
        )
        return command

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run the command line, with each plugin's warning as one line."""
        show_others = warnings.showwarning

        def show_warning(message: Any, category: type[Warning], *rest: Any, **more: Any) -> None:
            if issubclass(category, PluginWarning):
                click.echo(f"lossreg: {' '.join(str(message).split())}", err=True)
            else:
                show_others(message, category, *rest, **more)

        with warnings.catch_warnings():
            # Under `python -W error` too: a broken plugin stops no command.
            warnings.simplefilter("always", PluginWarning)
            warnings.showwarning = show_warning
            return super().main(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a subcommand, with each error as one paragraph."""
        try:
            return super().invoke(ctx)
        except LossregError as error:
            raise _Fault(str(error)) from error
        except OSError as error:
            if isinstance(error, BrokenPipeError):
                # click ends quietly there.
                raise
            raise _Fault(f"It can't be written: {error}.") from error
        except KeyboardInterrupt:
            # click would say "Aborted!" and exit with 1.
            ctx.exit(_INTERRUPTED)


def _version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        _print_versions(ctx)


def _print_versions(ctx: click.Context) -> NoReturn:
    from .versions import report

    click.echo(report())
    ctx.exit()


def _no_plugins(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        os.environ[ONLY] = ""


@click.group(cls=_Command, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_version,
    help="Show the versions of lossreg, Keras, its backend and the plugins.",
)
@click.option(
    "--no-plugins",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_no_plugins,
    help="Load no plugin but the built-ins, as LOSSREG_PLUGINS= does.",
)
def main() -> None:
    """Any Keras loss by name, from whichever package offers it.

    \b
    Examples:
      lossreg list                       every loss
      lossreg list --task multiclass     those for one class of several
      lossreg show focal                 parameters, documentation, how to use it
      lossreg plot huber --sweep delta=0.5,1,2
      lossreg validate config.yaml       every fault of a config, with its place
      lossreg fit config.yaml            train the model of a config
      lossreg doctor                     what is wrong with the installed plugins
      lossreg new acme-losses            a package of losses to begin with

    Data goes to stdout and messages to stderr. A command that was asked wrongly says
    what to do and exits with 2.
    """
