"""What the shell offers where a command takes a name."""

import warnings

import click
from click.shell_completion import CompletionItem

from .. import discovery
from ..errors import PluginWarning
from ..registry import Registry


def complete_loss(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the losses whose name, alias or qualified name begins like this."""
    del ctx, param  # click gives them to every completion
    offered = {}
    for entry in _registry().entries():
        names = (entry.qualified_name,) if "/" in incomplete else entry.spec.names
        offered.update(dict.fromkeys(names, entry.spec.summary))
    return [
        CompletionItem(name, help=summary)
        for name, summary in offered.items()
        if name.startswith(incomplete)
    ]


def complete_plugin(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the distributions whose name begins like this."""
    del ctx, param
    found = {record.provider.distribution for record in _registry().plugins}
    return [CompletionItem(name) for name in sorted(found) if name.startswith(incomplete)]


def _registry() -> Registry:
    with warnings.catch_warnings():
        # A message would land in the middle of the command that someone is typing.
        warnings.simplefilter("ignore", PluginWarning)
        return discovery.installed()
