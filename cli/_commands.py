"""Groups of commands; those of some are the modules of a package.

Every module without a leading underscore holds `command`. Only the one that is called is imported: what the others do
is read from the first line of their files.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

import click

from safelight.cli._help import Context
from safelight.contracts.wording import did_you_mean, echoed, listed

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


class Group(click.Group):
    """A group that says what is near a command which there is not, and whose help has each sentence whole."""

    context_class = Context

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name, or None."""
        return _with_help(super().get_command(ctx, cmd_name))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click's, with a sentence of ours."""
        name, known = args[0], self.list_commands(ctx)
        if name not in known and not name.startswith("-") and not ctx.resilient_parsing:
            near = did_you_mean(name, known) or f"; there are {listed(known)}"
            raise click.UsageError(f"there is no command {echoed(name)}{near}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what there is, with its summary."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, self.summary(ctx, name)) for name in self.list_commands(ctx)])

    def summary(self, ctx: click.Context, name: str) -> str:
        """The first sentence of a command's help."""
        command = self.get_command(ctx, name)
        assert command is not None
        return " ".join(str(command.help).partition("\n\n")[0].split())


def _with_help(command: click.Command | None) -> click.Command | None:
    """The command, whose help is set as all help is."""
    if command:
        command.context_class = Context
    return command


class Commands(Group):
    """A group that lists and imports the modules of a package."""

    def __init__(self, *args: Any, package: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.package = package

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The commands' names, sorted."""
        names = {module.name for module in iter_modules(import_module(self.package).__path__)} - {"main"}
        return sorted(name for name in names if not name.startswith("_"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name, or None."""
        if cmd_name not in self.list_commands(ctx):
            return None
        return _with_help(import_module(f"{self.package}.{cmd_name}").command)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The commands that begin so, without importing them, and the group's own options."""
        from click.shell_completion import CompletionItem  # noqa: PLC0415 - only a shell that completes needs it

        names = [name for name in self.list_commands(ctx) if name.startswith(incomplete)]
        options = super(click.Group, self).shell_complete(ctx, incomplete)
        return [*(CompletionItem(name, help=self.summary(ctx, name)) for name in names), *options]

    def summary(self, ctx: click.Context, name: str) -> str:  # noqa: ARG002 - as the group's
        """What stands after the name in the first line of a command's file, which is not imported."""
        spec = find_spec(f"{self.package}.{name}")
        assert spec is not None
        assert spec.origin is not None
        with Path(spec.origin).open(encoding="utf-8") as file:
            summary = file.readline().strip().strip('"').partition(": ")[2]
        return summary[:1].upper() + summary[1:]
