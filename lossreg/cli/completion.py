"""Shell completion of the names of losses and plugins. It writes no messages."""

import click
from click.shell_completion import CompletionItem

from ..errors import printable
from ..registry import installed


def complete_loss(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the losses whose name, alias or qualified name begins with a string."""
    del ctx, param  # click passes them to every completion
    offered = {}
    for entry in installed().entries():
        names = (entry.qualified_name,) if "/" in incomplete else entry.spec.names
        offered.update(dict.fromkeys(names, entry.spec.summary))
    return [
        CompletionItem(name, help=printable(summary))
        for name, summary in offered.items()
        if name.startswith(incomplete)
    ]


def complete_plugin(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the distributions whose name begins with a string."""
    del ctx, param
    found = {printable(record.provider.distribution) for record in installed().plugins}
    return [CompletionItem(name) for name in sorted(found) if name.startswith(incomplete)]
