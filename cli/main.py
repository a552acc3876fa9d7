"""`safelight`: the group whose commands are the modules of this folder.

Every module without a leading underscore holds `command`, and imports nothing heavy until that runs:
`--help` pays for all of them.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

import click

import safelight.cli


class _Commands(click.Group):
    """A group that lists and imports the modules beside this one."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The commands' names, sorted."""
        names = {module.name for module in iter_modules(safelight.cli.__path__)} - {"main"}
        return sorted(name for name in names if not name.startswith("_"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name, or None."""
        if cmd_name not in self.list_commands(ctx):
            return None
        command: click.Command = import_module(f"safelight.cli.{cmd_name}").command
        return command


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="safelight")
def main() -> None:
    """Develop and test clients of an asynchronous image-generation API."""
