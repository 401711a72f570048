"""`lossreg plugins`, `doctor` and `why`: the plugins, their faults, and what a name means."""

from collections.abc import Sequence
from typing import Any

import click

from ..loss import parse
from ..registry import PluginFinding, PluginRecord, Severity, examine_plugins, installed
from .completion import complete_loss
from .output import write, write_json, write_table

_STYLES = {"error": "bold red", "warning": "yellow", "note": "dim", "active": "green"}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Write everything that is known, as JSON.")
def plugins(as_json: bool) -> None:
    """List the installed plugins, each with its state.

    A plugin is active, broken, blocked by LOSSREG_BLOCK or skipped by LOSSREG_PLUGINS.

    \b
    Examples:
      lossreg plugins
      lossreg plugins --json
      LOSSREG_BLOCK=acme-losses lossreg plugins
    """
    records = installed().plugins
    if as_json:
        write_json([_as_data(record) for record in records])
        return
    header = ["PLUGIN", "VERSION", "ENTRY POINT", "STATE", "LOSSES", "COMMANDS", "IMPORT"]
    write_table(header, [_row(record) for record in records], "STATE", _STYLES)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Write the findings as JSON.")
@click.pass_context
def doctor(ctx: click.Context, as_json: bool) -> None:
    """Import the losses and commands of every plugin, and report what is wrong.

    The exit code is 1 if a loss or a command can't be used, and 0 if there are only warnings.

    \b
    Examples:
      lossreg doctor
      lossreg doctor --json | jq '.findings[].message'
    """
    registry = installed()
    findings = examine_plugins(registry)
    if as_json:
        write_json(
            {
                "plugins": [_as_data(record) for record in registry.plugins],
                "findings": [_finding(finding) for finding in findings],
            }
        )
    else:
        _report(findings, len(registry.plugins))
    ctx.exit(any(finding.severity == "error" for finding in findings))


@click.command()
@click.argument("name", shell_complete=complete_loss)
@click.option("--json", "as_json", is_flag=True, help="Write the explanation as JSON.")
@click.pass_context
def why(ctx: click.Context, name: str, as_json: bool) -> None:
    """Explain what NAME means: who offers it, which loss it is, and by which rule.

    The exit code is 1 if NAME means no loss, or more than one.

    \b
    Examples:
      lossreg why mse
      lossreg why focal
      lossreg why lossreg-focal/focal
    """
    resolution = installed().explain(name)
    chosen = resolution.chosen.qualified_name if resolution.chosen else None
    offers = [entry.qualified_name for entry in resolution.offers]
    if as_json:
        write_json({"name": name, "offers": offers, "means": chosen, "rule": resolution.rule})
    else:
        folded = str(parse(name))
        lines = [f"{name!r} is read as {folded!r}."] if folded != name else []
        lines += [
            f"It is offered as {entry.qualified_name!r} by {entry.provider}."
            for entry in resolution.offers
        ]
        lines += [f"It means {chosen!r}: {resolution.rule}" if chosen else resolution.rule]
        write("\n".join(lines))
    ctx.exit(0 if chosen else 1)


def _row(record: PluginRecord) -> list[str]:
    why_not = f"{record.state} ({record.stage})" if record.stage else record.state
    imported = f"{1000 * record.seconds:.0f} ms" if record.seconds else ""
    is_active, provider = record.state == "active", record.provider
    return [
        provider.distribution,
        provider.version,
        record.entry_point,
        why_not,
        str(len(record.losses)) if is_active else "",
        str(len(record.commands)) if is_active else "",
        imported,
    ]


def _report(findings: Sequence[PluginFinding], plugins: int) -> None:
    if findings:
        rows = [
            [str(finding.record.provider), finding.severity, finding.message]
            for finding in findings
        ]
        write_table(["PLUGIN", "SEVERITY", "FINDING"], rows, "SEVERITY", _STYLES)
    severities: tuple[Severity, ...] = ("error", "warning", "note")
    counts = {name: sum(finding.severity == name for finding in findings) for name in severities}
    found = [f"{count} {name}{'s' * (count > 1)}" for name, count in counts.items() if count]
    examined = f"{plugins} plugin{'s' * (plugins > 1)} examined"
    write(f"{examined}: {', '.join(found) or 'nothing is wrong'}.", err=True)


def _as_data(record: PluginRecord) -> dict[str, Any]:
    return {
        "distribution": record.provider.distribution,
        "version": record.provider.version,
        "entry_point": record.entry_point,
        "module": record.module,
        "attribute": record.attribute or None,
        "location": record.location,
        "leftovers": record.leftovers,
        "state": record.state,
        "stage": record.stage,
        "error": record.fault or None,
        "rule": record.rule or None,
        "losses": record.losses,
        "commands": record.commands,
        "seconds": record.seconds,
        "heavy": record.heavy,
    }


def _finding(finding: PluginFinding) -> dict[str, Any]:
    return {
        "distribution": finding.record.provider.distribution,
        "entry_point": finding.record.entry_point,
        "severity": finding.severity,
        "message": finding.message,
    }
