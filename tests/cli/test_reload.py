"""A config file that is found by itself, and one that is read again while the fake runs."""

import os
import pty
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import click
import pytest

from safelight.cli import exec as exec_module
from safelight.cli import serve as serve_module
from safelight.cli._fake import fake_of
from safelight.cli._reload import Reload, Watched
from safelight.cli._settings import command_options
from safelight.mockserver.model.delays import Fixed
from safelight.mockserver.model.engines import ENGINES
from safelight.mockserver.storage.kinds import opened
from serving import END, MAX_SECONDS, SAFELIGHT, Served, safelight, serving

KEY: Final = "sk-0123456789"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(folder: Path, text: str) -> None:
    (folder / "safelight.toml").write_text(f"api-key = '{KEY}'\n{text}")


def reload_of(*options: str, store: str = "memory") -> Reload:
    """The fake of `serve` with these options in the current folder."""
    ctx = serve_module.command.make_context("serve", [*options])
    read = command_options(ctx)
    return Reload(lambda: command_options(ctx), fake_of(read, store=opened(store)), read)


def again(reload: Reload) -> str:
    """What is told when the file is read again."""
    told: list[str] = []
    reload.again(told.append)
    return "\n".join(told)


# --- found by itself -------------------------------------------------------------------------------------------------


def test_the_file_of_the_current_folder_is_found(folder: Path) -> None:
    write(folder, "seed = 7")
    with serving() as server:
        assert server.call("GET", "user_balance", KEY).status_code == 200
        until(lambda: server.said, "Its settings are those of safelight.toml; the command line wins.\n")
    told = safelight(["exec", "printenv", "SAFELIGHT_API_KEY"])
    assert (told.stdout, told.stderr) == (f"{KEY}\n", "safelight exec: the fake has the settings of safelight.toml\n")


def test_it_is_left_out_where_nobody_wants_it(folder: Path) -> None:
    write(folder, "seed = 7")
    (folder / "other.toml").write_text("seed = 8")
    assert reload_of("--no-config").options.file is None
    assert reload_of("--config", "other.toml").fake.seed == 8
    with pytest.raises(click.UsageError, match="--config and --no-config contradict each other"):
        reload_of("--config", "other.toml", "--no-config")


def test_what_it_says_for_serve_alone_is_no_mistake_of_exec(folder: Path) -> None:
    write(folder, "port = 8123\nseed = 7")
    ctx = exec_module.command.make_context("exec", ["true"])
    assert fake_of(command_options(ctx)).seed == 7
    write(folder, "prt = 8123")
    with pytest.raises(click.ClickException, match=r"^safelight\.toml: prt is no setting of safelight exec"):
        command_options(exec_module.command.make_context("exec", ["true"]))


def test_a_mistake_in_it_is_named_with_the_file(folder: Path) -> None:
    write(folder, "fail-rat = 1")
    done = safelight(["serve"])
    assert done.returncode == 2
    assert done.stderr.startswith("Error: safelight.toml: fail-rat is no setting of safelight serve; did you mean")


def test_other_commands_do_not_look_for_it(folder: Path) -> None:
    write(folder, "no = TOML")
    assert safelight(["check", "client", "--list"]).returncode == 0
    assert safelight(["faults"]).returncode == 0


# --- read again ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("store", ["memory", "sqlite:fake.db"])
def test_what_a_session_has_stays_and_what_it_is_like_changes(folder: Path, store: str) -> None:
    write(folder, "queued = 5\nfaults = ['poll#2: http 502', 'submit#9: http 500']\nprices = {image_generation = 2.5}")
    reload = reload_of(store=store)
    sessions = reload.fake.api.sessions
    with sessions.enter(KEY) as session:
        session.plan.add("image#1: http 404")
        session.plan.deliver(0)
        task = session.submit("image_generation", {"prompt": "x"}, "default", ENGINES["comfyui"])
    write(folder, "queued = 9\nbalance = 50\nfaults = ['poll#3: http 503', 'poll#2: http 502']")
    assert again(reload) == "safelight.toml was read again: queued, faults, balance and prices changed."
    with sessions.enter(KEY) as session:
        assert [rule.text for rule in session.data.plan.rules] == [
            "poll#2: http 502",
            "image#1: http 404",
            "poll#3: http 503",
        ]
        assert [delivered for _, _, delivered in session.plan.counts()] == [1, 0, 0]
        assert session.find(task.id) == task
        assert session.credits == 47.5
        assert session.settings.profile.queued == sessions.settings.profile.queued == Fixed(9)


