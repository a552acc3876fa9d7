"""Shells complete commands, options and the words that options take, as a terminal shows it."""

import os
import pty
import select
import shlex
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from safelight.cli._completion import words_of
from safelight.mockserver.faults.catalogue import faults
from safelight.mockserver.sessions.table import SERVE
from serving import MAX_SECONDS, SAFELIGHT, safelight

#: Shell -> how it is started without anybody's own files, and the lines that docs/install.md tells to put into them.
SHELLS: Final = {
    "bash": (["bash", "--norc", "--noprofile"], 'eval "$(_SAFELIGHT_COMPLETE=bash_source safelight)"'),
    "zsh": (
        ["zsh", "-f"],
        'autoload -Uz compinit && compinit -u -D\neval "$(_SAFELIGHT_COMPLETE=zsh_source safelight)"',
    ),
    "fish": (["fish", "--no-config", "--private"], "_SAFELIGHT_COMPLETE=fish_source safelight | source"),
}


@contextmanager
def terminal(shell: str, home: Path) -> Iterator[int]:
    """The keys and the screen of a shell that completes."""
    command = ["setsid", "--ctty", *SHELLS[shell][0]]
    ours, its = pty.openpty()
    path = f"{Path(SAFELIGHT).parent}{os.pathsep}{os.environ['PATH']}"
    variables = {"PATH": path, "HOME": str(home), "TERM": "dumb", "LC_ALL": "C.UTF-8", "COLUMNS": "200"}
    with subprocess.Popen(command, stdin=its, stdout=its, stderr=its, env=variables) as process:
        os.close(its)
        try:
            yield ours
        finally:
            process.kill()
    os.close(ours)


def seen(screen: int, awaited: str) -> str:
    """What is shown, up to what is awaited."""
    shown, deadline = "", time.monotonic() + MAX_SECONDS
    while awaited not in shown:
        assert select.select([screen], [], [], max(0, deadline - time.monotonic()))[0], f"no {awaited!r} in {shown!r}"
        shown += os.read(screen, 65_536).decode("utf-8", "replace")
    return shown


@pytest.mark.parametrize("shell", [pytest.param(name, marks=pytest.mark.needs(name)) for name in SHELLS])
@pytest.mark.parametrize(
    ("typed", "completed"),
    [("safelight ser", "ve"), ("safelight serve --vocabulary pl", "ain"), ("safelight check cl", "ient")],
)
def test_a_shell_completes_what_is_typed(shell: str, typed: str, completed: str, tmp_path: Path) -> None:
    with terminal(shell, tmp_path) as keys:
        for line in (*SHELLS[shell][1].splitlines(), "echo is-'ready'"):
            os.write(keys, f"{line}\n".encode())
        seen(keys, "is-ready")
        os.write(keys, f"{typed}\t".encode())
        seen(keys, f"{typed}{completed}".rpartition(" ")[2])


def offered(*words: str) -> list[str]:
    """What completion offers for the last word."""
    variables = {"COMP_WORDS": shlex.join(["safelight", *words]), "COMP_CWORD": str(len(words))}
    done = safelight([], _SAFELIGHT_COMPLETE="bash_complete", **variables)
    assert done.stderr == ""
    return [line.partition(",")[2] for line in done.stdout.splitlines()]


@pytest.mark.parametrize(
    ("words", "word"),
    [
        (["explain", "4.1"], "4.10"),
        (["check", "client", "--only", "4.1"], "4.10"),
        (["check", "server", "--skip", "S3"], "S33"),
        (["schema", "show", "image_e"], "image_editing.request"),
        (["serve", "--down", "r"], "rr3"),
        (["serve", "--prices", "v"], "video_generation="),
        (["serve", "--faults", "po"], "poll:"),
        (["serve", "--faults", "poll#2: ht"], "poll#2: http"),
        (["exec", "--vocabulary", ""], "published"),
        (["--ver"], "--version"),
    ],
)
def test_words_of_the_registries_are_offered(words: list[str], word: str) -> None:
    found = offered(*words)
    assert word in found
    assert [one for one in found if not one.startswith(words[-1])] == []


def test_every_word_that_is_offered_is_one_that_its_setting_takes() -> None:
    rows = {name: row for name, row in SERVE.items() if row.reader.parse and name not in ("faults", "prices")}
    words = {name: list(words_of(row)("")) for name, row in rows.items()}
    assert {"vocabulary", "path", "log", "down"} <= {name for name, some in words.items() if some}
    for name, some in words.items():
        for word in some:
            parsed: Any = rows[name].reader.parse
            rows[name].reader.read([parsed(word)] if rows[name].reader.gather else parsed(word))


def test_each_fault_is_offered_once_a_kind_of_request_is_named() -> None:
    assert [word.removeprefix("submit: ") for word in words_of(SERVE["faults"])("submit: ")] == list(faults())


def test_commands_are_offered_without_being_imported() -> None:
    code = "import sys; from safelight.cli.main import main; main.shell_complete(main.make_context('s', ['x']), ''); "
    code += "sys.exit('safelight.conformance' in sys.modules)"
    assert subprocess.run([Path(SAFELIGHT).with_name("python"), "-c", code], check=False).returncode == 0
