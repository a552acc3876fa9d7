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
        assert server.key == ALICE
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
        assert server.key == "mine"
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


def test_exec_tells_the_command_the_first_users_key(tmp_path: Path) -> None:
    command = [SAFELIGHT, "exec", "--config", file_of(tmp_path), "sh", "-c", "echo $SAFELIGHT_API_KEY"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=MAX_SECONDS, env={**os.environ}, check=True)
    assert done.stdout.strip() == ALICE


MISTAKES: Final = {
    "no key": ("[users.alice]\nid = 1", 1, "the user alice has no key: write key = 'sk-...'"),
    "a user that is no table": ("[users]\nalice = 'sk-1'", 2, "write each user as a table: [users.alice], with a key"),
    "users that are no tables": ("users = ['sk-1']", 1, "write each user as a table: [users.alice], with a key"),
    "a key that is none": ("[users.alice]\nkey = 'a b'", 2, "key: a key is a text of 1 to 200 visible ASCII"),
    "a key that is a number": ("[users.alice]\nkey = 7", 2, "key: a key is a text of 1 to 200 visible ASCII"),
    "the key of another": (
        "[users.alice]\nkey = 'k1'\n[users.bob]\nkey = 'k1'",
        4,
        "bob has the key of alice: each user needs one",
    ),
    "a balance below 0": ("[users.alice]\nkey = 'k'\nbalance = -1", 3, "balance: '-1' is no balance"),
    "an id that is none": ("[users.alice]\nkey = 'k'\nid = 1.5", 3, "id: an id is a whole number"),
    "a flag that is none": ("[users.alice]\nkey = 'k'\nrevoked = 'no'", 3, "revoked: write true or false"),
    "a member that is none": (
        "[users.alice]\nkey = 'k'\nballance = 1",
        3,
        "a user has no 'ballance'; did you mean balance?",
    ),
    "a key for a name": ("[users.sk-secretsecretsecret]\nid = 1", 1, "the name of a user is 1 to 40 letters"),
    "a name that is an escape": ('[users."\\u001b[31m"]\nkey = "k"', 1, "the name of a user is 1 to 40 letters"),
    "a price of too many digits": (
        f"[prices]\nvideo_generation = 0x{'F' * 5000}",
        2,
        "prices: video_generation takes a number",
    ),
    "a balance of too many digits": (
        f"[users.a]\nkey = 'k'\nbalance = 0x{'F' * 5000}",
        3,
        "balance: 'more than 12 digits' is no",
    ),
    "the table misspelt": ("[user.alice]\nkey = 'k'", 1, "has no option 'user'; did you mean users?"),
    "a price of nothing": ("[prices]\nimage = 1", 1, "prices: no submit is called 'image'"),
    "a price below 0": ("[prices]\nimage_editing = -1", 1, "prices: '-1' is no price of image_editing"),
    "prices that are no table": ("prices = 7", 1, "write a table: [prices]"),
    "an engine that is none": ("down = ['rr4']", 1, "down: no engine is called 'rr4': there are comfyui, rr3 and grok"),
    "a form of errors that is none": ("errors = 'text'", 1, "errors: 'text' is not one of"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_named_by_its_line(tmp_path: Path, name: str) -> None:
    text, line, sentence = MISTAKES[name]
    said = refusal(tmp_path, text)
    assert said.startswith(f"safelight.toml, line {line}: ")
    assert sentence in said


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
    settings = told.api.open("k").settings
    assert settings.down == {"rr3", "grok"}
    assert (settings.errors, settings.limits, told.path) == ("message", "clamp", "/")
    assert str(settings.price_of("video_generation")) == "0.5"
    other = fake(tmp_path, "", "--price", "image_generation=1", "--price", "image_editing=2.25", "--down", "comfyui")
    settings = other.api.open("k").settings
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
    assert [str(rule) for rule in told.api.open("k").plan] == ["poll#2: http 502", "submit 10%: reset after"]
    told = fake(tmp_path, "", "--fault", "poll#2: http 502", "--fault", "image: garbled", "--no-directives")
    assert [str(rule) for rule in told.api.open("k").plan] == ["poll#2: http 502", "image: garbled"]
    assert told.api.open("k").settings.directives is False
    said = refusal(tmp_path, "port = 1\nfaults = ['poll#2: htp 502']")
    assert said.startswith("safelight.toml, line 2: faults: htp is no fault; did you mean http?")
    assert said.endswith("^ column 9")


def test_a_revoked_key_stays_revoked_whoever_names_it(tmp_path: Path) -> None:
    text = "[users.alice]\nkey = 'revoked-1'\nrevoked = true"
    for options in ([], ["--api-key", "revoked-1"]):
        with serving("--config", file_of(tmp_path, text), *options) as server:
            assert server.key == "revoked-1"
            assert balance(server, server.key) == 401
            assert balance(server, "sk-" + 12 * "5afe") == 401


def test_keys_are_not_in_what_python_shows(tmp_path: Path) -> None:
    assert [key for key in (ALICE, BOB) if key in repr(fake(tmp_path, USERS))] == []