def test_a_session_that_was_given_other_settings_keeps_them(folder: Path) -> None:
    write(folder, "balance = 5")
    reload = reload_of()
    sessions = reload.fake.api.sessions
    sessions.open("sk-other-one", sessions.settings.__class__(balance=7))
    write(folder, "balance = 6")
    again(reload)
    found = {name: state.settings.balance for name in (KEY, "sk-other-one") if (state := sessions.look(name))}
    assert found == {KEY: 6, "sk-other-one": 7}


def test_users_come_and_go_and_keep_what_they_have(folder: Path) -> None:
    write(folder, "[users.alice]\nkey = 'sk-alice-1'\nbalance = 5\n[users.bob]\nkey = 'sk-bob-123'")
    reload = reload_of()
    sessions = reload.fake.api.sessions
    write(folder, "[users.alice]\nkey = 'sk-alice-1'\nbalance = 9\n[users.carol]\nkey = 'sk-carol-1'")
    assert again(reload) == "safelight.toml was read again: users changed."
    states = {key: sessions.look(key) for key in ("sk-alice-1", "sk-bob-123", "sk-carol-1")}
    found = {key: (state.settings.balance, state.revoked) for key, state in states.items() if state}
    assert found == {"sk-alice-1": (9, False), "sk-bob-123": (1000, True), "sk-carol-1": (1000, False)}


def test_a_user_who_comes_back_may_call_again(folder: Path) -> None:
    alice = "[users.alice]\nkey = 'sk-alice-1'\nbalance = {}\n"
    write(folder, alice.format(5) + "[users.bob]\nkey = 'sk-bob-123'")
    reload = reload_of()
    for balance in (5, 7):
        write(folder, "[users.bob]\nkey = 'sk-bob-123'")
        again(reload)
        write(folder, alice.format(balance) + "[users.bob]\nkey = 'sk-bob-123'")
        again(reload)
        state = reload.fake.api.sessions.look("sk-alice-1")
        assert state is not None
        assert (state.settings.balance, state.revoked) == (balance, False)


def test_clocks_run_at_the_new_speed_unless_somebody_has_set_them(folder: Path) -> None:
    write(folder, "speed = 2")
    reload = reload_of()
    sessions = reload.fake.api.sessions
    clocks: list[Any] = [sessions.open(key).clock for key in ("sk-one-111", "sk-two-222")]
    clocks[1].scale(5)
    write(folder, "speed = 3")
    again(reload)
    assert [clock.speed for clock in (*clocks, sessions.open("sk-three-3").clock)] == [3, 5, 3]


def test_what_holds_from_the_next_start_on_is_named_each_time(folder: Path) -> None:
    reload = reload_with(folder, "port = 0")
    write(folder, "port = 1\nstore = 'sqlite:a.db'\ncors = true")
    later = "cors, port and store: the fake takes what the file says now when it is started again."
    first = "safelight.toml was read again: nothing changed that a running fake takes on."
    assert again(reload) == f"{first}\n{later}"
    write(folder, "port = 1\nstore = 'sqlite:a.db'\ncors = true\nseed = 5\nqueued = 3")
    assert again(reload) == (
        "safelight.toml was read again: queued changed.\n"
        "seed, cors, port and store: the fake takes what the file says now when it is started again."
    )


def reload_with(folder: Path, text: str) -> Reload:
    write(folder, text)
    return reload_of()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("queued =", "safelight.toml: this is not TOML: "),
        ("queud = 1", "safelight.toml: queud is no setting of safelight serve; did you mean queued?"),
        ("queued = 1\npolls = [1, 1]", "safelight.toml: time is in seconds or in polls"),
        (None, "safelight.toml: No such file or directory: "),
    ],
)
def test_a_mistake_leaves_the_settings_as_they_are(folder: Path, text: str | None, sentence: str) -> None:
    reload = reload_with(folder, "balance = 5")
    write(folder, text) if text else (folder / "safelight.toml").unlink()
    told = again(reload)
    assert told.startswith(sentence)
    assert told.endswith("\nThe fake goes on with the settings that it has.")
    write(folder, "balance = 5")
    assert again(reload).endswith(": nothing changed that a running fake takes on.")


def test_a_file_is_seen_to_change(folder: Path) -> None:
    write(folder, "seed = 1")
    watched = Watched("safelight.toml")
    assert not watched.has_changed()
    changes: list[Callable[[], None]] = [
        lambda: write(folder, "seed = 10"),
        (folder / "safelight.toml").unlink,
        lambda: write(folder, ""),
    ]
    for change in changes:
        change()
        assert (watched.has_changed(), watched.has_changed()) == (True, False)


