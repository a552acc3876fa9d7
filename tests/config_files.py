"""What a command makes of a config file."""

from pathlib import Path

import click
import pytest

from safelight.cli import exec as exec_module
from safelight.cli import serve as serve_module
from safelight.cli._fake import Fake, fake_of
from safelight.cli._settings import command_options
from safelight.mockserver.model.settings import Settings


def fake(tmp_path: Path, text: str | bytes, *options: str, command: str = "serve") -> Fake:
    """The fake of a config file and the options beside it."""
    file = tmp_path / "safelight.toml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    arguments = ["--config", str(file), *options, *(["true"] if command == "exec" else [])]
    commands = {"serve": serve_module.command, "exec": exec_module.command}
    ctx = commands[command].make_context(command, arguments)
    return fake_of(command_options(ctx))


def settings(tmp_path: Path, text: str, *options: str) -> Settings:
    return fake(tmp_path, text, *options).api.sessions.open("k").settings


def refusal(tmp_path: Path, text: str | bytes, *options: str, command: str = "serve") -> str:
    """The sentence with which a config file is refused, without the folder."""
    with pytest.raises(click.ClickException) as refused:
        fake(tmp_path, text, *options, command=command)
    assert refused.value.exit_code == 2
    return refused.value.format_message().replace(f"{tmp_path}/", "")
