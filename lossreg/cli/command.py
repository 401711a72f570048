"""The command itself: its subcommands, and what happens to errors and warnings."""

import contextlib
import importlib
import os
import warnings
from collections.abc import Iterable, Iterator
from typing import Any, Literal, NoReturn

import click

from ..errors import BrokenPluginError, LossregError, PluginWarning, printable
from ..loss import did_you_mean
from ..registry import COMMANDS, ONLY, installed, load_from
from .output import INTERRUPTED, Unusable, drop_stdout, streams, write

# Each is imported when it runs, so that the imports of one don't slow another.
_CORE = {
    "list": "listing:list_",
    "show": "page:show",
    "plot": "figure:plot",
    "explore": "explore:explore",
    "plugins": "plugins:plugins",
    "doctor": "plugins:doctor",
    "why": "plugins:why",
    "new": "new:new",
    "check": "check:check",
    "validate": "validate:validate",
    "schema": "validate:schema",
}

_COMPLETES = "_LOSSREG_COMPLETE"  # the variable that click's scripts for shells set


class _Command(click.Group):
    """A group whose errors and warnings are sentences for its user.

    Plugins are discovered for the help, and for a command that the core doesn't have.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the core's commands and of the plugins' commands."""
        offered = (name for record in installed().plugins for name in record.commands)
        return sorted({*self._core(ctx), *offered})

    def _core(self, ctx: click.Context) -> set[str]:
        return {*super().list_commands(ctx), *_CORE}

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, imported now. A plugin can't replace one of the core's."""
        if cmd_name in _CORE:
            module, _, attribute = _CORE[cmd_name].partition(":")
            command: click.Command = getattr(
                importlib.import_module(f".{module}", __package__), attribute
            )
            return command
        try:
            return super().get_command(ctx, cmd_name) or _plugin_command(cmd_name)
        except LossregError:
            if ctx.resilient_parsing:
                # As in `main`.
                return None
            raise

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that was typed, with its name and its arguments."""
        if not ctx.resilient_parsing and self.get_command(ctx, args[0]) is None:
            raise Unusable(_absence(args[0], self.list_commands(ctx)))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the core's commands, and after them the commands of each package."""
        core = self._core(ctx)
        sections = {"Commands": core}
        for record in installed().plugins:
            names = sections.setdefault(f"Commands of {record.provider}", set())
            names |= record.commands.keys() - core
        for title, names in sections.items():
            if names:
                with formatter.section(printable(title)):
                    width = formatter.width - max(map(len, names)) - 6
                    formatter.write_dl(list(self._rows(ctx, sorted(names), width)))

    def _rows(
        self, ctx: click.Context, names: Iterable[str], width: int
    ) -> Iterator[tuple[str, str]]:
        """Yield each command with its short help, or with the reason why it can't be used."""
        for name in names:
            try:
                command = self.get_command(ctx, name)
            except LossregError as error:
                yield name, str(error)
            else:
                yield name, printable(command.get_short_help_str(width)) if command else ""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run the command line, with each plugin's warning as one line."""
        show_others = warnings.showwarning

        def show_warning(message: Any, category: type[Warning], *rest: Any, **more: Any) -> None:
            if issubclass(category, PluginWarning):
                write(f"lossreg: {' '.join(str(message).split())}", err=True)
            else:
                show_others(message, category, *rest, **more)

        with streams(), warnings.catch_warnings():
            # Even under `python -W error`, a broken plugin stops no command. A shell that
            # completes a line has no place for a message.
            action: Literal["ignore", "always"] = "ignore" if _COMPLETES in os.environ else "always"
            warnings.simplefilter(action, PluginWarning)
            warnings.showwarning = show_warning
            return super().main(*args, **kwargs)

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """Read the command line. The help and the versions are written here."""
        with _sentences():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        with _sentences():
            return super().invoke(ctx)


@contextlib.contextmanager
def _sentences() -> Iterator[None]:
    """Make each error one printable paragraph."""
    try:
        yield
    except click.ClickException as error:
        # click declares it final, and has no other way to change what it shows.
        error.message = printable(error.message)  # type: ignore[misc]
        raise
    except LossregError as error:
        raise Unusable(str(error)) from error
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            # click ends quietly then.
            raise
        drop_stdout()
        reason = ": ".join(str(part) for part in (error.filename, error.strerror or error) if part)
        raise Unusable(
            f"A file or a stream can't be read or written ({printable(reason)}). "
            "Check that its folder exists, that you may use it, and that the disk isn't full."
        ) from error
    except KeyboardInterrupt:
        # click would write "Aborted!" and exit with 1.
        raise click.exceptions.Exit(INTERRUPTED) from None


def _plugin_command(name: str) -> click.Command | None:
    """Return the command that a plugin offers, imported now, or None if no plugin does.

    Raises:
        LossregError: Several packages offer it, or it can't be used.
    """
    # Two entry points of a package may name the same module.
    offers = {
        (record.provider, record.commands[name])
        for record in installed().plugins
        if name in record.commands
    }
    if not offers:
        return None
    if len(offers) > 1:
        providers = sorted(str(provider) for provider, _ in offers)
        raise LossregError(
            f"Command {name!r} is offered by {' and by '.join(providers)}. Uninstall all but one "
            "of them, or keep the others from loading with LOSSREG_BLOCK."
        )
    ((provider, target),) = offers
    command = load_from(provider, target, f"Command {name!r}")
    if not isinstance(command, click.Command):
        raise BrokenPluginError(
            f"Command {name!r} of {provider} can't be used: its target {target!r} must be a click "
            f"command, got {type(command).__name__}. Repair or update that package."
        )
    return command


def _absence(name: str, commands: Iterable[str]) -> str:
    """Return why there is no command of a name, and what to do."""
    package = COMMANDS.get(name)
    suspects = [r for r in installed().plugins if package in (None, r.provider.distribution)]
    if not suspects:
        return (
            f"Command {name!r} is offered by {package!r}, which isn't installed. "
            f"Install it: pip install {package}"
        )
    near = did_you_mean(name, {*commands, *COMMANDS} - {name})
    message = f"There is no command {name!r}.{near} 'lossreg --help' lists all."
    return message + "".join(record.absence for record in suspects)


def _version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        _print_versions(ctx)


def _print_versions(ctx: click.Context) -> NoReturn:
    from .versions import report

    write(report())
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
      lossreg list --task multiclass     losses for one class of several
      lossreg show focal                 parameters, documentation, how to use it
      lossreg plot huber --sweep delta=0.5,1,2
      lossreg explore                    a page with a slider for each parameter
      lossreg validate config.yaml       every fault of a config, with its place
      lossreg fit config.yaml            train the model of a config
      lossreg doctor                     what is wrong with the installed plugins
      lossreg new acme-losses            a package of losses to begin with

    Data goes to stdout and messages to stderr. After a mistake in a command, the message says
    what to do, and the exit code is 2; it is 1 where validate, check, doctor or why find faults.
    """