# --- as its users have it --------------------------------------------------------------------------------------------


def until(said: Callable[[], str], sentence: str) -> None:
    """Wait for a sentence, as long as a process may take that is not hanging."""
    deadline = time.monotonic() + MAX_SECONDS
    while sentence not in said():
        assert time.monotonic() < deadline, said()


WAYS: Final[dict[str, tuple[str, ...]]] = {
    "one process, by SIGHUP": (),
    "one process, watching": ("--watch",),
    "two processes, by SIGHUP": ("--processes", "2"),
    "two processes, watching": ("--processes", "2", "--watch"),
}


@pytest.fixture(params=list(WAYS.values()), ids=list(WAYS))
def server(request: pytest.FixtureRequest, folder: Path) -> Iterator[tuple[Served, Callable[[], None]]]:
    """A server whose tasks never begin to run, and what lets it read its file again."""
    write(folder, "queued = 0\nrunning = 'never'\nfaults = ['poll#2: http 502']")
    with serving(*request.param) as server:
        yield (
            replace(server, key=KEY),
            lambda: None if "--watch" in request.param else server.process.send_signal(signal.SIGHUP),
        )


def test_a_running_server_reads_its_file_again(server: tuple[Served, Callable[[], None]], folder: Path) -> None:
    served, hang_up = server
    task_id = served.submit()["id"]
    polls = [served.call("GET", "task_status", params={"task_id": task_id}).status_code for _ in range(2)]
    assert polls == [200, 502]
    write(folder, "queued = 0\nrunning = 0\nfaults = ['poll#2: http 502']")
    hang_up()
    until(lambda: served.said, "safelight.toml was read again: running changed.\n")
    # The one that tells has read it; the others have when a new task of theirs is done.
    until(lambda: served.words(1)[0], "completed")
    assert served.poll(task_id)["status"] == "processing"
    write(folder, "runing = 0")
    hang_up()
    until(lambda: served.said, "did you mean running?\nThe fake goes on with the settings that it has.\n")
    assert served.words(1) == ["completed"]
    assert served.complained == ""
    assert served.end() == 0


@pytest.mark.usefixtures("folder")
def test_without_a_file_a_hang_up_ends_it() -> None:
    for options in ((), ("--processes", "2")):
        with serving(*options) as server:
            assert server.end(signal.SIGHUP) == 0
            assert "There is no config file to read again: SIGHUP ends the fake.\n" in server.said
    with serving() as server:
        assert server.end(signal.SIGQUIT) == 0
        assert server.complained == ""


@pytest.mark.usefixtures("folder")
def test_what_is_to_be_watched_has_to_be_there() -> None:
    done = safelight(["serve", "--watch"])
    assert (done.returncode, done.stderr) == (
        2,
        "Error: --watch needs a config file: there is no safelight.toml here; write one, or name another\n",
    )


def test_it_ends_with_the_terminal_that_it_was_started_on(folder: Path) -> None:
    write(folder, "port = 0\nlog = 'none'\nready-file = 'ready.json'")
    pid, terminal = pty.fork()
    if not pid:
        os.execv(SAFELIGHT, [SAFELIGHT, "serve"])  # in the terminal of its own
    while not (folder / "ready.json").exists():
        os.read(terminal, 4_096)
    os.close(terminal)
    deadline = time.monotonic() + END
    while (ended := os.waitpid(pid, os.WNOHANG))[0] == 0:
        assert time.monotonic() < deadline, "it goes on without its terminal"
    assert os.waitstatus_to_exitcode(ended[1]) == 0


def test_nohup_keeps_a_server_that_has_no_file(folder: Path) -> None:
    command = ["nohup", SAFELIGHT, "serve", "--port", "0", "--ready-file", "ready.json", "--log", "none"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    try:
        deadline = time.monotonic() + MAX_SECONDS
        while not (folder / "ready.json").exists():
            assert time.monotonic() < deadline
        process.send_signal(signal.SIGHUP)
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=MAX_SECONDS)
    finally:
        process.kill()
        process.wait()
    assert b"SIGHUP" not in said
    assert process.returncode == 0


def test_nohup_is_respected(folder: Path) -> None:
    write(folder, "log = 'none'")
    command = ["nohup", SAFELIGHT, "exec", "sh", "-c", "kill -HUP $PPID; kill -HUP $$; echo alive"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=MAX_SECONDS, check=False)
    assert (done.returncode, done.stdout) == (0, "alive\n")
