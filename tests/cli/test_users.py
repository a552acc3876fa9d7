"""Users and prices in the config file, and keys that nothing shows."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest

from config_files import fake, refusal
from safelight.mockserver.model.keys import fingerprint
from serving import MAX_SECONDS, SAFELIGHT, Served, serving

ALICE: Final = "sk-" + 12 * "a11c"
BOB: Final = "sk-" + 12 * "b0b0"

USERS: Final = f"""
balance = 500
[prices]
image_editing = 12.5
[users.alice]
key = "{ALICE}"
id = 17
balance = 40.5
[users.bob]
key = "{BOB}"
[users.carol]
key = "carol's"
revoked = true
"""


def file_of(folder: Path, text: str = USERS) -> str:
    path = folder / "users.toml"
    path.write_text(text)
    return str(path)


def balance(server: Served, key: str) -> Any:
    answer = server.call("GET", "user_balance", key)
    return answer.json()["data"] or answer.status_code


def test_each_user_has_a_name_an_id_and_credits_and_whoever_is_none_is_refused(tmp_path: Path) -> None:
    with serving("--config", file_of(tmp_path)) as server:
        assert balance(server, ALICE) == {"user_id": 17, "username": "alice", "balance": 40.5, "currency": "credits"}
        assert balance(server, BOB) == {"user_id": 2, "username": "bob", "balance": 500.0, "currency": "credits"}
        assert balance(server, "carol's") == 401
        assert balance(server, "sk-" + 12 * "5afe") == 401
        edit = {"prompt": "a", "image": "https://example.com/a.png"}
        assert server.call("POST", "image_editing", ALICE, json=edit).status_code == 200
        assert balance(server, ALICE)["balance"] == 28.0
        assert balance(server, BOB)["balance"] == 500.0


def test_a_key_of_ones_own_is_welcome_beside_the_users(tmp_path: Path) -> None:
    with serving("--config", file_of(tmp_path), "--api-key", "mine") as server:
        assert [balance(server, key)["balance"] for key in ("mine", BOB)] == [500.0, 500.0]


@pytest.mark.parametrize("form", ["readable", "json"])
def test_no_key_is_printed_only_fingerprints(tmp_path: Path, form: str) -> None:
    with serving("--config", file_of(tmp_path), "--log", form) as server:
        for key in (ALICE, BOB, "carol's"):
            server.call("GET", "task_status", key, params={"task_id": key, "note": f"{key} {key.upper()}"})
            server.client.get(f"{server.url}?endpoint=user_balance&api_key={key}")
            server.client.post(f"{server.url}?endpoint=image_generation", json={"api_key": key, "prompt": 1})
        said = server.said + server.complained
    assert [key for key in (ALICE, BOB, "carol's") if key in said] == []
    users = ", ".join(f"{name} (fingerprint {fingerprint(key)})" for name, key in (("alice", ALICE), ("bob", BOB)))
    assert f"Its users are {users}, carol (fingerprint " in said


@pytest.mark.parametrize("options", [(), ("--api-key", "a-key-of-ones-own")])
def test_the_ready_file_has_no_key_of_anybody_only_a_fingerprint(tmp_path: Path, options: tuple[str, ...]) -> None:
    with serving("--config", file_of(tmp_path), *options) as server:
        key = options[-1] if options else ALICE
        assert server.facts == {"url": server.url, "fingerprint": fingerprint(key)}


def test_exec_tells_the_command_the_first_users_key(tmp_path: Path) -> None:
    command = [SAFELIGHT, "exec", "--config", file_of(tmp_path), "sh", "-c", "echo $SAFELIGHT_API_KEY"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=MAX_SECONDS, env={**os.environ}, check=True)
    assert done.stdout.strip() == ALICE


MISTAKES: Final = {
    "no key": ("[users.alice]\nid = 1", "users.alice: this user has no key: write key = 'sk-...'"),
    "a user that is no table": ("[users]\nalice = 'sk-1'", 'users.alice: "sk-1" is no table: write each user as one'),
    "a key that is none": ("[users.alice]\nkey = 'a b'", "users.alice.key: a key is 1 to 200 visible ASCII"),
    "the key of another": (
        "[users.alice]\nkey = 'k1'\n[users.bob]\nkey = 'k1'",
        "users.bob.key: it is that of alice: each user needs one",
    ),
    "a balance below 0": ("[users.alice]\nkey = 'k'\nbalance = -1", "users.alice.balance: '-1' is no balance"),
    "an id that is none": ("[users.alice]\nkey = 'k'\nid = 1.5", "users.alice.id: 1.5 is no id"),
    "a member that is none": (
        "[users.alice]\nballance = 1",
        "users.alice: ballance is no setting of a user; did you mean",
    ),
    "a key for a name": ("[users.sk-secretsecretsecret]\nid = 1", "users: the name of a user is 1 to 40 letters"),
    "a name that is an escape": ('[users."\\u001b[31m"]\nkey = "k"', "users: the name of a user is 1 to 40 letters"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_named_by_its_user(tmp_path: Path, name: str) -> None:
    text, sentence = MISTAKES[name]
    assert refusal(tmp_path, text).startswith(f"safelight.toml: {sentence}")


def test_no_refusal_shows_a_key(tmp_path: Path) -> None:
    secret = "sk-secret-secret"
    for text in (
        f"[users.alice]\nkey = '{secret}'\n[users.bob]\nkey = '{secret}'",
        f"[users.alice]\nkey = ' {secret}'",
        f"[users.alice]\nkey = ['{secret}']",
    ):
        assert secret not in refusal(tmp_path, text)


def test_prices_engines_and_dialects_can_be_given_in_the_file_and_on_the_command_line(tmp_path: Path) -> None:
    text = (
        "down = ['rr3', 'grok']\nerrors = 'string'\nlimits = 'clamp'\npath = 'root'\n[prices]\nvideo_generation = 0.5"
    )
    told = fake(tmp_path, text, "--errors", "message")
    settings = told.api.sessions.open("k").settings
    assert settings.down == {"rr3", "grok"}
    assert (settings.errors, settings.limits, told.path) == ("message", "clamp", "/")
    assert str(settings.price_of("video_generation")) == "0.5"
    other = fake(tmp_path, "", "--prices", "image_generation=1", "--prices", "image_editing=2.25", "--down", "comfyui")
    settings = other.api.sessions.open("k").settings
    assert {name: str(price) for name, price in settings.prices.items()} == {
        "image_generation": "1",
        "image_editing": "2.25",
    }


@pytest.mark.parametrize(
    ("path", "end"), [("published", "/v1/index.php"), ("earlier", "/TS-AI-API/v1/index.php"), ("root", "/")]
)
def test_the_entry_point_that_is_told_answers(path: str, end: str) -> None:
    with serving("--path", path, "--errors", "string") as server:
        assert server.url.partition("://")[2].partition("/")[1:] == ("/", end[1:])
        assert balance(server, server.key)["balance"] == 1000.0
        assert json.loads(server.call("GET", "tea").text)["error"].startswith("Unknown endpoint")


def test_faults_can_be_given_on_the_command_line_and_in_the_file(tmp_path: Path) -> None:
    told = fake(tmp_path, "faults = ['poll#2: http 502', 'submit 10%: reset after']")
    assert [str(rule) for rule in told.api.sessions.open("k").plan] == ["poll#2: http 502", "submit 10%: reset after"]
    told = fake(tmp_path, "", "--faults", "poll#2: http 502", "--faults", "image: garbled", "--no-directives")
    assert [str(rule) for rule in told.api.sessions.open("k").plan] == ["poll#2: http 502", "image: garbled"]
    assert told.api.sessions.open("k").settings.directives is False


def test_prices_are_scaled_by_a_file_and_the_command_line_wins(tmp_path: Path) -> None:
    for options, price in (((), 5), (("--cost-scale", "0.25"), 2.5)):
        settings = fake(tmp_path, "cost-scale = 0.5", *options).api.sessions.open("k").settings
        assert settings.price_of("image_generation") == price


def test_a_revoked_key_stays_revoked_whoever_names_it(tmp_path: Path) -> None:
    text = "[users.alice]\nkey = 'revoked-1'\nrevoked = true"
    for options in ([], ["--api-key", "revoked-1"]):
        with serving("--config", file_of(tmp_path, text), *options) as server:
            assert server.facts["fingerprint"] == fingerprint("revoked-1")
            assert balance(server, "revoked-1") == 401
            assert balance(server, "sk-" + 12 * "5afe") == 401


def test_keys_are_not_in_what_python_shows(tmp_path: Path) -> None:
    assert [key for key in (ALICE, BOB) if key in repr(fake(tmp_path, USERS))] == []
